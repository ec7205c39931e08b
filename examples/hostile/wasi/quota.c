// One bomb for each argument. The host's limit ends it, or a refusal does.
#include "wasi.h"

static u8 block[1 << 16];
static u32 box, fd;

static void name_of(char *name, u32 number) {
  for (u32 at = 0; at < 8; at++) name[at] = "0123456789abcdef"[number >> (28 - 4 * at) & 15];
}

static void make_entries(u32 kind) {
  char name[] = "00000000";
  for (u32 number = 0; number < 2000000; number++) {
    name_of(name, number);
    u32 error = kind == 0 ? path_open(box, 0, name, 8, CREATE, CAN_WRITE, 0, 0, &fd)
              : kind == 1 ? path_create_directory(box, name, 8)
              : kind == 2 ? path_link(box, 0, TEXT("in.txt"), box, name, 8)
                          : path_symlink(TEXT("in.txt"), box, name, 8);
    if (error) return;
    if (kind == 0) fd_close(fd);
  }
  escaped("two million entries");
}

/** Files of one entry at a time: what is removed counts nevertheless. */
static void make_and_remove(void) {
  for (u32 number = 0; number < 2000000; number++) {
    if (path_create_directory(box, TEXT("again"))) return;
    if (path_remove_directory(box, TEXT("again"))) return;
  }
  escaped("two million entries, made and removed");
}

static void open_many(void) {
  for (u32 number = 0; number < 100000; number++) {
    u32 error = number % 2 ? open_at(box, "sub", DIRECTORY, CAN_ALL, &fd)
                           : open_at(box, "in.txt", 0, CAN_READ, &fd);
    if (error == 0) continue;
    if (number > 0 && error != E_MFILE) escaped("another error than that there are too many");
    // closing one makes room for one
    if (number > 0 && !fd_close(fd)) NEVER(open_at(box, "in.txt", 0, CAN_READ, &fd));
    return;
  }
  escaped("a hundred thousand open files");
}

static void write_on(int same_place) {
  u64 position;
  for (u32 turn = 0; turn < 1 << 16; turn++) {
    if (same_place) fd_seek(fd, 0, 0, &position);
    if (put(fd, block, sizeof block)) return;
  }
  escaped("4 GiB written");
}

/** Each step makes the file longer by a byte that is far away. */
static void grow(u32 how) {
  struct iovec iov = {"X", 1};
  u32 got;
  u64 size = 1, position;
  for (; size < (u64)1 << 46; size <<= 1) {
    u32 error;
    if (how == 0) error = fd_pwrite(fd, &iov, 1, size, &got);
    else if (how == 1) error = fd_filestat_set_size(fd, size);
    else if (how == 2) error = fd_allocate(fd, 0, size);
    else error = fd_seek(fd, size, 0, &position) || fd_write(fd, &iov, 1, &got);
    if (error) return;
  }
  escaped("a file of 64 TiB");
}

static void attack(void) {
  box = mount("/box");
  if (path_open(box, 0, TEXT("bomb.bin"), CREATE, CAN_ALL, 0, 0, &fd)) return;
  if (argument_is("files")) make_entries(0);
  if (argument_is("directories")) make_entries(1);
  if (argument_is("links")) make_entries(2);
  if (argument_is("symlinks")) make_entries(3);
  if (argument_is("again")) make_and_remove();
  if (argument_is("open")) open_many();
  if (argument_is("write")) write_on(0);
  if (argument_is("rewrite")) write_on(1);
  if (argument_is("pwrite")) grow(0);
  if (argument_is("resize")) grow(1);
  if (argument_is("allocate")) grow(2);
  if (argument_is("seek")) grow(3);
}

// Descriptors that are closed, moved, of another type, or no descriptors at all.
#include "wasi.h"

static u8 bytes[64];
static struct iovec iov = {bytes, sizeof bytes};
static u32 got;
static u64 position;

/** Nothing works on a descriptor that is not open. */
static void not_open(u32 fd) {
  u32 opened;
  REFUSED(fd_read(fd, &iov, 1, &got));
  REFUSED(fd_pread(fd, &iov, 1, 0, &got));
  REFUSED(fd_write(fd, &iov, 1, &got));
  REFUSED(fd_pwrite(fd, &iov, 1, 0, &got));
  REFUSED(fd_readdir(fd, bytes, sizeof bytes, 0, &got));
  REFUSED(fd_seek(fd, 0, 0, &position));
  REFUSED(fd_tell(fd, &position));
  REFUSED(fd_sync(fd));
  REFUSED(fd_datasync(fd));
  REFUSED(fd_advise(fd, 0, 1, 0));
  REFUSED(fd_allocate(fd, 0, 1));
  REFUSED(fd_fdstat_get(fd, bytes));
  REFUSED(fd_fdstat_set_flags(fd, 0));
  REFUSED(fd_fdstat_set_rights(fd, 0, 0));
  REFUSED(fd_filestat_get(fd, bytes));
  REFUSED(fd_filestat_set_size(fd, 0));
  REFUSED(fd_filestat_set_times(fd, 1, 1, SET_MTIM));
  REFUSED(fd_prestat_get(fd, bytes));
  REFUSED(fd_prestat_dir_name(fd, bytes, sizeof bytes));
  REFUSED(fd_renumber(fd, 3));
  REFUSED(fd_renumber(fd, fd));
  REFUSED(path_open(fd, 0, TEXT("in.txt"), 0, CAN_READ, 0, 0, &opened));
  REFUSED(path_filestat_get(fd, 0, TEXT("in.txt"), bytes));
  REFUSED(fd_close(fd));
}

static void attack(void) {
  static const u32 numbers[] = {0xffffffff, 0xfffffffe, 0x80000000, 0x7fffffff, 0x40000000,
                                1000000, 65536, 4096, 77};
  u32 box = mount("/box"), file, other, dir;
  for (u32 index = 0; index < sizeof numbers / sizeof *numbers; index++) {
    not_open(numbers[index]);
    REFUSED(fd_renumber(1, numbers[index]));
  }
  if (open_at(box, "in.txt", 0, CAN_ALL, &file)) return;
  // a file is no directory, and the other way about
  REFUSED(fd_readdir(file, bytes, sizeof bytes, 0, &got));
  REFUSED(path_open(file, 0, TEXT("in.txt"), 0, CAN_READ, 0, 0, &other));
  REFUSED(path_open(file, 0, TEXT("."), 0, CAN_READ, 0, 0, &other));
  REFUSED(path_open(file, 0, TEXT(".."), 0, CAN_READ, 0, 0, &other));
  REFUSED(fd_prestat_get(file, bytes));
  REFUSED(fd_read(box, &iov, 1, &got));
  REFUSED(fd_write(box, &iov, 1, &got));
  REFUSED(fd_filestat_set_size(box, 0));
  REFUSED(fd_seek(box, 0, 0, &position));
  // closed twice, used after, and its number taken by something else
  fd_close(file);
  not_open(file);
  if (!open_at(box, "sub", DIRECTORY, CAN_ALL, &dir)) {
    fd_close(dir);
    not_open(dir);
  }
  // moved: the old number is free, the new one is what was moved
  if (!open_at(box, "in.txt", 0, CAN_READ, &file) && !open_at(box, "sub", DIRECTORY, CAN_ALL, &dir)) {
    if (!fd_renumber(file, dir)) {
      not_open(file);
      REFUSED(fd_readdir(dir, bytes, sizeof bytes, 0, &got));
      NEVER(fd_read(dir, &iov, 1, &got));
      NEVER(!put(dir, "X", 1));
    }
    fd_renumber(dir, dir);
    NEVER(fd_read(dir, &iov, 1, &got));
  }
  // a mount that is closed stays so; what was opened from it lives on or not, but nothing else does
  fd_close(box);
  not_open(box);
  not_open(mount("/box"));
  for (u32 fd = 0; fd < 200; fd++) {
    if (fd != 1) fd_close(fd);
  }
  for (u32 fd = 2; fd < 200; fd++) REFUSED(fd_fdstat_get(fd, bytes));
}

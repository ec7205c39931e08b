// A mount to read only: every function that changes something, by every descriptor.
#include "wasi.h"

static void change(u32 fd) {
  u32 other;
  struct iovec iov = {"XXXX", 4};
  REFUSED(fd_write(fd, &iov, 1, &other));
  REFUSED(fd_pwrite(fd, &iov, 1, 0, &other));
  REFUSED(fd_filestat_set_size(fd, 0));
  REFUSED(fd_filestat_set_size(fd, 12));
  REFUSED(fd_filestat_set_size(fd, 1 << 20));
  REFUSED(fd_allocate(fd, 0, 1 << 20));
  REFUSED(fd_allocate(fd, 0, 1));
  REFUSED(fd_filestat_set_times(fd, 1, 1, SET_ATIM | SET_MTIM));
  REFUSED(fd_filestat_set_times(fd, 0, 0, SET_ATIM << 1 | SET_MTIM << 1));
}

static void attack(void) {
  u32 ro = mount("/ro"), box = mount("/box"), fd;
  for (u32 oflags = 0; oflags < 16; oflags++) {
    u32 made = oflags & CREATE;
    REFUSED(path_open(ro, 0, TEXT("new.txt"), oflags | CREATE, CAN_READ, CAN_READ, 0, &fd));
    if (oflags & TRUNCATE || made) {
      REFUSED(path_open(ro, 0, TEXT("ro.txt"), oflags | TRUNCATE, CAN_READ, CAN_READ, 0, &fd));
    }
    REFUSED(path_open(ro, 0, TEXT("new.txt"), oflags | CREATE, CAN_ALL, CAN_ALL, APPEND, &fd));
  }
  REFUSED(path_open(ro, 0, TEXT("ro.txt"), TRUNCATE, 0, 0, 0, &fd));
  REFUSED(path_open(ro, 0, TEXT("ro.txt"), 0, CAN_WRITE, CAN_WRITE, APPEND, &fd) || put(fd, "X", 1));
  for (u32 way = 0; way < 3; way++) {
    u64 rights = way == 0 ? CAN_READ : way == 1 ? CAN_ALL : 0;
    if (path_open(ro, 0, TEXT("ro.txt"), 0, rights, CAN_ALL, way == 2 ? APPEND : 0, &fd)) continue;
    change(fd);
    fd_fdstat_set_rights(fd, CAN_ALL, CAN_ALL);
    fd_fdstat_set_flags(fd, APPEND);
    change(fd);
    fd_fdstat_set_flags(fd, 0);
    change(fd);
    fd_close(fd);
  }
  change(ro);
  if (!open_at(ro, "sub", DIRECTORY, CAN_ALL, &fd)) {
    REFUSED(path_create_directory(fd, TEXT("made")));
    REFUSED(path_unlink_file(fd, TEXT("below.txt")));
    REFUSED(path_open(fd, 0, TEXT("below.txt"), TRUNCATE, CAN_READ, 0, 0, &fd));
  }
  REFUSED(path_filestat_set_times(ro, 0, TEXT("ro.txt"), 1, 1, SET_MTIM));
  REFUSED(path_filestat_set_times(ro, FOLLOW, TEXT("sub"), 1, 1, SET_ATIM));
  REFUSED(path_unlink_file(ro, TEXT("ro.txt")));
  REFUSED(path_create_directory(ro, TEXT("made")));
  REFUSED(path_remove_directory(ro, TEXT("empty")));
  REFUSED(path_rename(ro, TEXT("ro.txt"), ro, TEXT("other.txt")));
  REFUSED(path_rename(ro, TEXT("sub"), ro, TEXT("empty")));
  REFUSED(path_symlink(TEXT("ro.txt"), ro, TEXT("link")));
  REFUSED(path_link(ro, 0, TEXT("ro.txt"), ro, TEXT("hard")));
  // a slot with rights of its own must not lend them
  if (!open_at(ro, "ro.txt", 0, CAN_READ, &fd)) {
    u32 file;
    if (!open_at(box, "in.txt", 0, CAN_READ | CAN_WRITE, &file)) {
      if (!fd_renumber(fd, file)) change(file);
    }
  }
  if (!open_at(ro, "ro.txt", 0, CAN_READ, &fd) && !fd_renumber(fd, 2)) change(2);
}

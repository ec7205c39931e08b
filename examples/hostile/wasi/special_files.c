// Pipes, sockets, devices by a link, and a file of a terabyte lie in the mount: nothing may hang.
#include "wasi.h"

static void attack(void) {
  static const char *const paths[] = {"fifo", "socket", "zero", "tty", "fifo/", "zero/"};
  u32 box = mount("/box"), fd, used;
  u8 stat[64], bytes[64];
  struct iovec iov = {bytes, sizeof bytes};
  for (u32 index = 0; index < sizeof paths / sizeof *paths; index++) {
    const char *path = paths[index];
    u32 size = length_of(path);
    for (u32 oflags = 0; oflags < 16; oflags++) {
      for (u32 way = 0; way < 4; way++) {
        u64 rights = way & 2 ? CAN_WRITE : CAN_READ;
        u32 flags = oflags & ~EXCLUSIVE;
        if (!path_open(box, way & 1, path, size, flags, rights, 0, 0, &fd)) escaped(path);
      }
    }
    path_filestat_get(box, FOLLOW, path, size, stat);
    path_filestat_get(box, 0, path, size, stat);
    REFUSED(path_link(box, 0, path, size, box, TEXT("hard")));
    REFUSED(path_link(box, FOLLOW, path, size, box, TEXT("hard")));
  }
  if (!open_at(box, "sparse", 0, CAN_ALL, &fd)) {
    fd_pread(fd, &iov, 1, (u64)1 << 39, &used);
    fd_close(fd);
  }
}

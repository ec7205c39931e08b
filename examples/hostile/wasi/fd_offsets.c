// Offsets and lengths beyond every file: negative, past 2^63, wrapped around.
#include "wasi.h"

static void attack(void) {
  static const u64 numbers[] = {
      (u64)1 << 63, ~(u64)0, ~(u64)0 - 1, ((u64)1 << 63) - 1, (u64)1 << 53, ((u64)1 << 53) + 1,
  };
  u32 box = mount("/box"), fd, got;
  u64 position = 0, size[8] = {0};
  u8 bytes[64];
  struct iovec iov = {bytes, sizeof bytes};
  if (open_at(box, "in.txt", 0, CAN_ALL, &fd)) return;
  fd_filestat_get(fd, size);
  u64 before = size[4];
  for (u32 index = 0; index < sizeof numbers / sizeof *numbers; index++) {
    u64 number = numbers[index];
    NEVER(!fd_pread(fd, &iov, 1, number, &got) && got != 0);
    REFUSED(fd_filestat_set_size(fd, number));
    REFUSED(fd_allocate(fd, number, 1));
    REFUSED(fd_allocate(fd, 1, number));
    REFUSED(fd_allocate(fd, number, number));
    fd_advise(fd, number, number, 0);
    if (!fd_seek(fd, number, 0, &position)) NEVER(!fd_read(fd, &iov, 1, &got) && got != 0);
    fd_seek(fd, 0, 0, &position);
    fd_seek(fd, ((u64)1 << 63) - 1, 1, &position);
    fd_seek(fd, ((u64)1 << 63) - 1, 1, &position);
    fd_seek(fd, ((u64)1 << 63) - 1, 2, &position);
    NEVER(!fd_tell(fd, &position) && position >> 63);
  }
  REFUSED(fd_seek(fd, (u64)-1, 0, &position));
  fd_seek(fd, 0, 0, &position);
  REFUSED(fd_seek(fd, (u64)-1, 1, &position));
  REFUSED(fd_seek(fd, (u64)-1000000, 2, &position));
  REFUSED(fd_seek(fd, 0, 3, &position));
  REFUSED(fd_seek(fd, 0, 0xffffffff, &position));
  REFUSED(fd_seek(fd, 0, 0x100, &position));
  REFUSED(fd_advise(fd, 0, 1, 6));
  REFUSED(fd_advise(fd, 0, 1, 0xffffffff));
  REFUSED(fd_allocate(fd, 0, 0));
  REFUSED(fd_filestat_set_times(fd, 1, 1, 3));       // both "this time" and "now"
  REFUSED(fd_filestat_set_times(fd, 1, 1, 0xffff));
  // far, but for a 64-bit number that JavaScript does not hold exactly
  fd_filestat_get(fd, size);
  NEVER(size[4] != before);
  for (u32 fd2 = 0; fd2 < 3; fd2++) {
    REFUSED(fd_seek(fd2, 0, 0, &position));
    REFUSED(fd_tell(fd2, &position));
    REFUSED(fd_pread(fd2, &iov, 1, 0, &got));
    REFUSED(fd_filestat_set_size(fd2, 0));
    REFUSED(fd_allocate(fd2, 0, 1));
  }
}

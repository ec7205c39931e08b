// A loop in which next to nothing but the host works, by the argument.
#include "wasi.h"

static u8 block[1 << 16];

static void attack(void) {
  u32 box = mount("/box"), fd = NONE, got;
  u64 number;
  struct iovec iov = {block, sizeof block};
  char path[4000];
  for (u32 at = 0; at < sizeof path; at += 2) path[at] = '.', path[at + 1] = '/';
  open_at(box, "in.txt", 0, CAN_ALL, &fd);
  if (argument_is("yield")) for (;;) sched_yield();
  if (argument_is("clock")) for (;;) clock_time_get(1, 0, &number);
  if (argument_is("random")) for (;;) random_get(block, sizeof block);
  if (argument_is("stdin")) for (;;) fd_read(0, &iov, 1, &got);
  if (argument_is("stat")) for (;;) path_filestat_get(box, 0, TEXT("sub/file.txt"), block);
  if (argument_is("path")) for (;;) path_filestat_get(box, 0, path, sizeof path, block);
  if (argument_is("denied")) for (;;) path_filestat_get(box, 0, TEXT("../outside"), block);
  if (argument_is("open")) for (;;) if (!open_at(box, "in.txt", 0, CAN_READ, &fd)) fd_close(fd);
  if (argument_is("readdir")) for (;;) fd_readdir(box, block, sizeof block, 0, &got);
  if (argument_is("read")) for (;;) fd_pread(fd, &iov, 1, 0, &got);
  if (argument_is("empty")) for (;;) put(fd, block, 0);
  if (argument_is("badf")) for (;;) fd_close(NONE);
  if (argument_is("seek")) for (;;) fd_seek(fd, 0, 0, &number);
  if (argument_is("sync")) for (;;) fd_sync(fd);
  if (argument_is("touch")) for (;;) fd_filestat_set_times(fd, 1, 1, SET_MTIM);
  if (argument_is("rename")) for (;;) {
    path_rename(box, TEXT("in.txt"), box, TEXT("on.txt"));
    path_rename(box, TEXT("on.txt"), box, TEXT("in.txt"));
  }
  escaped("a loop that ended");
}

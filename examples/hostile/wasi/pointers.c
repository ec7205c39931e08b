// Every pointer of every function, at the end of memory and beyond: a number, and no byte else.
#include "wasi.h"

static u8 low[64];
static u32 box, fd;

static void *bad[] = {(void *)0xffffffff, (void *)0xfffffff0, (void *)0x80000000, 0, 0, 0};

static void outputs(void *at) {
  u32 got;
  REFUSED(args_sizes_get(at, &got));
  REFUSED(args_sizes_get(&got, at));
  REFUSED(environ_sizes_get(at, &got));
  REFUSED(environ_sizes_get(&got, at));
  REFUSED(clock_res_get(1, at));
  REFUSED(clock_time_get(1, 0, at));
  REFUSED(fd_fdstat_get(fd, at));
  REFUSED(fd_filestat_get(fd, at));
  REFUSED(fd_prestat_get(box, at));
  REFUSED(fd_prestat_dir_name(box, at, 4));
  REFUSED(fd_seek(fd, 0, 0, at));
  REFUSED(fd_tell(fd, at));
  REFUSED(fd_readdir(box, at, 256, 0, &got));
  REFUSED(path_filestat_get(box, 0, TEXT("in.txt"), at));
  REFUSED(path_open(box, 0, TEXT("in.txt"), 0, CAN_READ, 0, 0, at));
  REFUSED(random_get(at, 16));
  REFUSED(poll_oneoff(at, low, 1, &got));
}

static void inputs(ptr at, u32 size) {
  u8 stat[64];
  u32 opened;
  REFUSED(path_open(box, 0, at, size, 0, CAN_READ, 0, 0, &opened));
  REFUSED(path_filestat_get(box, 0, at, size, stat));
  REFUSED(path_filestat_set_times(box, 0, at, size, 1, 1, SET_MTIM));
  REFUSED(path_create_directory(box, at, size));
  REFUSED(path_remove_directory(box, at, size));
  REFUSED(path_unlink_file(box, at, size));
  REFUSED(path_rename(box, at, size, box, TEXT("x")));
  REFUSED(path_rename(box, TEXT("in.txt"), box, at, size));
  REFUSED(path_link(box, 0, at, size, box, TEXT("x")));
  REFUSED(path_link(box, 0, TEXT("in.txt"), box, at, size));
  REFUSED(path_symlink(at, size, box, TEXT("x")));
  REFUSED(path_symlink(TEXT("in.txt"), box, at, size));
  REFUSED(path_readlink(box, at, size, stat, sizeof stat, &opened));
}

static void attack(void) {
  u32 got;
  u8 *end = memory_end();
  box = mount("/box");
  if (open_at(box, "in.txt", 0, CAN_ALL, &fd)) return;
  memset(low, 0x5a, sizeof low);
  bad[3] = end;
  bad[4] = end - 1;
  bad[5] = end - 3;
  for (u32 index = 0; index < sizeof bad / sizeof *bad; index++) {
    outputs(bad[index]);
    inputs(bad[index], 8);
  }
  inputs("in.txt", 0xffffffff);
  inputs("in.txt", 0x80000000);
  inputs((ptr)0xfffffffe, 4);
  inputs((ptr)0xffffffff, 0xffffffff);
  REFUSED(random_get(low, 0xffffffff));
  REFUSED(random_get(low, 0x80000000));
  REFUSED(random_get(end - 8, 9));
  REFUSED(fd_readdir(box, low, 0xffffffff, 0, &got));
  REFUSED(fd_readdir(box, end - 8, 64, 0, &got));
  fd_readdir(box, low, 0, 0, end);
  args_get(end, low);
  args_get((void *)0xfffffffc, end);
  environ_get((void *)0xfffffffc, end);
  environ_get(end - 2, end - 2);
  for (u32 at = 0; at < sizeof low; at++) NEVER(low[at] != 0x5a);
  // the very last bytes are the guest's own
  NEVER(clock_time_get(1, 0, end - 8) == E_FAULT);
  NEVER(random_get(end - 8, 8) == E_FAULT);
  NEVER(fd_fdstat_get(fd, end - 24) == E_FAULT);
}

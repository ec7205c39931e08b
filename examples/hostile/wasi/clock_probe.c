// Time finer than was granted: of the clocks, their resolution, the CPU, the times of files.
// The argument is the granted step in nanoseconds.
#include "wasi.h"

static u64 step;

static void check_file(u32 fd) {
  u64 stat[8];
  if (fd_filestat_get(fd, stat)) return;
  for (u32 index = 5; index < 8; index++) NEVER(stat[index] % step);
}

static void attack(void) {
  for (const char *digit = argument(1); *digit; digit++) step = step * 10 + (u64)(*digit - '0');
  if (!step) step = 1;
  for (u32 id = 0; id < 4; id++) {
    u64 last = 0, now, resolution;
    if (!clock_res_get(id, &resolution)) NEVER(resolution < step);
    for (u32 turn = 0; turn < 20000; turn++) {
      if (clock_time_get(id, turn % 3, &now)) break;
      NEVER(now % step);
      NEVER(turn && now != last && now - last < step && now > last);
      NEVER(turn && id == 1 && now < last);
      last = now;
      if (escapes) return;
    }
  }
  for (u32 id = 4; id < 300; id++) REFUSED(clock_time_get(id, 0, &step));
  REFUSED(clock_time_get(0xffffffff, 0, &step));
  REFUSED(clock_res_get(0x80000000, &step));
  u32 box = mount("/box"), fd;
  if (!open_at(box, "in.txt", 0, CAN_ALL, &fd)) {
    put(fd, "x", 1);
    check_file(fd);
    fd_filestat_set_times(fd, 0, 0, SET_ATIM << 1 | SET_MTIM << 1);  // "now" on both
    check_file(fd);
  }
}

// From one mount to another: rename, link and symlink, with a right on one end only.
#include "wasi.h"

static void attack(void) {
  u32 box = mount("/box"), ro = mount("/ro"), tmp = mount("/tmp"), fd;
  u8 stat[64];
  for (u32 lookup = 0; lookup < 2; lookup++) {
    REFUSED(path_link(ro, lookup, TEXT("ro.txt"), box, TEXT("hard.txt")));
    REFUSED(path_link(box, lookup, TEXT("in.txt"), ro, TEXT("hard.txt")));
    REFUSED(path_link(ro, lookup, TEXT("ro.txt"), tmp, TEXT("hard.txt")));
    REFUSED(path_link(tmp, lookup, TEXT("tmp.txt"), ro, TEXT("hard.txt")));
    REFUSED(path_link(box, lookup, TEXT("sub"), box, TEXT("hard-dir")));
  }
  REFUSED(path_rename(ro, TEXT("ro.txt"), box, TEXT("taken.txt")));
  REFUSED(path_rename(ro, TEXT("ro.txt"), tmp, TEXT("taken.txt")));
  REFUSED(path_rename(box, TEXT("in.txt"), ro, TEXT("given.txt")));
  REFUSED(path_rename(box, TEXT("in.txt"), ro, TEXT("ro.txt")));
  REFUSED(path_rename(tmp, TEXT("tmp.txt"), ro, TEXT("ro.txt")));
  REFUSED(path_rename(ro, TEXT("sub"), box, TEXT("taken")));
  REFUSED(path_rename(box, TEXT("sub"), ro, TEXT("sub")));
  REFUSED(path_rename(box, TEXT("../ro/ro.txt"), box, TEXT("taken.txt")));
  REFUSED(path_link(box, 0, TEXT("../ro/ro.txt"), box, TEXT("hard.txt")));
  REFUSED(path_rename(box, TEXT("in.txt"), box, TEXT("../ro/ro.txt")));
  path_symlink(TEXT("../ro/ro.txt"), box, TEXT("to-ro"));
  path_symlink(TEXT("/ro/ro.txt"), box, TEXT("to-ro2"));
  REFUSED(path_open(box, FOLLOW, TEXT("to-ro"), TRUNCATE, CAN_WRITE, 0, 0, &fd));
  REFUSED(path_open(box, FOLLOW, TEXT("to-ro2"), TRUNCATE, CAN_WRITE, 0, 0, &fd));
  REFUSED(path_filestat_set_times(box, FOLLOW, TEXT("to-ro"), 1, 1, SET_MTIM));
  // between two that may both be written: as one likes, but no half of it
  int moved = !path_rename(box, TEXT("in.txt"), tmp, TEXT("moved.txt"));
  int there = !path_filestat_get(tmp, 0, TEXT("moved.txt"), stat);
  int here = !path_filestat_get(box, 0, TEXT("in.txt"), stat);
  if (box != tmp && mount("/box") < 64) NEVER(moved != there || moved == here);
  // descriptors of one mount with paths of another
  if (!open_at(ro, "sub", DIRECTORY, CAN_ALL, &fd)) {
    REFUSED(path_rename(box, TEXT("sub/file.txt"), fd, TEXT("planted.txt")));
    REFUSED(path_rename(fd, TEXT("below.txt"), box, TEXT("taken.txt")));
    REFUSED(path_link(fd, 0, TEXT("below.txt"), box, TEXT("taken.txt")));
  }
}

// A name in the mount for a file that lies outside as well: it may be read, as it is in the mount,
// but what is written would be written outside.
#include "wasi.h"

static void attack(void) {
  u32 box = mount("/box"), fd;
  REFUSED(path_open(box, 0, TEXT("hard.txt"), TRUNCATE, CAN_WRITE, 0, 0, &fd));
  if (!open_at(box, "hard.txt", 0, CAN_ALL, &fd)) {
    NEVER(!put(fd, "X", 1));
    REFUSED(fd_filestat_set_size(fd, 0));
    REFUSED(fd_allocate(fd, 0, 1 << 16));
  }
  if (!open_at(box, "hard.txt", 0, CAN_WRITE, &fd)) NEVER(!put(fd, "X", 1));
}

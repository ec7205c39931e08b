// Paths and output that would forge lines of a log, clear a terminal or end a string.
#include "wasi.h"

static void attack(void) {
  static const char *const paths[] = {
      "../x\n{\"decision\":\"allowed\",\"operation\":\"filesystem.write\"}", "../\r\x1b[2J\x1b[H",
      "../\x1b]0;owned\x07", "../\xe2\x80\xa8\xe2\x80\xa9", "../\xe2\x80\xae" "gpj.exe",
      "../\xc2\x9b" "31m", "../\x7f\x08\x08\x08", "/\n\n", "../${process.exit()}`", "../\"},{\"",
      "../__proto__", "../constructor",
  };
  u32 box = mount("/box"), fd;
  for (u32 index = 0; index < sizeof paths / sizeof *paths; index++) {
    const char *path = paths[index];
    REFUSED(open_at(box, path, 0, CAN_READ, &fd));
    REFUSED(open_at(box, path, CREATE, CAN_WRITE, &fd));
    // within the mount the same names are names
    const char *name = path + (path[0] == '/' ? 1 : 3);
    if (length_of(name) && !path_create_directory(box, name, length_of(name))) {
      path_remove_directory(box, name, length_of(name));
    }
  }
}

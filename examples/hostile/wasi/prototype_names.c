// Names that mean something to the language that the host is written in.
#include "wasi.h"

static void attack(void) {
  static const char *const names[] = {"__proto__", "constructor", "prototype", "toString",
                                      "hasOwnProperty", "valueOf", "then", "length", "-0", "null",
                                      "undefined", "NaN", "__defineGetter__", "0", "4294967295"};
  u32 box = mount("/box"), fd;
  u8 stat[64];
  for (u32 index = 0; index < sizeof names / sizeof *names; index++) {
    const char *name = names[index];
    u32 size = length_of(name);
    // they are not there until they are made, and hold what was put there
    REFUSED(path_filestat_get(box, 0, name, size, stat));
    REFUSED(path_open(box, 0, name, size, DIRECTORY, CAN_READDIR, 0, 0, &fd));
    REFUSED(path_unlink_file(box, name, size));
    REFUSED(path_remove_directory(box, name, size));
    if (path_create_directory(box, name, size)) continue;
    NEVER(path_filestat_get(box, 0, name, size, stat) || stat[16] != 3);
    REFUSED(path_create_directory(box, name, size));
    if (!path_open(box, 0, name, size, DIRECTORY, CAN_BROWSE, CAN_ALL, 0, &fd)) {
      REFUSED(path_filestat_get(fd, 0, name, size, stat));
      NEVER(!make_file(fd, name));
      NEVER(path_unlink_file(fd, name, size));
      fd_close(fd);
    }
    NEVER(path_remove_directory(box, name, size));
  }
}

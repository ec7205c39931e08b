// What the facts about a file tell of the host: numbers of devices and files, links, times.
// Prints every number, and the host looks for its own among them.
#include "wasi.h"

static u64 stat[8];

static void tell(const char *what) {
  say(what);
  for (u32 index = 0; index < 8; index++) {
    // type and padding share a word
    if (index == 2) NEVER(stat[2] >> 8 != 0 && stat[2] >> 8 != 0xaaaaaaaaaaaaaa);
    say(" ");
    say_number(index == 2 ? stat[2] & 0xff : stat[index]);
  }
  say("\n");
}

static void attack(void) {
  static const char *const mounts[] = {"/box", "/ro", "/tmp"};
  static const char *const paths[] = {".", "in.txt", "ro.txt", "sub", "sub/file.txt"};
  u8 entries[1024];
  for (u32 at = 0; at < 3; at++) {
    u32 dir = mount(mounts[at]), fd, used;
    for (u32 index = 0; index < sizeof paths / sizeof *paths; index++) {
      const char *path = paths[index];
      memset(stat, 0xaa, sizeof stat);
      if (!path_filestat_get(dir, 0, path, length_of(path), stat)) tell("path");
      memset(stat, 0xaa, sizeof stat);
      if (!open_at(dir, path, 0, CAN_READ, &fd) && !fd_filestat_get(fd, stat)) tell("fd");
    }
    if (fd_readdir(dir, entries, sizeof entries, 0, &used)) continue;
    for (u32 entry = 0; entry + 24 <= used;) {
      u64 inode;
      u32 length;
      memcpy(&inode, entries + entry + 8, 8);
      memcpy(&length, entries + entry + 16, 4);
      say("entry ");
      say_number(inode);
      say("\n");
      entry += 24 + length;
    }
  }
  for (u32 fd = 0; fd < 3; fd++) {
    memset(stat, 0xaa, sizeof stat);
    if (!fd_filestat_get(fd, stat)) tell("stream");
  }
}

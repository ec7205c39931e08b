// Listings with senseless cookies and small buffers; entries that change meanwhile; padding.
#include "wasi.h"

static u8 buffer[4096];

static int untouched(u32 from, u32 to) {
  for (; from < to; from++) {
    if (buffer[from] != 0xaa) return 0;
  }
  return 1;
}

static void attack(void) {
  static const u64 cookies[] = {~(u64)0, (u64)1 << 63, ((u64)1 << 63) - 1, (u64)1 << 53, 1 << 20,
                                0xffffffff, (u64)1 << 32, 1000};
  u32 box = mount("/box"), used, fd;
  for (u32 index = 0; index < sizeof cookies / sizeof *cookies; index++) {
    used = 0;
    if (!fd_readdir(box, buffer, sizeof buffer, cookies[index], &used)) NEVER(used != 0);
  }
  // every size: never more than was offered, and nothing behind it
  for (u32 size = 0; size < 128; size++) {
    memset(buffer, 0xaa, sizeof buffer);
    if (fd_readdir(box, buffer, size, 0, &used)) continue;
    NEVER(used > size);
    NEVER(!untouched(size, sizeof buffer));
  }
  // what lies between the fields is nobody's: zero, or as it was
  memset(buffer, 0xaa, sizeof buffer);
  if (!fd_readdir(box, buffer, sizeof buffer, 0, &used)) {
    NEVER(!untouched(used, sizeof buffer));
    for (u32 at = 0; at + 24 <= used;) {
      u32 length;
      memcpy(&length, buffer + at + 16, 4);
      for (u32 pad = at + 21; pad < at + 24; pad++) NEVER(buffer[pad] != 0 && buffer[pad] != 0xaa);
      NEVER(length > 255);
      if (length > 255) break;
      at += 24 + length;
    }
    NEVER(holds(buffer, used, "outside"));
  }
  // entries come and go while they are read, one at a time
  u64 cookie = 0;
  char name[] = "flux0";
  for (u32 turn = 0; turn < 200; turn++) {
    name[4] = (char)('0' + turn % 10);
    if (turn % 3) make_file(box, name);
    else path_unlink_file(box, name, 5);
    u8 one[300];
    if (fd_readdir(box, one, sizeof one, cookie, &used) || used < 24) cookie = 0;
    else memcpy(&cookie, one, 8);
  }
  // a directory that is gone
  path_create_directory(box, TEXT("gone"));
  if (!open_at(box, "gone", DIRECTORY, CAN_ALL, &fd)) {
    path_remove_directory(box, TEXT("gone"));
    fd_readdir(fd, buffer, sizeof buffer, 0, &used);
    fd_readdir(fd, buffer, sizeof buffer, 2, &used);
    NEVER(make_file(fd, "risen.txt") && path_unlink_file(fd, TEXT("risen.txt")));
  }
}

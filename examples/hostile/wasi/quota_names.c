// Names as long as they may be and longer, and directories within directories.
#include "wasi.h"

static char name[5000];

static void attack(void) {
  u32 box = mount("/box"), at = box, next;
  memset(name, 'n', sizeof name);
  path_create_directory(box, name, 255);
  REFUSED(path_create_directory(box, name, 256));
  REFUSED(path_create_directory(box, name, 5000));
  REFUSED(path_open(box, 0, name, 300, CREATE, CAN_WRITE, 0, 0, &next));
  // 128 letters of two bytes: the system counts bytes
  for (u32 index = 0; index < 256; index += 2) memcpy(name + index, "\xc3\xa4", 2);
  REFUSED(path_create_directory(box, name, 256));
  memset(name, 'd', 200);
  // deeper than any path may be long; the host must be able to remove it
  for (u32 depth = 0; depth < 500; depth++) {
    if (path_create_directory(at, name, 200)) break;
    if (path_open(at, 0, name, 200, DIRECTORY, CAN_BROWSE, CAN_ALL, 0, &next)) break;
    if (at != box) fd_close(at);
    at = next;
  }
  try_read(at, TEXT("../outside/secret.txt"));
  // "d/d/d/…" in one path: many components
  for (u32 index = 0; index < 4096; index += 2) name[index] = '.', name[index + 1] = '/';
  u8 stat[64];
  path_filestat_get(box, 0, name, 4096, stat);
}

// Links without end: loops, chains of more than 40, and targets that multiply.
#include "wasi.h"

static char name[2] = "a", next[2], target[4000];

static void attack(void) {
  u32 box = mount("/box"), fd, links = 0;
  u8 stat[64];
  int looped = !path_symlink(TEXT("self"), box, TEXT("self"));
  path_symlink(TEXT("ping"), box, TEXT("pong"));
  path_symlink(TEXT("pong"), box, TEXT("ping"));
  path_symlink(TEXT("./sub/../turn/x"), box, TEXT("turn"));
  REFUSED(path_open(box, FOLLOW, TEXT("self"), 0, CAN_READ, 0, 0, &fd));
  if (looped) REFUSED(path_open(box, FOLLOW, TEXT("self"), CREATE, CAN_WRITE, 0, 0, &fd));
  REFUSED(path_filestat_get(box, FOLLOW, TEXT("ping"), stat));
  REFUSED(path_open(box, FOLLOW, TEXT("turn"), 0, CAN_READ, 0, 0, &fd));
  REFUSED(path_create_directory(box, TEXT("self/x")));
  REFUSED(path_create_directory(box, TEXT("ping/x")));

  // a chain of 80 links to a file that exists: too many
  char to[] = "chain00", from[] = "chain00";
  path_symlink(TEXT("in.txt"), box, TEXT("chain00"));
  for (u32 index = 1; index < 80; index++) {
    memcpy(to, from, sizeof to);
    from[5] = (char)('0' + index / 10);
    from[6] = (char)('0' + index % 10);
    if (!path_symlink(to, 7, box, from, 7)) links++;
  }
  REFUSED(path_open(box, FOLLOW, from, 7, 0, CAN_READ, 0, 0, &fd));

  // each of twenty-four names a target of a thousand times the one before
  path_symlink(TEXT("."), box, TEXT("a"));
  for (char letter = 'b'; letter < 'y'; letter++) {
    next[0] = letter;
    u32 size = 0;
    for (; size + 2 < sizeof target; size += 2) {
      target[size] = name[0];
      target[size + 1] = '/';
    }
    path_symlink(target, size, box, next, 1);
    name[0] = letter;
  }
  path_filestat_get(box, FOLLOW, TEXT("x"), stat);
  path_open(box, FOLLOW, TEXT("x/x/x/x/in.txt"), 0, CAN_READ, 0, 0, &fd);
  try_read(box, TEXT("x/../outside/secret.txt"));
  // the host must not have to clean up what it cannot walk
  static const char *const made[] = {"self", "ping", "pong", "turn"};
  for (u32 index = 0; index < 4; index++) path_unlink_file(box, made[index], 4);
}

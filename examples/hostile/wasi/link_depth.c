// A link that stays inside where it was made, carried to where it leads out: by renaming the
// directory that holds it, by renaming or linking the link, by swapping what it passes through.
#include "wasi.h"

static void attack(void) {
  u32 box = mount("/box"), deep = NONE, fd;
  u8 stat[64];
  path_create_directory(box, TEXT("a"));
  path_create_directory(box, TEXT("a/b"));
  path_create_directory(box, TEXT("a/b/c"));
  path_symlink(TEXT("../../../in.txt"), box, TEXT("a/b/c/file"));
  path_symlink(TEXT("../../.."), box, TEXT("a/b/c/top"));
  path_symlink(TEXT("../../../outside"), box, TEXT("a/b/c/side"));
  open_at(box, "a/b/c", DIRECTORY, CAN_ALL, &deep);

  // up with the directory: now "c/top" is two levels above the mount
  path_rename(box, TEXT("a/b/c"), box, TEXT("c"));
  static const char *const dirs[] = {"", "c/", "d/", "a/b/"};
  static const char *const paths[] = {"top", "top/", "top/etc/passwd", "top/outside/secret.txt",
                                      "top/../outside/secret.txt", "side/secret.txt", "file",
                                      "side", "side/", "top/passwd"};
  static char path[64];
  for (u32 round = 0; round < 3; round++) {
    for (u32 dir = 0; dir < sizeof dirs / sizeof *dirs; dir++) {
      for (u32 index = 0; index < sizeof paths / sizeof *paths; index++) {
        u32 stem = length_of(dirs[dir]), size = stem + length_of(paths[index]);
        memcpy(path, dirs[dir], stem);
        memcpy(path + stem, paths[index], size - stem);
        try_read(box, path, size);
        try_read(deep, paths[index], size - stem);
      }
    }
    REFUSED(path_create_directory(deep, TEXT("top/outside/made")));
    REFUSED(path_create_directory(box, TEXT("c/top/outside/made")));
    REFUSED(path_open(box, FOLLOW, TEXT("c/top/outside/made"), CREATE, CAN_WRITE, 0, 0, &fd));
    if (round == 0) path_rename(box, TEXT("c/top"), box, TEXT("top"));
    if (round == 0) path_link(box, 0, TEXT("c/side"), box, TEXT("side"));
    if (round == 1) path_rename(box, TEXT("c"), box, TEXT("d"));
  }

  // through a directory that becomes a link, and the other way about
  path_create_directory(box, TEXT("pass"));
  path_create_directory(box, TEXT("pass/on"));
  path_symlink(TEXT("pass/on/../../in.txt"), box, TEXT("via"));
  path_remove_directory(box, TEXT("pass/on"));
  path_symlink(TEXT(".."), box, TEXT("pass/on"));
  try_read(box, TEXT("via"));
  path_symlink(TEXT("pass/on/../outside/secret.txt"), box, TEXT("via2"));
  try_read(box, TEXT("via2"));
  path_symlink(TEXT("pass/on/../../outside/secret.txt"), box, TEXT("via3"));
  try_read(box, TEXT("via3"));
  NEVER(!path_filestat_get(box, FOLLOW, TEXT("pass/on/.."), stat) && !mount("/box"));
}

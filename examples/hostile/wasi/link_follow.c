// Links that lie in the mount already and lead out of it, through every function that walks.
//
// abs -> /etc/passwd, rel -> ../outside/secret.txt, dir -> the outside by its absolute path,
// updir -> ../outside, proc -> /proc/self/root, loop -> loop, first -> second -> rel,
// sub/up -> .., sub/over -> ../.., dangling -> ../outside/created.txt, good -> in.txt
#include "wasi.h"

static const char *const PATHS[] = {
    "abs", "abs/", "abs/.", "rel", "rel/", "rel//", "first", "second", "loop", "loop/x",
    "dir/secret.txt", "dir//secret.txt", "dir/./secret.txt", "dir/../outside/secret.txt",
    "dir", "dir/", "dir/.", "updir", "updir/", "updir/secret.txt", "updir/../outside/secret.txt",
    "proc/etc/passwd", "proc/", "sub/up/dir/secret.txt", "sub/up/../outside/secret.txt",
    "sub/over/outside/secret.txt", "sub/over", "sub/over/", "sub/over/../etc/passwd",
    "sub/up/sub/up/rel", "good/../../outside/secret.txt", "good/../rel",
};

static void attack(void) {
  u32 box = mount("/box"), fd;
  u8 stat[64], text[256];
  for (u32 index = 0; index < sizeof PATHS / sizeof *PATHS; index++) {
    try_read(box, PATHS[index], length_of(PATHS[index]));
  }
  for (u32 lookup = 0; lookup < 2; lookup++) {
    REFUSED(path_open(box, lookup, TEXT("dangling"), CREATE, CAN_WRITE, 0, 0, &fd));
    REFUSED(path_open(box, lookup, TEXT("dangling"), CREATE | TRUNCATE, CAN_WRITE, 0, 0, &fd));
    REFUSED(path_open(box, lookup, TEXT("dangling/"), CREATE, CAN_WRITE, 0, 0, &fd));
    REFUSED(path_open(box, lookup, TEXT("rel"), TRUNCATE, CAN_WRITE, 0, 0, &fd));
    REFUSED(path_open(box, lookup, TEXT("rel"), 0, CAN_WRITE, 0, APPEND, &fd));
    REFUSED(path_open(box, lookup, TEXT("dir"), DIRECTORY, CAN_BROWSE, CAN_ALL, 0, &fd));
    REFUSED(path_open(box, lookup, TEXT("dir/"), DIRECTORY, CAN_BROWSE, CAN_ALL, 0, &fd));
    REFUSED(path_open(box, lookup, TEXT("updir/."), DIRECTORY, CAN_BROWSE, CAN_ALL, 0, &fd));
    REFUSED(path_open(box, lookup, TEXT("dir/new.txt"), CREATE, CAN_WRITE, 0, 0, &fd));
    REFUSED(path_filestat_get(box, lookup, TEXT("updir/secret.txt"), stat));
    REFUSED(path_filestat_get(box, lookup, TEXT("dir/"), stat));
    REFUSED(path_filestat_set_times(box, lookup, TEXT("dir/victim.txt"), 1, 1, SET_MTIM));
    REFUSED(path_link(box, lookup, TEXT("dir/secret.txt"), box, TEXT("hard1")));
  }
  NEVER(!path_filestat_get(box, FOLLOW, TEXT("abs"), stat) && stat[16] == 4);
  REFUSED(path_filestat_get(box, FOLLOW, TEXT("rel"), stat));
  REFUSED(path_filestat_set_times(box, FOLLOW, TEXT("rel"), 1, 1, SET_MTIM));
  REFUSED(path_link(box, FOLLOW, TEXT("rel"), box, TEXT("hard2")));
  REFUSED(path_create_directory(box, TEXT("dir/made")));
  REFUSED(path_create_directory(box, TEXT("dangling")));
  REFUSED(path_create_directory(box, TEXT("dangling/")));
  REFUSED(path_remove_directory(box, TEXT("dir/vdir")));
  REFUSED(path_remove_directory(box, TEXT("updir/")));
  REFUSED(path_unlink_file(box, TEXT("dir/victim.txt")));
  REFUSED(path_unlink_file(box, TEXT("rel/")));
  REFUSED(path_rename(box, TEXT("in.txt"), box, TEXT("dir/moved.txt")));
  REFUSED(path_rename(box, TEXT("dir/victim.txt"), box, TEXT("stolen.txt")));
  REFUSED(path_rename(box, TEXT("dir/"), box, TEXT("dir2")));
  REFUSED(path_rename(box, TEXT("sub"), box, TEXT("updir/")));
  REFUSED(path_symlink(TEXT("x"), box, TEXT("dir/planted")));
  REFUSED(path_readlink(box, TEXT("dir/link"), text, sizeof text, &fd));
  // what a link says about the host is not the guest's to know
  NEVER(!path_readlink(box, TEXT("dir"), text, sizeof text, &fd) && text[0] == '/');
}

// Paths that lead up and out, through every function that takes one.
#include "wasi.h"

static const char *const SECRETS[] = {
    "../outside/secret.txt", "sub/../../outside/secret.txt", "./../outside/secret.txt",
    "sub/.././../outside/secret.txt", "sub/deep/../../../outside/secret.txt",
    "missing/../../outside/secret.txt", "in.txt/../../outside/secret.txt",
    "sub/./.././../outside/./secret.txt", "..//outside//secret.txt", "/../outside/secret.txt",
    "/etc/passwd", "//etc/passwd", "///etc///passwd", "/../etc/passwd", "/./etc/passwd",
    "../../../../../../../../../../etc/passwd", "sub/../../../../../../../etc/passwd",
    "/box/../outside/secret.txt", "box/../../outside/secret.txt", "/ro/../outside/secret.txt",
    "../ro/../outside/secret.txt", "..", "../", "../.", "./..", "sub/../..", "/", "//", "/.", "/..",
};

static void climb(u32 dir) {
  u32 fd;
  u8 stat[64], text[64];
  for (u32 index = 0; index < sizeof SECRETS / sizeof *SECRETS; index++) {
    try_read(dir, SECRETS[index], length_of(SECRETS[index]));
  }
  REFUSED(open_at(dir, "../outside/new.txt", CREATE, CAN_WRITE, &fd));
  REFUSED(open_at(dir, "../outside/new.txt", CREATE | EXCLUSIVE, CAN_READ, &fd));
  REFUSED(open_at(dir, "../outside/victim.txt", TRUNCATE, CAN_WRITE, &fd));
  REFUSED(path_filestat_get(dir, 0, TEXT("../outside/secret.txt"), stat));
  REFUSED(path_filestat_get(dir, FOLLOW, TEXT("../outside/secret.txt"), stat));
  REFUSED(path_filestat_get(dir, 0, TEXT(".."), stat));
  REFUSED(path_filestat_set_times(dir, FOLLOW, TEXT("../outside/victim.txt"), 1, 1, SET_MTIM));
  REFUSED(path_create_directory(dir, TEXT("../outside/made")));
  REFUSED(path_create_directory(dir, TEXT("sub/../../outside/made")));
  REFUSED(path_remove_directory(dir, TEXT("../outside/vdir")));
  REFUSED(path_unlink_file(dir, TEXT("../outside/victim.txt")));
  REFUSED(path_rename(dir, TEXT("in.txt"), dir, TEXT("../outside/moved.txt")));
  REFUSED(path_rename(dir, TEXT("../outside/secret.txt"), dir, TEXT("stolen.txt")));
  REFUSED(path_rename(dir, TEXT(".."), dir, TEXT("up")));
  REFUSED(path_link(dir, 0, TEXT("../outside/secret.txt"), dir, TEXT("hard.txt")));
  REFUSED(path_link(dir, 0, TEXT("in.txt"), dir, TEXT("../outside/hard.txt")));
  REFUSED(path_symlink(TEXT("secret.txt"), dir, TEXT("../outside/planted")));
  REFUSED(path_readlink(dir, TEXT("../outside/link"), text, sizeof text, &fd));
}

static void attack(void) {
  u32 box = mount("/box"), fd;
  climb(box);
  climb(mount("/ro"));
  // a directory of its own must be no way up either
  if (!open_at(box, "sub", DIRECTORY, CAN_ALL, &fd)) {
    climb(fd);
    try_read(fd, TEXT("../../outside/secret.txt"));
    try_read(fd, TEXT("../../../../../../../../../etc/passwd"));
    REFUSED(path_create_directory(fd, TEXT("../../outside/made")));
    REFUSED(path_rename(fd, TEXT("../in.txt"), fd, TEXT("../../outside/moved.txt")));
    fd_close(fd);
  }
  // nor what is no directory
  for (fd = 0; fd < 3; fd++) climb(fd);
  if (!open_at(box, "in.txt", 0, CAN_ALL, &fd)) climb(fd);
}

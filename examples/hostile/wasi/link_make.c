// Links that the guest makes itself, then walks. With "refuse" none may come to be.
#include "wasi.h"

static const char *const TARGETS[] = {
    "/etc/passwd", "//etc/passwd", "/", "..", "../", "../outside", "../outside/secret.txt",
    "../../../../../../../etc/passwd", "./../outside/secret.txt", "sub/../../outside/secret.txt",
    "sub/up/../../outside/secret.txt", "missing/../../outside/secret.txt", "/proc/self/root",
    "/proc/self/cwd", "/dev/zero", "/box/../outside/secret.txt", "..\\outside\\secret.txt", "",
    "a/../../outside/secret.txt", "sub/../..",
};

static void walk(u32 dir, const char *link) {
  static char path[128];
  static const char *const rests[] = {"", "/", "/.", "/secret.txt", "/outside/secret.txt",
                                      "/etc/passwd", "/../outside/secret.txt"};
  u32 fd, stem = length_of(link);
  for (u32 index = 0; index < sizeof rests / sizeof *rests; index++) {
    u32 size = stem + length_of(rests[index]);
    memcpy(path, link, stem);
    memcpy(path + stem, rests[index], size - stem + 1);
    try_read(dir, path, size);
  }
  memcpy(path + stem, "/planted.txt", 13);
  if (path_open(dir, FOLLOW, path, stem + 12, CREATE, CAN_WRITE, CAN_WRITE, 0, &fd) == 0) {
    put(fd, TEXT("planted"));  // the host looks whether it lies outside
    fd_close(fd);
  }
  path_create_directory(dir, path, stem + 12);
}

static void attack(void) {
  u32 box = mount("/box"), ro = mount("/ro"), fd;
  int refuse = argument_is("refuse");
  u32 sub = NONE;
  open_at(box, "sub", DIRECTORY, CAN_ALL, &sub);
  for (u32 index = 0; index < sizeof TARGETS / sizeof *TARGETS; index++) {
    const char *target = TARGETS[index];
    u32 size = length_of(target);
    int made = !path_symlink(target, size, box, TEXT("made"));
    NEVER(made && refuse);
    walk(box, "made");
    // a link that is right where it was made, one level higher or lower
    path_rename(box, TEXT("made"), box, TEXT("sub/made"));
    walk(sub, "made");
    path_link(box, 0, TEXT("sub/made"), box, TEXT("again"));
    path_link(box, FOLLOW, TEXT("sub/made"), box, TEXT("through"));
    walk(box, "again");
    walk(box, "through");
    path_rename(box, TEXT("sub/made"), box, TEXT("sub/deep/made"));
    walk(box, "sub/deep/made");
    path_unlink_file(box, TEXT("made"));
    path_unlink_file(box, TEXT("sub/made"));
    path_unlink_file(box, TEXT("sub/deep/made"));
    path_unlink_file(box, TEXT("again"));
    path_unlink_file(box, TEXT("through"));
    REFUSED(path_symlink(target, size, ro, TEXT("made")));
  }
  // create and truncate through a dangling link of its own
  if (!path_symlink(TEXT("../outside/created.txt"), box, TEXT("dangling"))) {
    REFUSED(path_open(box, FOLLOW, TEXT("dangling"), CREATE, CAN_WRITE, CAN_WRITE, 0, &fd));
  }
  path_open(box, 0, TEXT("dangling"), CREATE, CAN_WRITE, CAN_WRITE, 0, &fd);
}

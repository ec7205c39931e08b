// The root of a mount must stay what and where it is.
#include "wasi.h"

static const char *const ROOTS[] = {".", "./", "./.", "sub/..", "sub/../", "/", "", "sub/./../."};

static void attack(void) {
  static const char *const mounts[] = {"/box", "/ro", "/tmp"};
  u32 fd, other = mount("/tmp");
  for (u32 at = 0; at < 3; at++) {
    u32 dir = mount(mounts[at]);
    for (u32 index = 0; index < sizeof ROOTS / sizeof *ROOTS; index++) {
      const char *root = ROOTS[index];
      u32 size = length_of(root);
      REFUSED(path_remove_directory(dir, root, size));
      REFUSED(path_unlink_file(dir, root, size));
      REFUSED(path_rename(dir, root, size, dir, TEXT("renamed")));
      REFUSED(path_rename(dir, root, size, dir, TEXT("sub/renamed")));
      REFUSED(path_rename(dir, root, size, other, TEXT("renamed")));
      REFUSED(path_rename(dir, TEXT("sub"), dir, root, size));
      REFUSED(path_link(dir, 0, root, size, dir, TEXT("linked")));
      REFUSED(path_symlink(TEXT("sub"), dir, root, size));
      REFUSED(path_create_directory(dir, root, size));
      REFUSED(path_open(dir, 0, root, size, CREATE | EXCLUSIVE, CAN_WRITE, 0, 0, &fd));
      REFUSED(path_open(dir, 0, root, size, TRUNCATE, CAN_WRITE, 0, 0, &fd));
    }
    // a directory into itself
    path_create_directory(dir, TEXT("own"));
    path_create_directory(dir, TEXT("own/inner"));
    REFUSED(path_rename(dir, TEXT("own"), dir, TEXT("own/inner/own")));
    REFUSED(path_rename(dir, TEXT("own"), dir, TEXT("own/self")));
    path_remove_directory(dir, TEXT("own/inner"));
    path_remove_directory(dir, TEXT("own"));
  }
}

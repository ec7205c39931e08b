// A directory is opened, and then something else is put in its place.
#include "wasi.h"

static void probe(u32 fd) {
  u32 opened;
  u8 stat[64], text[64];
  try_read(fd, TEXT("secret.txt"));
  try_read(fd, TEXT("outside/secret.txt"));
  try_read(fd, TEXT("../outside/secret.txt"));
  try_read(fd, TEXT("etc/passwd"));
  try_read(fd, TEXT("passwd"));
  try_read(fd, TEXT("."));
  try_read(fd, TEXT(".."));
  if (leaks(fd)) escaped("listing of what took the place of a directory");
  fd_filestat_get(fd, stat);
  path_filestat_get(fd, 0, TEXT("victim.txt"), stat);
  REFUSED(path_unlink_file(fd, TEXT("victim.txt")));
  REFUSED(path_remove_directory(fd, TEXT("vdir")));
  REFUSED(path_readlink(fd, TEXT("link"), text, sizeof text, &opened));
  path_create_directory(fd, TEXT("made"));
  if (!open_at(fd, "made.txt", CREATE, CAN_WRITE, &opened)) fd_close(opened);
}

static void attack(void) {
  static const char *const targets[] = {"..", "../outside", "/etc", "/", "dir", "updir", "sub"};
  u32 box = mount("/box"), fd = NONE, inner = NONE;
  for (u32 index = 0; index < sizeof targets / sizeof *targets; index++) {
    const char *target = targets[index];
    path_create_directory(box, TEXT("swap"));
    path_create_directory(box, TEXT("swap/vdir2"));
    open_at(box, "swap", DIRECTORY, CAN_ALL, &fd);
    open_at(box, "swap/vdir2", DIRECTORY, CAN_ALL, &inner);
    path_rename(box, TEXT("swap"), box, TEXT("moved"));
    // a link of its own, or one that lies there and leads out
    if (path_symlink(target, length_of(target), box, TEXT("swap"))) {
      path_rename(box, target, length_of(target), box, TEXT("swap"));
    }
    probe(fd);
    probe(inner);
    // while it is listed: the second half of the entries comes from elsewhere
    u8 entries[32];
    u32 used;
    for (u64 cookie = 0; cookie < 8; cookie++) {
      if (fd_readdir(fd, entries, sizeof entries, cookie, &used)) continue;
      NEVER(holds(entries, sizeof entries, "secret"));
    }
    fd_close(fd);
    fd_close(inner);
    path_unlink_file(box, TEXT("swap"));
    path_remove_directory(box, TEXT("swap/made"));
    path_unlink_file(box, TEXT("moved/made.txt"));
    path_remove_directory(box, TEXT("moved/made"));
    path_remove_directory(box, TEXT("moved/vdir2/made"));
    path_unlink_file(box, TEXT("moved/vdir2/made.txt"));
    path_remove_directory(box, TEXT("moved/vdir2"));
    path_remove_directory(box, TEXT("moved"));
  }
  // a file that is removed and replaced while it is open
  u32 file = NONE;
  make_file(box, "held.txt");
  open_at(box, "held.txt", 0, CAN_READ | CAN_WRITE, &file);
  path_unlink_file(box, TEXT("held.txt"));
  path_symlink(TEXT("../outside/victim.txt"), box, TEXT("held.txt"));
  path_rename(box, TEXT("rel"), box, TEXT("held.txt"));
  if (leaks(file)) escaped("a file that was replaced");
  put(file, TEXT("overwritten"));
  fd_filestat_set_size(file, 0);
  fd_filestat_set_times(file, 1, 1, SET_MTIM);
}

// More rights than were given: asked for at opening, set afterwards, or had through a descendant.
#include "wasi.h"

struct fdstat {
  u8 type;
  u16 flags;
  u64 base, inheriting;
};

static void attack(void) {
  u32 box = mount("/box"), fd, inner, got;
  struct fdstat stat = {0};
  u8 byte[8];
  struct iovec iov = {byte, 1};

  // a directory whose files may only be read
  u64 browse = (u64)1 << 13 | CAN_READDIR;  // PATH_OPEN
  if (!open_at(box, "sub", DIRECTORY, CAN_ALL, &fd) &&
      !fd_fdstat_set_rights(fd, browse, CAN_READ)) {
    if (!path_open(fd, 0, TEXT("file.txt"), 0, CAN_WRITE, 0, 0, &inner)) {
      NEVER(!put(inner, "X", 1));
    }
    if (!path_open(fd, 0, TEXT("file.txt"), 0, CAN_READ, 0, 0, &inner)) {
      NEVER(!put(inner, "X", 1));
      fd_fdstat_set_rights(inner, CAN_READ | CAN_WRITE, 0);
      NEVER(!put(inner, "X", 1));
      REFUSED(fd_fdstat_set_rights(inner, ~(u64)0, ~(u64)0));
    }
    REFUSED(path_open(fd, 0, TEXT("file.txt"), TRUNCATE, CAN_READ, 0, 0, &inner));
    fd_close(fd);
  }
  // rights that were given up do not come back
  if (!open_at(box, "in.txt", 0, CAN_READ | CAN_WRITE, &fd)) {
    fd_fdstat_set_rights(fd, CAN_READ, 0);
    NEVER(!put(fd, "X", 1));
    REFUSED(fd_fdstat_set_rights(fd, CAN_READ | CAN_WRITE, 0));
    REFUSED(fd_fdstat_set_rights(fd, CAN_READ, CAN_READ));
    NEVER(!put(fd, "X", 1));
    fd_fdstat_get(fd, &stat);
    NEVER(stat.base & CAN_WRITE);
    fd_close(fd);
  }
  // neither reading nor writing
  if (!open_at(box, "in.txt", 0, (u64)1 << 21, &fd)) {
    REFUSED(fd_read(fd, &iov, 1, &got));
    REFUSED(fd_pread(fd, &iov, 1, 0, &got));
    NEVER(!put(fd, "X", 1));
  }
  if (!open_at(box, "in.txt", 0, CAN_WRITE, &fd)) {
    REFUSED(fd_read(fd, &iov, 1, &got));
    REFUSED(fd_pread(fd, &iov, 1, 0, &got));
  }
  // flags that nobody knows
  REFUSED(path_open(box, 0, TEXT("in.txt"), 0, CAN_READ, 0, 0xffff, &fd) ||
          fd_fdstat_get(fd, &stat) || (stat.flags & ~31u) == 0);
  path_open(box, 0xffffffff, TEXT("in.txt"), 0xffff, ~(u64)0, ~(u64)0, 0xffff, &fd);
  path_open(box, 2, TEXT("in.txt"), 0x10000, CAN_READ, 0, 0, &fd);
  // the standard streams
  for (fd = 0; fd < 3; fd++) fd_fdstat_set_rights(fd, CAN_ALL, CAN_ALL);
  REFUSED(fd_write(0, &iov, 1, &got));
  REFUSED(fd_read(1, &iov, 1, &got));
  REFUSED(fd_read(2, &iov, 1, &got));
  // rights of a mount, given up
  if (!fd_fdstat_set_rights(box, browse, CAN_READ)) {
    REFUSED(path_create_directory(box, TEXT("made")));
    REFUSED(path_unlink_file(box, TEXT("in.txt")));
    REFUSED(path_open(box, 0, TEXT("new.txt"), CREATE, CAN_READ, 0, 0, &fd));
    REFUSED(fd_fdstat_set_rights(box, CAN_BROWSE, CAN_READ));
    REFUSED(fd_fdstat_set_rights(box, browse, CAN_READ | CAN_WRITE));
  }
}

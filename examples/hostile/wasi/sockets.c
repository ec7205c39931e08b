// No socket was given: none may be found among the numbers that the host has open.
#include "wasi.h"

static void attack(void) {
  u8 bytes[64];
  struct iovec iov = {bytes, sizeof bytes};
  u32 got;
  u16 flags;
  u32 box = mount("/box"), fd;
  open_at(box, "in.txt", 0, CAN_ALL, &fd);
  for (fd = 0; fd < 300; fd++) {
    REFUSED(sock_accept(fd, 0, &got));
    REFUSED(sock_recv(fd, &iov, 1, 0, &got, &flags));
    REFUSED(sock_recv(fd, &iov, 1, 0xffff, &got, &flags));
    REFUSED(sock_send(fd, &iov, 1, 0, &got));
    for (u32 how = 0; how < 5; how++) REFUSED(sock_shutdown(fd, how));
  }
  REFUSED(sock_accept(NONE, 0xffff, memory_end()));
  REFUSED(sock_recv(0, memory_end(), 0xffffffff, 0, &got, &flags));
  REFUSED(sock_send(1, memory_end(), 0x80000000, 0, (void *)0xffffffff));
}

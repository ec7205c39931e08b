// The system's own files and devices, by absolute and relative paths and by names.
#include "wasi.h"

static const char *const PATHS[] = {
    "/proc/self/environ", "/proc/self/root/etc/passwd", "/proc/self/cwd/../etc/passwd",
    "/proc/self/fd/0", "/proc/self/fd/3/../outside/secret.txt", "/proc/self/mem", "/proc/1/environ",
    "/proc/thread-self/root/etc/passwd", "proc/self/environ", "../../proc/self/environ",
    "../../../proc/self/root/etc/passwd", "/dev/fd/0", "/dev/stdin", "/dev/zero", "/dev/mem",
    "/dev/tty", "dev/zero", "/sys/kernel", "/etc/shadow", "/etc/hosts", "/root/.profile", "/tmp",
    "/var/run/docker.sock", "/box", "/outside/secret.txt", "/ro/../../etc/passwd", "CON", "NUL",
    "COM1", "COM\xc2\xb9", "LPT1.txt", "aux", "AUX.h", "con.", "nul ", "CONIN$",
};

static void attack(void) {
  static const char *const mounts[] = {"/box", "/ro", "/tmp"};
  for (u32 index = 0; index < sizeof PATHS / sizeof *PATHS; index++) {
    const char *path = PATHS[index];
    for (u32 at = 0; at < 3; at++) try_read(mount(mounts[at]), path, length_of(path));
    // and from numbers that the host may have open for itself
    for (u32 fd = 0; fd < 64; fd++) {
      u32 opened;
      if (path[0] == '/' && !open_at(fd, path, 0, CAN_READ, &opened)) escaped(path);
    }
  }
}

// Prints random bytes, drawn in pieces of every size, for the host to compare runs.
#include "wasi.h"

static void attack(void) {
  static u8 bytes[256];
  u32 at = 0;
  for (u32 size = 1; at + size <= sizeof bytes; at += size, size++) {
    if (random_get(bytes + at, size)) return;
  }
  for (u32 index = 0; index < at; index++) {
    char hex[2] = {"0123456789abcdef"[bytes[index] >> 4], "0123456789abcdef"[bytes[index] & 15]};
    say_bytes(hex, 2);
  }
  random_get(bytes, 0);
}

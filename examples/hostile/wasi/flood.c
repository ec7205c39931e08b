// Output and input without end, in the way that the argument names.
#include "wasi.h"

static u8 block[1 << 16];
static struct iovec many[1024];

static void attack(void) {
  u32 fd = argument_is("stderr") || argument_is("stderr-bytes") ? 2 : 1, got;
  memset(block, 'x', sizeof block);
  for (u32 index = 0; index < 1024; index++) many[index] = (struct iovec){block, sizeof block};
  if (argument_is("stdin")) {
    // what is never there, or never ends; closed after 64 MiB at the latest
    for (u32 turn = 0; turn < 1 << 16; turn++) {
      if (fd_read(0, many, 16, &got) || got == 0) return;
    }
    escaped("4 GiB of input");
    return;
  }
  if (argument_is("after-end")) {
    while (!fd_read(0, many, 1, &got) && got) {}
    for (u32 turn = 0; turn < 1000; turn++) NEVER(!fd_read(0, many, 1, &got) && got != 0);
    return;
  }
  u32 vectors = argument_is("stdout-vectors") ? 1024 : 1;
  u32 size = argument_is("stdout-bytes") || argument_is("stderr-bytes") ? 1 : sizeof block;
  many[0].size = size;
  for (u32 turn = 0; turn < 1u << 31; turn++) {
    if (fd_write(fd, many, vectors, &got)) return;
    if (turn > (8u << 20) / size) proc_exit(42);
  }
}

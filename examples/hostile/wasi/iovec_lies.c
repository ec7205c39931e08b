// Vectors that lie: too long, too many, overlapping, wrapped around, past the end.
#include "wasi.h"

enum { CANARY = 0x5a };

static u8 low[64], bytes[256];
static struct iovec many[2048];

static int intact(void) {
  for (u32 at = 0; at < sizeof low; at++) {
    if (low[at] != CANARY) return 0;
  }
  return 1;
}

static void lie(u32 fd, ptr iovs, u32 count) {
  u32 got = 0;
  fd_read(fd, iovs, count, &got);
  fd_pread(fd, iovs, count, 0, &got);
  fd_write(fd, iovs, count, &got);
  fd_pwrite(fd, iovs, count, 0, &got);
  NEVER(!intact());
}

/** No byte may move: the call must fail as a whole. */
static void refused(u32 fd, ptr iovs, u32 count) {
  u32 got;
  REFUSED(fd_read(fd, iovs, count, &got));
  REFUSED(fd_pread(fd, iovs, count, 0, &got));
  REFUSED(fd_write(fd, iovs, count, &got));
  REFUSED(fd_pwrite(fd, iovs, count, 0, &got));
  NEVER(!intact());
}

static void attack(void) {
  u32 box = mount("/box"), fd, got;
  u8 *end = memory_end();
  memset(low, CANARY, sizeof low);
  if (path_open(box, 0, TEXT("lies.bin"), CREATE, CAN_ALL, 0, 0, &fd)) return;
  for (u32 at = 0; at < 16; at++) put(fd, "0123456789abcdef", 16);

  struct iovec wrong[] = {
      {bytes, 0xffffffff}, {bytes, 0x80000000}, {bytes, 0xfffffff0}, {end - 8, 9},
      {end, 1}, {(ptr)0xffffffff, 1}, {(ptr)0xfffffff0, 0x20}, {(ptr)0xffff0000, 0x10100},
      {(ptr)0x80000000, 0x80000000}, {low, 0xffffffff}, {end - 1, 0xffffffff},
  };
  for (u32 index = 0; index < sizeof wrong / sizeof *wrong; index++) {
    u64 position;
    fd_seek(fd, 0, 0, &position);
    refused(fd, &wrong[index], 1);
    struct iovec two[] = {{bytes, 1}, wrong[index]};
    lie(fd, two, 2);
  }
  // the vector itself
  refused(fd, end - 4, 1);
  refused(fd, end, 1);
  refused(fd, (ptr)0xfffffff8, 1);
  refused(fd, (ptr)0xfffffff8, 2);
  refused(fd, many, 0x80000000);
  refused(fd, many, 0xffffffff);
  refused(fd, many, 0x20000000);
  refused(fd, many, 0x20000001);
  refused(fd, many, 0x10000000);
  lie(fd, end, 0);
  lie(fd, many, 0);
  // lengths whose sum is past 2^32, of one buffer again and again
  for (u32 index = 0; index < 2048; index++) many[index] = (struct iovec){bytes, 0x00800000};
  refused(fd, many, 1024);
  // the result where the vector is, or the data
  struct iovec self = {&self, sizeof self};
  u64 position;
  fd_seek(fd, 0, 0, &position);
  fd_read(fd, &self, 1, &got);
  struct iovec own = {bytes, 16};
  fd_seek(fd, 0, 0, &position);
  fd_read(fd, &own, 1, &own);
  own = (struct iovec){bytes, 16};
  fd_write(fd, &own, 1, bytes);
  // a result that cannot be told: nothing may have been read in secret past the end of memory
  fd_read(fd, &own, 1, end);
  fd_read(fd, &own, 1, end - 3);
  fd_write(fd, &own, 1, (void *)0xfffffffd);
  NEVER(!intact());
  // a buffer in memory that is newer than the host's last look
  u8 *grown = (u8 *)(uintptr_t)(__builtin_wasm_memory_grow(0, 1) * 65536u);
  if (grown == end) {
    struct iovec fresh = {grown + 65536 - 16, 16};
    fd_seek(fd, 0, 0, &position);
    NEVER(fd_pread(fd, &fresh, 1, 0, &got) || got != 16);
    fresh.size = 17;
    refused(fd, &fresh, 1);
  }
}

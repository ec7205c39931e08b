// Subscriptions that lie: how many, where, of what.
#include "wasi.h"

struct subscription {
  u64 userdata;
  u8 tag, tag_padding[7];
  u32 clock, clock_padding;
  u64 timeout, precision;
  u16 flags, flags_padding[3];
};

static struct subscription many[4096];
static u8 events[32 * 4096], canary[64];
static u32 happened;

static void attack(void) {
  u8 *end = memory_end();
  memset(canary, 0x5a, sizeof canary);
  REFUSED(poll_oneoff(many, events, 0, &happened));
  REFUSED(poll_oneoff(many, events, 0xffffffff, &happened));
  REFUSED(poll_oneoff(many, events, 0x80000000, &happened));
  REFUSED(poll_oneoff(many, events, 0x05555556, &happened));  // times 48 wraps to 32
  REFUSED(poll_oneoff(many, events, 0x08000000, &happened));  // times 32 wraps to 0
  REFUSED(poll_oneoff(end - 47, events, 1, &happened));
  REFUSED(poll_oneoff(many, end - 31, 1, &happened));
  REFUSED(poll_oneoff(many, events, 1, end));
  REFUSED(poll_oneoff(many, events, 1, (void *)0xfffffffe));
  // over each other
  poll_oneoff(many, many, 1, &happened);
  memset(many, 0, sizeof many);
  poll_oneoff(many, events, 1, many);
  // of a kind, a clock, a flag that there is not
  for (u32 index = 0; index < 4096; index++) many[index].userdata = index;
  for (u32 tag = 3; tag < 256; tag += 36) {
    many[0].tag = (u8)tag;
    u32 error = poll_oneoff(many, events, 1, &happened);
    NEVER(!error && happened == 1 && *(u16 *)(events + 8) == 0);
  }
  many[0].tag = 0;
  many[0].clock = 0xffffffff;
  u32 error = poll_oneoff(many, events, 1, &happened);
  NEVER(!error && happened == 1 && *(u16 *)(events + 8) == 0);
  many[0].clock = 1;
  many[0].flags = 0xffff;
  many[0].timeout = 1;
  poll_oneoff(many, events, 1, &happened);
  // descriptors that are not open, or of another type
  for (u32 tag = 1; tag < 3; tag++) {
    static const u32 fds[] = {0xffffffff, 0x7fffffff, 4000, 0, 1, 2, 3};
    for (u32 index = 0; index < sizeof fds / sizeof *fds; index++) {
      memset(many, 0, sizeof many[0] * 2);
      many[0].tag = (u8)tag;
      many[0].clock = fds[index];  // the descriptor's place
      many[1].clock = 1;
      many[1].timeout = 1000;
      poll_oneoff(many, events, 2, &happened);
      NEVER(happened > 2);
    }
  }
  // very many, all at once
  memset(many, 0, sizeof many);
  for (u32 index = 0; index < 4096; index++) many[index].clock = 1;
  for (u32 turn = 0; turn < 100; turn++) {
    if (poll_oneoff(many, events, 4096, &happened)) break;
    NEVER(happened > 4096);
  }
  for (u32 at = 0; at < sizeof canary; at++) NEVER(canary[at] != 0x5a);
}

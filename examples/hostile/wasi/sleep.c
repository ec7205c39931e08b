// Waiting for ever, in the way that the argument names.
#include "wasi.h"

struct subscription {
  u64 userdata;
  u8 tag, tag_padding[7];
  u32 clock, clock_padding;
  u64 timeout, precision;
  u16 flags, flags_padding[3];
};
_Static_assert(sizeof(struct subscription) == 48, "as the interface has it");

static struct subscription wait = {.userdata = 1};
static u8 events[32 * 64];
static u32 happened;

static void sleep_for(u32 clock, u64 timeout, u16 flags) {
  wait.clock = clock;
  wait.timeout = timeout;
  wait.flags = flags;
  u32 error = poll_oneoff(&wait, events, 1, &happened);
  if (error || *(u16 *)(events + 8)) proc_exit(0);  // refused, as a whole or by its event
}

static void attack(void) {
  if (argument_is("relative")) sleep_for(1, ((u64)1 << 63) - 1, 0);
  else if (argument_is("longest")) sleep_for(1, ~(u64)0, 0);
  else if (argument_is("timer")) sleep_for(1, ((u64)1 << 31) * 1000000, 0);  // a timer's own end
  else if (argument_is("absolute")) sleep_for(1, ~(u64)0, 1);
  else if (argument_is("realtime")) sleep_for(0, ~(u64)0, 1);
  else if (argument_is("naps")) {
    for (;;) sleep_for(1, 1, 0);
  } else if (argument_is("zero")) {
    for (;;) sleep_for(1, 0, 0);
  } else if (argument_is("past")) {
    sleep_for(0, 0, 1);  // long ago: these return
    sleep_for(1, 0, 1);
    sleep_for(1, 1, 1);
    sleep_for(0, 0, 0);
    return;
  }
  escaped("a sleep that ended");
}

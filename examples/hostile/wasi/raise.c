// Signals to the process that it runs in.
#include "wasi.h"

static void attack(void) {
  for (u32 signal = 0; signal < 256; signal++) REFUSED(proc_raise(signal));
  REFUSED(proc_raise(0xffffffff));
  REFUSED(proc_raise(0x80000009));
}

// Prints every argument and variable that it can find, and asks for them with sizes that lie.
#include "wasi.h"

static char *list[256];
static char bytes[1 << 16];

static void print(u32 count, const char *what) {
  for (u32 index = 0; index < count && index < 256; index++) {
    say(what);
    say(list[index]);
    say("\n");
  }
}

static void attack(void) {
  u32 count = 0, size = 0;
  u8 *end = memory_end();
  if (!args_sizes_get(&count, &size) && size <= sizeof bytes && !args_get(list, bytes)) {
    NEVER(bytes[size] != 0);
    print(count, "arg ");
    // one byte too few must not be written in part past the end
    if (size) REFUSED(args_get(list, end - size + 1));
    if (count) REFUSED(args_get(end - 4 * count + 1, bytes));
    if (size) NEVER(args_get(list, end - size));
  }
  memset(bytes, 0, sizeof bytes);
  if (!environ_sizes_get(&count, &size) && size <= sizeof bytes && !environ_get(list, bytes)) {
    NEVER(bytes[size] != 0);
    print(count, "env ");
    if (size) REFUSED(environ_get(list, end - size + 1));
    if (count) REFUSED(environ_get((void *)(end - 4 * count + 1), bytes));
  }
  // pointers and text over each other
  args_get(list, list);
  environ_get(list, list);
}

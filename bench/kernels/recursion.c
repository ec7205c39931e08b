// Ackermann, Takeuchi and Hofstadter's mutually recursive sequences.
// Models deep and mutual recursion: some two thousand frames at the deepest.

#include "kernel.h"

static NOINLINE uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static NOINLINE int32_t takeuchi(int32_t x, int32_t y, int32_t z) {
  if (y >= x) return z;
  return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

static NOINLINE uint32_t male(uint32_t n);

static NOINLINE uint32_t female(uint32_t n) {
  return n == 0 ? 1 : n - male(female(n - 1));
}

static NOINLINE uint32_t male(uint32_t n) {
  return n == 0 ? 0 : n - female(male(n - 1));
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    uint32_t reached = ackermann(3, 8);
    check(reached == 2045);
    sum = mix(sum, reached);
    for (int32_t z = 6; z < 12; z++) sum = mix(sum, (uint32_t)takeuchi(18, 12, z));
    for (uint32_t i = 0; i < 64; i++) sum = mix(sum, female(i) << 16 | male(i));
  }
  return (int32_t)sum;
}

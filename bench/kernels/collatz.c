// The longest Collatz sequence among the numbers of a range.
// Models 64-bit integer arithmetic with a branch that cannot be predicted.

#include "kernel.h"

#define RANGE 120000

static NOINLINE uint32_t steps_of(uint64_t number) {
  uint32_t steps = 0;
  while (number != 1) {
    if (number & 1) {
      number = number * 3 + 1;
    } else {
      number >>= 1;
    }
    steps++;
  }
  return steps;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  check(steps_of(97) == 118);
  for (int32_t round = 0; round < n; round++) {
    uint64_t first = 1 + (uint64_t)round * RANGE, best = first;
    uint32_t longest = 0;
    for (uint64_t number = first; number < first + RANGE; number++) {
      uint32_t steps = steps_of(number);
      if (steps > longest) longest = steps, best = number;
    }
    sum = mix(mix(sum, longest), (uint32_t)best);
  }
  return (int32_t)sum;
}

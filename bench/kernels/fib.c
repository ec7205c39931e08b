// Fibonacci numbers by naive double recursion.
// Models call overhead and nothing else: the body of the function is one addition.

#include "kernel.h"

#define ARGUMENT 32
#define FIB_OF_ARGUMENT 2178309

static NOINLINE uint32_t fib(uint32_t n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    uint32_t result = fib(ARGUMENT);
    check(result == FIB_OF_ARGUMENT);
    sum = mix(sum, result);
  }
  return (int32_t)sum;
}

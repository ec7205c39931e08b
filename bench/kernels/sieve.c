// Sieve of Eratosthenes over the odd numbers below five million.
// Models strided writes over an array larger than the first-level cache.

#include "kernel.h"

#define LIMIT 5000000
#define PRIMES_BELOW_LIMIT 348513

static uint8_t composite[LIMIT / 2];

static NOINLINE uint32_t sieve(void) {
  __builtin_memset(composite, 0, sizeof composite);
  for (uint32_t i = 3; i * i < LIMIT; i += 2) {
    if (composite[i / 2]) continue;
    for (uint32_t multiple = i * i; multiple < LIMIT; multiple += 2 * i) composite[multiple / 2] = 1;
  }
  uint32_t count = 1;
  for (uint32_t i = 3; i < LIMIT; i += 2) count += !composite[i / 2];
  return count;
}

static uint32_t sum_of_primes(uint32_t from) {
  uint32_t sum = 0;
  for (uint32_t i = from | 1; i < LIMIT; i += 2) {
    if (!composite[i / 2]) sum = mix(sum, i);
  }
  return sum;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    check(sieve() == PRIMES_BELOW_LIMIT);
    sum = mix(sum, sum_of_primes(3 + 1000 * ((uint32_t)round % 1000)));
  }
  return (int32_t)sum;
}

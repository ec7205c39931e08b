// What every kernel shares: fixed-width types, a random generator and a checksum.
//
// A kernel is freestanding: no libc, no imports. It exports its memory and
// `run(n) -> checksum`, where n scales the work; n = 1 takes some 10 to 30 ms on V8.
// The checksum depends on n only, however often `run` was called before.

#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define EXPORT_RUN __attribute__((export_name("run")))
#define NOINLINE __attribute__((noinline))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** Stops the guest with `unreachable`: a kernel checks its own results where it can. */
static inline void check(int holds) {
  if (!holds) __builtin_trap();
}

/** Marsaglia's xorshift32. The state must not be 0. */
static inline uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/** A seed for the given round, never 0. */
static inline uint32_t seed_of(int32_t round) {
  return 0x9e3779b9u * (uint32_t)(round + 1) | 1u;
}

/** One step of a checksum over 32-bit words (FNV-1a with a rotation). */
static inline uint32_t mix(uint32_t sum, uint32_t word) {
  sum = (sum ^ word) * 16777619u;
  return sum << 5 | sum >> 27;
}

/** As `mix`, over the bits of a double. */
static inline uint32_t mix_f64(uint32_t sum, double value) {
  uint64_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return mix(mix(sum, (uint32_t)bits), (uint32_t)(bits >> 32));
}

#endif

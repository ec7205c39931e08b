// Edit distance of two generated strings by dynamic programming over two rows.
// Models diff, spell checking and sequence alignment: nested loops of minima.

#include "kernel.h"

#define LENGTH 2000

static char from[LENGTH], to[LENGTH];
static uint16_t rows[2][LENGTH + 1];

static void write_strings(uint32_t seed) {
  for (int i = 0; i < LENGTH; i++) from[i] = (char)('a' + next_random(&seed) % 6);
  // The second string is the first with one character in eight exchanged, and shifted.
  for (int i = 0; i < LENGTH; i++) {
    uint32_t random = next_random(&seed);
    to[i] = random % 8 == 0 ? (char)('a' + random % 26) : from[(i + 37) % LENGTH];
  }
}

static inline uint16_t least(uint16_t a, uint16_t b) {
  return a < b ? a : b;
}

static NOINLINE uint32_t distance(size_t from_length, size_t to_length) {
  uint16_t *previous = rows[0], *current = rows[1];
  for (size_t j = 0; j <= to_length; j++) previous[j] = (uint16_t)j;
  for (size_t i = 1; i <= from_length; i++) {
    current[0] = (uint16_t)i;
    for (size_t j = 1; j <= to_length; j++) {
      uint16_t replace = (uint16_t)(previous[j - 1] + (from[i - 1] != to[j - 1]));
      uint16_t insert = (uint16_t)(current[j - 1] + 1), remove = (uint16_t)(previous[j] + 1);
      current[j] = least(replace, least(insert, remove));
    }
    uint16_t *swapped = previous;
    previous = current;
    current = swapped;
  }
  return previous[to_length];
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    write_strings(seed_of(round));
    sum = mix(sum, distance(LENGTH, LENGTH));
    for (size_t length = 100; length <= 500; length += 100) sum = mix(sum, distance(length, LENGTH - length));
  }
  return (int32_t)sum;
}

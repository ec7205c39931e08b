// Factorials and their digit sums in decimal limbs of nine digits.
// Models arbitrary precision arithmetic: 64-bit multiplication, division, carries.

#include "kernel.h"

#define BASE 1000000000u
#define LIMBS 4096
#define FACTORIAL 7000

static uint32_t limbs[LIMBS];
static uint32_t length;

static NOINLINE void multiply_by(uint32_t factor) {
  uint64_t carry = 0;
  for (uint32_t i = 0; i < length; i++) {
    carry += (uint64_t)limbs[i] * factor;
    limbs[i] = (uint32_t)(carry % BASE);
    carry /= BASE;
  }
  if (carry) {
    check(length < LIMBS);
    limbs[length++] = (uint32_t)carry;
  }
}

static void factorial(uint32_t of) {
  limbs[0] = 1;
  length = 1;
  for (uint32_t factor = 2; factor <= of; factor++) multiply_by(factor);
}

static uint32_t digit_sum(void) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < length; i++) {
    for (uint32_t limb = limbs[i]; limb > 0; limb /= 10) sum += limb % 10;
  }
  return sum;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  factorial(100);
  check(digit_sum() == 648);
  for (int32_t round = 0; round < n; round++) {
    factorial(FACTORIAL - (uint32_t)round % 64);
    sum = mix(mix(sum, digit_sum()), length);
    for (uint32_t i = 0; i < length; i++) sum = mix(sum, limbs[i]);
  }
  return (int32_t)sum;
}

// Base64 (RFC 4648) of random bytes, and back.
// Models codecs: table lookups, shifts, byte loads and stores in step.

#include "kernel.h"

#define DATA_BYTES (512 * 1024 + 1)
#define TEXT_BYTES ((DATA_BYTES + 2) / 3 * 4)
#define PASSES 7

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint8_t data[DATA_BYTES], decoded[DATA_BYTES + 2], value_of[256];
static char text[TEXT_BYTES];

static void make_values(void) {
  __builtin_memset(value_of, 0xff, sizeof value_of);
  for (uint8_t i = 0; i < 64; i++) value_of[(uint8_t)alphabet[i]] = i;
}

static NOINLINE size_t encode(const uint8_t *in, size_t length) {
  size_t out = 0;
  for (size_t i = 0; i < length; i += 3) {
    size_t left = length - i;
    uint32_t group = (uint32_t)in[i] << 16;
    if (left > 1) group |= (uint32_t)in[i + 1] << 8;
    if (left > 2) group |= in[i + 2];
    text[out++] = alphabet[group >> 18];
    text[out++] = alphabet[group >> 12 & 63];
    text[out++] = left > 1 ? alphabet[group >> 6 & 63] : '=';
    text[out++] = left > 2 ? alphabet[group & 63] : '=';
  }
  return out;
}

static NOINLINE size_t decode(size_t length) {
  size_t out = 0;
  for (size_t i = 0; i < length; i += 4) {
    uint32_t group = 0;
    int padding = 0;
    for (int j = 0; j < 4; j++) {
      uint8_t value = value_of[(uint8_t)text[i + (size_t)j]];
      if (value == 0xff) padding++, value = 0;
      group = group << 6 | value;
    }
    decoded[out++] = (uint8_t)(group >> 16);
    if (padding < 2) decoded[out++] = (uint8_t)(group >> 8);
    if (padding < 1) decoded[out++] = (uint8_t)group;
  }
  return out;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  make_values();
  for (int32_t round = 0; round < n; round++) {
    uint32_t seed = seed_of(round);
    for (int i = 0; i < DATA_BYTES; i++) data[i] = (uint8_t)(next_random(&seed) >> 8);
    for (size_t pass = 0; pass < PASSES; pass++) {
      size_t length = DATA_BYTES - pass;
      size_t characters = encode(data, length);
      check(decode(characters) == length);
      for (size_t i = 0; i < length; i++) check(decoded[i] == data[i]);
      for (size_t i = 0; i < characters; i += 101) sum = mix(sum, (uint8_t)text[i]);
    }
  }
  return (int32_t)sum;
}

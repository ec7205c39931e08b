// CRC-32 (the polynomial of zip and PNG) with a table of 256 entries.
// Models checksums of streams: one table load per byte, each depending on the one before.

#include "kernel.h"

#define BUFFER_BYTES (256 * 1024)
#define PASSES 24

static uint32_t table[256];
static uint8_t buffer[BUFFER_BYTES];

static void make_table(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t entry = i;
    for (int bit = 0; bit < 8; bit++) entry = entry & 1 ? 0xedb88320u ^ entry >> 1 : entry >> 1;
    table[i] = entry;
  }
}

static NOINLINE uint32_t crc32(uint32_t crc, const uint8_t *data, size_t length) {
  crc = ~crc;
  for (size_t i = 0; i < length; i++) crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
  return ~crc;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  make_table();
  check(crc32(0, (const uint8_t *)"123456789", 9) == 0xcbf43926u);
  for (int32_t round = 0; round < n; round++) {
    uint32_t seed = seed_of(round);
    for (int i = 0; i < BUFFER_BYTES; i++) buffer[i] = (uint8_t)next_random(&seed);
    for (int pass = 0; pass < PASSES; pass++) sum = crc32(sum, buffer, BUFFER_BYTES);
  }
  return (int32_t)sum;
}

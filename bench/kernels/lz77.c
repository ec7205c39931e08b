// LZ77 compression of generated prose with a hash table of recent positions, and back.
// Models compressors: byte compares, unaligned loads, copies that overlap themselves.

#include "kernel.h"

#define TEXT_BYTES (1536 * 1024)
#define HASH_BITS 14
#define MIN_MATCH 4
#define MAX_MATCH 131
#define WINDOW 65535

static const char *const words[] = {
  "sandbox", "module", "memory", "the", "of", "a", "capability", "host", "guest", "is", "granted",
  "denied", "to", "and", "instance", "fuel", "trap", "in", "it", "policy", "that", "reads", "writes",
};

static uint8_t text[TEXT_BYTES], packed[TEXT_BYTES * 9 / 8 + 16], unpacked[TEXT_BYTES];
static uint32_t recent[1 << HASH_BITS];

static void write_text(uint32_t seed) {
  for (size_t at = 0; at < TEXT_BYTES;) {
    uint32_t random = next_random(&seed);
    const char *word = words[random % COUNT_OF(words)];
    while (*word && at < TEXT_BYTES) text[at++] = (uint8_t)*word++;
    if (at < TEXT_BYTES) text[at++] = random >> 28 ? ' ' : '\n';
    if (random >> 26 == 1 && at < TEXT_BYTES) text[at++] = (uint8_t)('0' + (random >> 8) % 10);
  }
}

static inline uint32_t load32(const uint8_t *at) {
  uint32_t word;
  __builtin_memcpy(&word, at, sizeof word);
  return word;
}

static size_t match_length(size_t from, size_t at) {
  size_t length = 0, most = TEXT_BYTES - at < MAX_MATCH ? TEXT_BYTES - at : MAX_MATCH;
  while (length < most && text[from + length] == text[at + length]) length++;
  return length;
}

static size_t put_literals(size_t out, size_t from, size_t to) {
  while (from < to) {
    size_t count = to - from < 128 ? to - from : 128;
    packed[out++] = (uint8_t)(count - 1);
    __builtin_memcpy(packed + out, text + from, count);
    out += count, from += count;
  }
  return out;
}

/** A byte below 128 precedes that many literals plus one; any other starts a match. */
static NOINLINE size_t compress(void) {
  size_t out = 0, literals = 0, at = 0;
  __builtin_memset(recent, 0, sizeof recent);
  while (at + MIN_MATCH <= TEXT_BYTES) {
    uint32_t *slot = &recent[load32(text + at) * 2654435761u >> (32 - HASH_BITS)];
    size_t from = *slot, length = 0;
    *slot = (uint32_t)at;
    if (from < at && at - from <= WINDOW) length = match_length(from, at);
    if (length < MIN_MATCH) {
      at++;
      continue;
    }
    out = put_literals(out, literals, at);
    packed[out++] = (uint8_t)(128 + length - MIN_MATCH);
    packed[out++] = (uint8_t)(at - from);
    packed[out++] = (uint8_t)((at - from) >> 8);
    literals = at += length;
  }
  return put_literals(out, literals, TEXT_BYTES);
}

static NOINLINE size_t decompress(size_t length) {
  size_t out = 0;
  for (size_t in = 0; in < length;) {
    size_t count = packed[in++];
    if (count < 128) {
      __builtin_memcpy(unpacked + out, packed + in, ++count);
      in += count;
    } else {
      count += MIN_MATCH - 128;
      size_t from = out - (packed[in] | (size_t)packed[in + 1] << 8);
      for (size_t i = 0; i < count; i++) unpacked[out + i] = unpacked[from + i];
      in += 2;
    }
    out += count;
  }
  return out;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    write_text(seed_of(round));
    size_t length = compress();
    check(decompress(length) == TEXT_BYTES);
    for (size_t i = 0; i < TEXT_BYTES; i += 4) check(load32(text + i) == load32(unpacked + i));
    sum = mix(sum, (uint32_t)length);
    for (size_t i = 0; i < length; i += 13) sum = mix(sum, packed[i]);
  }
  return (int32_t)sum;
}

// Counts words in a hash map with string keys, then removes half of them.
// Models the dictionaries of every program: hashing, probing, comparing keys.

#include "kernel.h"

#define SLOTS (1 << 16)
#define KEY_BYTES 16
#define KEYS 40000
#define OPERATIONS 260000

enum state { EMPTY, USED, REMOVED };

struct entry {
  char key[KEY_BYTES];
  uint32_t length, hash, count, state;
};

static struct entry entries[SLOTS];
static uint32_t used;

static uint32_t make_key(char key[KEY_BYTES], uint32_t number) {
  static const char *const prefixes[] = {"user:", "order:", "item:", "session:"};
  const char *prefix = prefixes[number & 3];
  uint32_t length = 0;
  while (*prefix) key[length++] = *prefix++;
  for (; number > 0; number /= 26) key[length++] = (char)('a' + number % 26);
  return length;
}

static uint32_t hash_of(const char *key, uint32_t length) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)key[i]) * 16777619u;
  return hash ^ hash >> 15;
}

static int same_key(const struct entry *entry, const char *key, uint32_t length) {
  if (entry->length != length) return 0;
  for (uint32_t i = 0; i < length; i++) {
    if (entry->key[i] != key[i]) return 0;
  }
  return 1;
}

/** The entry of the key, or the first one where it could be put. */
static NOINLINE struct entry *find(const char *key, uint32_t length, uint32_t hash) {
  struct entry *vacant = NULL;
  for (uint32_t slot = hash;; slot++) {
    struct entry *entry = &entries[slot & (SLOTS - 1)];
    if (entry->state == EMPTY) return vacant ? vacant : entry;
    if (entry->state == REMOVED) {
      if (!vacant) vacant = entry;
    } else if (entry->hash == hash && same_key(entry, key, length)) {
      return entry;
    }
  }
}

static void increment(const char *key, uint32_t length) {
  uint32_t hash = hash_of(key, length);
  struct entry *entry = find(key, length, hash);
  if (entry->state != USED) {
    __builtin_memcpy(entry->key, key, KEY_BYTES);
    entry->length = length, entry->hash = hash, entry->count = 0, entry->state = USED;
    used++;
  }
  entry->count++;
}

static void discard(const char *key, uint32_t length) {
  struct entry *entry = find(key, length, hash_of(key, length));
  if (entry->state != USED) return;
  entry->state = REMOVED;
  used--;
}

static uint32_t count_words(uint32_t seed) {
  char key[KEY_BYTES] = {0};
  uint32_t sum = 0;
  __builtin_memset(entries, 0, sizeof entries);
  used = 0;
  for (int i = 0; i < OPERATIONS; i++) {
    // The square favours small numbers, as words of a language do.
    uint64_t random = next_random(&seed) >> 16;
    increment(key, make_key(key, (uint32_t)(random * random * KEYS >> 32)));
  }
  sum = mix(sum, used);
  for (uint32_t i = 0; i < KEYS; i += 2) discard(key, make_key(key, i));
  sum = mix(sum, used);
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (entries[i].state == USED) sum = mix(sum, entries[i].count);
  }
  return sum;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) sum = mix(sum, count_words(seed_of(round)));
  return (int32_t)sum;
}

// Builds an HTML table in a buffer that doubles, the memory growing as it must.
// Models templating and serialisation: many small memory.copy, a few large, memory.grow.

#include "kernel.h"

#define PAGE_BYTES 65536
#define ROWS 20000
#define DOCUMENTS 6

extern uint8_t __heap_base;

struct text {
  uint8_t *bytes;
  size_t length, capacity;
};

static uintptr_t arena_end;

/** Bytes that live until the arena is reset. */
static uint8_t *allocate(size_t bytes) {
  uintptr_t start = arena_end;
  size_t have = __builtin_wasm_memory_size(0) * PAGE_BYTES;
  arena_end += (bytes + 15) & ~(size_t)15;
  if (arena_end > have) {
    size_t pages = (arena_end - have + PAGE_BYTES - 1) / PAGE_BYTES;
    check(__builtin_wasm_memory_grow(0, pages) != (size_t)-1);
  }
  return (uint8_t *)start;
}

static void reserve(struct text *text, size_t more) {
  if (text->length + more <= text->capacity) return;
  size_t capacity = text->capacity;
  while (capacity < text->length + more) capacity *= 2;
  uint8_t *bytes = allocate(capacity);
  __builtin_memcpy(bytes, text->bytes, text->length);
  text->bytes = bytes;
  text->capacity = capacity;
}

static NOINLINE void append(struct text *text, const char *bytes, size_t length) {
  reserve(text, length);
  __builtin_memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

#define APPEND(text, literal) append(text, literal, sizeof(literal) - 1)

static void append_number(struct text *text, uint32_t number) {
  char digits[10];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  append(text, digits + at, sizeof digits - at);
}

static NOINLINE void build(struct text *text, uint32_t seed) {
  APPEND(text, "<!doctype html>\n<table>\n");
  for (uint32_t row = 0; row < ROWS; row++) {
    APPEND(text, "  <tr><td class=\"id\">");
    append_number(text, row);
    APPEND(text, "</td><td class=\"amount\">");
    append_number(text, next_random(&seed));
    if (seed & 1) {
      APPEND(text, "</td><td class=\"note\">paid in full, with thanks</td></tr>\n");
    } else {
      APPEND(text, "</td><td></td></tr>\n");
    }
  }
  APPEND(text, "</table>\n");
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    for (int document = 0; document < DOCUMENTS; document++) {
      arena_end = (uintptr_t)&__heap_base;
      struct text text = {allocate(64), 0, 64};
      build(&text, seed_of(round * DOCUMENTS + document));
      sum = mix(sum, (uint32_t)text.length);
      for (size_t i = 0; i < text.length; i += 7) sum = mix(sum, text.bytes[i]);
    }
  }
  return (int32_t)sum;
}

/* What both guests share: JSON as it stands in the source, and texts that are put together. */

#define WASM_SANDBOX_IMPLEMENTATION
#include "../../../communication/guest/c/wasm_sandbox.h"

/** JSON as the compiler's tokens, made a string. */
#define JSON(...) #__VA_ARGS__

/** Puts pieces into one reply. */
typedef struct builder {
  char *text;
  uint32_t length, size;
} builder;

static builder start(uint32_t size) {
  builder made = {wasm_sandbox_alloc(size), 0, size};
  return made;
}

static void add_bytes(builder *to, const void *bytes, uint32_t length) {
  if (!to->text || length > to->size - to->length) __builtin_trap();
  __builtin_memcpy(to->text + to->length, bytes, length);
  to->length += length;
}

static void add(builder *to, const char *text) {
  add_bytes(to, text, wasm_sandbox_text_length(text));
}

static wasm_sandbox_bytes built(builder from) {
  wasm_sandbox_bytes bytes = wasm_sandbox_copy(from.text, from.length);
  wasm_sandbox_free(from.text, from.size);
  return bytes;
}

/** Where a text begins in bytes, from an offset; the length if nowhere. */
static inline uint32_t find(wasm_sandbox_bytes in, const char *what, uint32_t from) {
  uint32_t length = wasm_sandbox_text_length(what);
  for (uint32_t at = from; at + length <= in.length; at++) {
    uint32_t same = 0;
    while (same < length && in.data[at + same] == (uint8_t)what[same]) same++;
    if (same == length) return at;
  }
  return in.length;
}

/** What stands in a string of JSON behind `"member":"`, escapes and all. */
static inline wasm_sandbox_bytes member(wasm_sandbox_bytes in, const char *begin) {
  uint32_t at = find(in, begin, 0) + wasm_sandbox_text_length(begin), end = at;
  if (at >= in.length) return wasm_sandbox_view("", 0);
  while (end < in.length && in.data[end] != '"') end += in.data[end] == '\\' ? 2 : 1;
  return wasm_sandbox_view(in.data + at, end - at);
}

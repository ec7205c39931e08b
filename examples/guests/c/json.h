// As much JSON (RFC 8259) as a guest needs to read one string out of an object and to
// write strings: a strict reader that keeps no tree, and an escaper.

#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 64
#define REPLACEMENT_CHARACTER 0xfffdu

struct json_reader {
  const uint8_t *at, *end;
};

static inline bool json_at(const struct json_reader *reader, uint8_t byte) {
  return reader->at < reader->end && *reader->at == byte;
}

static inline bool json_take(struct json_reader *reader, uint8_t byte) {
  if (!json_at(reader, byte)) return false;
  reader->at++;
  return true;
}

static inline void json_skip_space(struct json_reader *reader) {
  while (json_at(reader, ' ') || json_at(reader, '\n') || json_at(reader, '\t') || json_at(reader, '\r')) {
    reader->at++;
  }
}

/** Skips space, takes `byte` and skips space again. */
static inline bool json_token(struct json_reader *reader, uint8_t byte) {
  json_skip_space(reader);
  bool taken = json_take(reader, byte);
  json_skip_space(reader);
  return taken;
}

static inline bool json_take_word(struct json_reader *reader, const char *word) {
  for (; *word; word++) {
    if (!json_take(reader, (uint8_t)*word)) return false;
  }
  return true;
}

static inline size_t utf8_encode(uint8_t *out, uint32_t character) {
  if (character < 0x80) {
    out[0] = (uint8_t)character;
    return 1;
  }
  size_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--) {
    out[i] = (uint8_t)(0x80 | (character & 0x3f));
    character >>= 6;
  }
  out[0] = (uint8_t)((0xf0u << (4 - length)) | character);
  return length;
}

/** The four hexadecimal digits of a \u escape, or -1. */
static inline int32_t json_read_hex(struct json_reader *reader) {
  if (reader->end - reader->at < 4) return -1;
  int32_t unit = 0;
  for (int i = 0; i < 4; i++) {
    uint8_t c = *reader->at++, letter = c | 0x20;
    if (c >= '0' && c <= '9') unit = unit << 4 | (c - '0');
    else if (letter >= 'a' && letter <= 'f') unit = unit << 4 | (letter - 'a' + 10);
    else return -1;
  }
  return unit;
}

/** A \u escape with, for a high surrogate, the low one that follows. -1 if malformed. */
static inline int32_t json_read_unicode(struct json_reader *reader) {
  int32_t unit = json_read_hex(reader);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  struct json_reader ahead = *reader;
  if (unit < 0xdc00 && json_take(&ahead, '\\') && json_take(&ahead, 'u')) {
    int32_t low = json_read_hex(&ahead);
    if (low >= 0xdc00 && low <= 0xdfff) {
      *reader = ahead;
      return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  return REPLACEMENT_CHARACTER;
}

/** The character after a backslash, or -1. */
static inline int32_t json_read_escape(struct json_reader *reader) {
  if (reader->at == reader->end) return -1;
  uint8_t c = *reader->at++;
  switch (c) {
    case '"': case '\\': case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': return json_read_unicode(reader);
    default: return -1;
  }
}

/**
 * Reads a string into `out` and its length into `length`. Decoded text is never longer than
 * its source, so `out` needs as many bytes as the reader has left. A lone surrogate becomes
 * U+FFFD.
 */
static inline bool json_read_string(struct json_reader *reader, uint8_t *out, size_t *length) {
  uint8_t *start = out;
  if (!json_take(reader, '"')) return false;
  while (reader->at < reader->end && *reader->at >= 0x20) {
    uint8_t c = *reader->at++;
    if (c == '"') {
      *length = (size_t)(out - start);
      return true;
    }
    if (c == '\\') {
      int32_t character = json_read_escape(reader);
      if (character < 0) return false;
      out += utf8_encode(out, (uint32_t)character);
    } else {
      *out++ = c;
    }
  }
  return false;
}

static inline bool json_skip_digits(struct json_reader *reader) {
  const uint8_t *start = reader->at;
  while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') reader->at++;
  return reader->at > start;
}

static inline bool json_skip_number(struct json_reader *reader) {
  json_take(reader, '-');
  if (!json_take(reader, '0') && !json_skip_digits(reader)) return false;
  if (json_take(reader, '.') && !json_skip_digits(reader)) return false;
  if (!json_take(reader, 'e') && !json_take(reader, 'E')) return true;
  if (!json_take(reader, '+')) json_take(reader, '-');
  return json_skip_digits(reader);
}

/** Skips any value; `scratch` is overwritten and needs the bytes that the reader has left. */
static inline bool json_skip_value(struct json_reader *reader, uint8_t *scratch, int depth) {
  size_t length;
  json_skip_space(reader);
  if (depth > JSON_MAX_DEPTH || reader->at == reader->end) return false;
  uint8_t first = *reader->at;
  if (first == '"') return json_read_string(reader, scratch, &length);
  if (first == 't') return json_take_word(reader, "true");
  if (first == 'f') return json_take_word(reader, "false");
  if (first == 'n') return json_take_word(reader, "null");
  if (first != '{' && first != '[') return json_skip_number(reader);

  uint8_t close = first == '{' ? '}' : ']';
  reader->at++;
  if (json_token(reader, close)) return true;
  do {
    if (first == '{' && !(json_read_string(reader, scratch, &length) && json_token(reader, ':'))) return false;
    if (!json_skip_value(reader, scratch, depth + 1)) return false;
  } while (json_token(reader, ','));
  return json_take(reader, close);
}

/** How many bytes `json_write_string` writes. */
static inline size_t json_string_length(const uint8_t *text, size_t length) {
  size_t total = 2;
  for (size_t i = 0; i < length; i++) {
    total += text[i] < 0x20 ? 6 : text[i] == '"' || text[i] == '\\' ? 2 : 1;
  }
  return total;
}

/** Writes a quoted and escaped string and returns where it ends. */
static inline uint8_t *json_write_string(uint8_t *out, const uint8_t *text, size_t length) {
  static const char hex[] = "0123456789abcdef";
  *out++ = '"';
  for (size_t i = 0; i < length; i++) {
    uint8_t c = text[i];
    if (c < 0x20) {
      __builtin_memcpy(out, "\\u00", 4);
      out[4] = (uint8_t)hex[c >> 4];
      out[5] = (uint8_t)hex[c & 15];
      out += 6;
    } else {
      if (c == '"' || c == '\\') *out++ = '\\';
      *out++ = c;
    }
  }
  *out++ = '"';
  return out;
}

#endif

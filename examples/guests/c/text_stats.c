// A guest in C, without libc and without imports.
//
//   text_stats  JSON in, JSON out: {"text": string} -> {"words", "lines", "bytes", "longest"}
//               or {"error": string} if the request is not such an object
//   reverse     bytes in, the same bytes in reverse order out
//   add, mul64, hypot   numbers
//
// Words are separated by ASCII space. `lines` counts a last line without a newline too,
// `bytes` is the length in UTF-8, `longest` is the first of the words with most characters.

#include "guest.h"
#include "json.h"

struct stats {
  uint32_t words, lines, bytes;
  const uint8_t *longest;
  size_t longest_bytes;
};

static bool is_space(uint8_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct stats measure(const uint8_t *text, size_t length) {
  struct stats stats = {.bytes = (uint32_t)length, .longest = text};
  size_t most = 0;
  for (size_t at = 0; at < length;) {
    size_t start = at, characters = 0;
    for (; at < length && !is_space(text[at]); at++) characters += (text[at] & 0xc0) != 0x80;
    if (at > start) stats.words++;
    if (characters > most) {
      most = characters;
      stats.longest = text + start;
      stats.longest_bytes = at - start;
    }
    for (; at < length && is_space(text[at]); at++) stats.lines += text[at] == '\n';
  }
  if (length > 0 && text[length - 1] != '\n') stats.lines++;
  return stats;
}

static bool equals(const uint8_t *text, size_t length, const char *word) {
  size_t i = 0;
  while (i < length && word[i] && text[i] == (uint8_t)word[i]) i++;
  return i == length && !word[i];
}

/** Reads the member "text" (the last one, as JSON.parse does) into `text`. */
static bool read_request(struct json_reader reader, uint8_t *scratch, uint8_t *text, size_t *length) {
  bool found = false;
  if (!json_token(&reader, '{')) return false;
  do {
    size_t key_length;
    if (!json_read_string(&reader, scratch, &key_length) || !json_token(&reader, ':')) return false;
    if (equals(scratch, key_length, "text")) {
      found = json_read_string(&reader, text, length);
      if (!found) return false;
    } else if (!json_skip_value(&reader, scratch, 0)) {
      return false;
    }
  } while (json_token(&reader, ','));
  return json_token(&reader, '}') && reader.at == reader.end && found;
}

static uint8_t *write_text(uint8_t *out, const char *text) {
  while (*text) *out++ = (uint8_t)*text++;
  return out;
}

static uint8_t *write_number(uint8_t *out, uint32_t number) {
  if (number >= 10) out = write_number(out, number / 10);
  *out++ = (uint8_t)('0' + number % 10);
  return out;
}

static uint64_t reply_stats(const struct stats *stats) {
  // The fixed text and three numbers of ten digits take fewer than 80 bytes.
  size_t most = 80 + json_string_length(stats->longest, stats->longest_bytes);
  uint8_t *reply = guest_need(most), *end = reply;
  end = write_number(write_text(end, "{\"words\":"), stats->words);
  end = write_number(write_text(end, ",\"lines\":"), stats->lines);
  end = write_number(write_text(end, ",\"bytes\":"), stats->bytes);
  end = json_write_string(write_text(end, ",\"longest\":"), stats->longest, stats->longest_bytes);
  end = write_text(end, "}");
  return guest_reply(reply, (size_t)(end - reply));
}

static uint64_t reply_error(const char *json, size_t length) {
  uint8_t *reply = guest_need(length);
  __builtin_memcpy(reply, json, length);
  return guest_reply(reply, length);
}

EXPORT("text_stats") uint64_t text_stats(const uint8_t *request, uint32_t length) {
  static const char error[] = "{\"error\":\"expected an object with a string \\\"text\\\"\"}";
  uint8_t *text = guest_need(length), *scratch = guest_need(length);
  size_t text_length = 0;
  struct json_reader reader = {request, request + length};
  bool valid = read_request(reader, scratch, text, &text_length);
  struct stats stats = measure(text, text_length);
  uint64_t reply = valid ? reply_stats(&stats) : reply_error(error, sizeof error - 1);
  guest_free(text, length);
  guest_free(scratch, length);
  return reply;
}

EXPORT("reverse") uint64_t reverse(const uint8_t *request, uint32_t length) {
  uint8_t *reply = guest_need(length);
  for (uint32_t i = 0; i < length; i++) reply[i] = request[length - 1 - i];
  return guest_reply(reply, length);
}

EXPORT("add") uint32_t add(uint32_t a, uint32_t b) {
  return a + b;
}

EXPORT("mul64") uint64_t mul64(uint64_t a, uint64_t b) {
  return a * b;
}

/** The length of (x, y) without overflow on the way. */
EXPORT("hypot") double hypot_of(double x, double y) {
  double a = __builtin_fabs(x), b = __builtin_fabs(y);
  if (a == __builtin_inf() || b == __builtin_inf()) return __builtin_inf();
  double larger = a > b ? a : b, ratio = (a > b ? b : a) / larger;
  if (larger == 0) return a + b;
  return larger * __builtin_sqrt(1 + ratio * ratio);
}

// A backtracking regular expression matcher over the lines of a generated log.
// Models text search: recursion into the pattern and a branch per character.
// Knows . ^ $ * + ? \d \w [a-z] [^a-z]; after Rob Pike's matcher.

#include "kernel.h"

#define LINES 160
#define LINE_BYTES 120

static const char *const patterns[] = {
  "^\\d+-\\d\\d", "ERROR [a-z]+", "[A-Z]+ .*user=\\w+", "timeout.*[13579]$", "q?u?e?r?y [^ ]* took \\d+ms$",
  ".*.*=x", "/[a-z]+/[a-z]+/\\d*5 ",
};

static char lines[LINES][LINE_BYTES];

static char *put(char *at, const char *text) {
  while (*text) *at++ = *text++;
  return at;
}

static char *put_number(char *at, uint32_t number) {
  if (number >= 10) at = put_number(at, number / 10);
  *at++ = (char)('0' + number % 10);
  return at;
}

static void write_line(char *at, uint32_t random) {
  static const char *const levels[] = {" INFO ", " WARN ", " ERROR ", " DEBUG "};
  static const char *const verbs[] = {"login user=", "timeout after ", "query /api/items/", "retry user=x"};
  at = put_number(at, 2000 + random % 30);
  at = put(at, "-0");
  at = put_number(at, 1 + random % 9);
  at = put(at, levels[random >> 8 & 3]);
  at = put(at, verbs[random >> 12 & 3]);
  at = put_number(at, random >> 16 & 0xfff);
  at = put(at, " took ");
  at = put_number(at, random % 977);
  at = put(at, random & 1 ? "ms" : "us");
  *at = 0;
}

/** The length of the pattern's first element without its repetition. */
static int element_length(const char *pattern) {
  if (*pattern == '\\') return 2;
  if (*pattern != '[') return 1;
  int length = 1;
  while (pattern[length] != ']') length++;
  return length + 1;
}

static int is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static int in_class(const char *pattern, char c) {
  int negated = pattern[1] == '^', found = 0;
  for (pattern += 1 + negated; *pattern != ']'; pattern++) {
    if (pattern[1] == '-' && pattern[2] != ']') {
      found |= c >= pattern[0] && c <= pattern[2];
      pattern += 2;
    } else {
      found |= c == *pattern;
    }
  }
  return found != negated;
}

static int matches_one(const char *pattern, char c) {
  if (c == 0) return 0;
  switch (*pattern) {
    case '.': return 1;
    case '[': return in_class(pattern, c);
    case '\\': return pattern[1] == 'd' ? c >= '0' && c <= '9' : is_word(c);
    default: return *pattern == c;
  }
}

/** The end of the longest match of `pattern` that starts at `text`, or null. */
static NOINLINE const char *match_here(const char *pattern, const char *text) {
  if (*pattern == 0) return text;
  if (pattern[0] == '$' && pattern[1] == 0) return *text == 0 ? text : NULL;
  int length = element_length(pattern);
  char repeat = pattern[length];
  if (repeat != '*' && repeat != '+' && repeat != '?') {
    return matches_one(pattern, *text) ? match_here(pattern + length, text + 1) : NULL;
  }
  int least = repeat == '+', most = repeat == '?' ? 1 : LINE_BYTES, count = 0;
  while (count < most && matches_one(pattern, text[count])) count++;
  for (; count >= least; count--) {
    const char *end = match_here(pattern + length + 1, text + count);
    if (end) return end;
  }
  return NULL;
}

static uint32_t search(const char *pattern, const char *line) {
  if (*pattern == '^') return match_here(pattern + 1, line) ? 1 : 0;
  for (const char *at = line; *at; at++) {
    const char *end = match_here(pattern, at);
    if (end) return (uint32_t)(at - line) << 8 | (uint32_t)(end - at);
  }
  return 0;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  check(search("b[^x]+\\d$", "abcd1") == (1 << 8 | 4));
  for (int32_t round = 0; round < n; round++) {
    uint32_t seed = seed_of(round);
    for (int i = 0; i < LINES; i++) write_line(lines[i], next_random(&seed));
    for (size_t p = 0; p < COUNT_OF(patterns); p++) {
      for (int i = 0; i < LINES; i++) sum = mix(sum, search(patterns[p], lines[i]));
    }
  }
  return (int32_t)sum;
}

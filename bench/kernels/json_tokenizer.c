// Tokenises a generated JSON document and checks its nesting.
// Models parsers: a branch per byte, strings with escapes, numbers into doubles.

#include "kernel.h"

#define DOCUMENT_BYTES (512 * 1024)
#define RECORD_BYTES 256
#define MAX_DEPTH 32
#define PASSES 9

static char document[DOCUMENT_BYTES + RECORD_BYTES];
static size_t written;

static void put(const char *text) {
  while (*text) document[written++] = *text++;
}

static void put_number(uint32_t number) {
  char digits[11] = {0};
  int at = 10;
  do digits[--at] = (char)('0' + number % 10);
  while (number /= 10);
  put(digits + at);
}

static void write_document(uint32_t seed) {
  written = 0;
  put("[");
  while (written < DOCUMENT_BYTES) {
    uint32_t random = next_random(&seed);
    put(written > 1 ? ",\n  {\"id\": " : "\n  {\"id\": ");
    put_number(random);
    put(random & 1 ? ", \"name\": \"Zo\\u00eb \\\"Z\\\" \\\\ Smith\"" : ", \"name\": \"Anna\"");
    put(", \"score\": -");
    put_number(random % 1000);
    put(random & 2 ? ".25e-3" : ".5");
    put(random & 4 ? ", \"tags\": [\"a\", \"bc\", []], " : ", \"tags\": {\"x\": {}}, ");
    put(random & 8 ? "\"active\": true, \"note\": null}" : "\"active\": false}");
  }
  put("\n]\n");
}

enum token { END, OPEN, CLOSE, COMMA, COLON, STRING, NUMBER, WORD };

struct lexer {
  const char *at, *end;
  char open[MAX_DEPTH];
  uint32_t depth, length;
  double number;
};

static inline int is_digit(char c) {
  return c >= '0' && c <= '9';
}

static enum token read_string(struct lexer *lexer) {
  const char *start = lexer->at;
  for (; *lexer->at != '"'; lexer->at++) {
    check(lexer->at < lexer->end && (uint8_t)*lexer->at >= 0x20);
    if (*lexer->at == '\\') lexer->at++;
  }
  lexer->length = (uint32_t)(lexer->at++ - start);
  return STRING;
}

static enum token read_number(struct lexer *lexer) {
  const char *at = lexer->at;
  double value = 0, unit = 1;
  int negative = *at == '-', exponent = 0, divide;
  for (at += negative; is_digit(*at); at++) value = value * 10 + (*at - '0');
  if (*at == '.') {
    for (at++; is_digit(*at); at++) value += (*at - '0') * (unit /= 10);
  }
  if (*at == 'e' || *at == 'E') {
    divide = *++at == '-';
    for (at += divide; is_digit(*at); at++) exponent = exponent * 10 + (*at - '0');
    for (; exponent > 0; exponent--) value = divide ? value / 10 : value * 10;
  }
  lexer->at = at;
  lexer->number = negative ? -value : value;
  return NUMBER;
}

static enum token next_token(struct lexer *lexer) {
  while (*lexer->at == ' ' || *lexer->at == '\n') lexer->at++;
  if (lexer->at >= lexer->end) return END;
  char c = *lexer->at;
  switch (c) {
    case '[': case '{':
      check(lexer->depth < MAX_DEPTH);
      lexer->open[lexer->depth++] = *lexer->at++;
      return OPEN;
    case ']': case '}':
      // In ASCII a closing bracket is its opening one plus 2.
      check(lexer->depth > 0 && lexer->open[--lexer->depth] + 2 == *lexer->at++);
      return CLOSE;
    case ',': lexer->at++; return COMMA;
    case ':': lexer->at++; return COLON;
    case '"': lexer->at++; return read_string(lexer);
    default:
      if (is_digit(c) || c == '-') return read_number(lexer);
      while (*lexer->at >= 'a' && *lexer->at <= 'z') lexer->at++;
      return WORD;
  }
}

static NOINLINE uint32_t tokenize(uint32_t sum) {
  struct lexer lexer = {.at = document, .end = document + written};
  for (enum token token; (token = next_token(&lexer)) != END;) {
    sum = mix(sum, token);
    if (token == NUMBER) sum = mix_f64(sum, lexer.number);
    if (token == STRING) sum = mix(sum, lexer.length);
  }
  check(lexer.depth == 0);
  return sum;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    write_document(seed_of(round));
    for (int pass = 0; pass < PASSES; pass++) sum = tokenize(sum);
  }
  return (int32_t)sum;
}

// A guest that works out formulas, without libc and without imports.
//
//   process   JSON in, JSON out: {"data": "2 * (price + 1)", "values": {"price": 3}}
//             -> {"result": "8", "status": "ok"} or {"error": string}
//
// There are + - * / ^ ! and parentheses. x! multiplies one number after the other, however
// many those are: it is the sandbox that ends 1e300! in time.
//
// examples/wrappers/build.sh compiles it.

#include "../guests/c/guest.h"
#include "../guests/c/json.h"

#define MAX_DEPTH 64
#define MAX_VALUES 64
#define DIGITS 15

struct value {
  const uint8_t *name;
  size_t length;
  double number;
};

struct formula {
  const uint8_t *at, *end;
  const struct value *values;
  size_t value_count;
  const char *error;
};

static bool is_digit(uint8_t c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool same(const uint8_t *a, const uint8_t *b, size_t length) {
  while (length > 0 && *a++ == *b++) length--;
  return length == 0;
}

static double power_of_ten(int exponent) {
  double power = 1;
  for (int i = exponent < 0 ? -exponent : exponent; i > 0 && power < 1e308; i--) power *= 10;
  return exponent < 0 ? 1 / power : power;
}

/** Reads a number without a sign; it must begin with a digit. */
static double read_number(const uint8_t **at, const uint8_t *end) {
  double number = 0;
  int scale = 0, exponent = 0;
  while (*at < end && is_digit(**at)) number = number * 10 + (*(*at)++ - '0');
  if (*at < end && **at == '.') {
    for (++*at; *at < end && is_digit(**at); scale--) number = number * 10 + (*(*at)++ - '0');
  }
  if (*at < end && (**at == 'e' || **at == 'E')) {
    ++*at;
    bool negative = *at < end && **at == '-';
    if (*at < end && (**at == '-' || **at == '+')) ++*at;
    while (*at < end && is_digit(**at)) {
      int digit = *(*at)++ - '0';
      if (exponent < 1000) exponent = exponent * 10 + digit;
    }
    if (negative) exponent = -exponent;
  }
  int power = exponent + scale;
  return power < 0 ? number / power_of_ten(-power) : number * power_of_ten(power);
}

static double fail(struct formula *formula, const char *error) {
  if (!formula->error) formula->error = error;
  formula->at = formula->end;
  return 0;
}

static bool take(struct formula *formula, uint8_t byte) {
  while (formula->at < formula->end && *formula->at == ' ') formula->at++;
  if (formula->at == formula->end || *formula->at != byte) return false;
  formula->at++;
  return true;
}

static double sum(struct formula *formula, int depth);

static double named(struct formula *formula) {
  const uint8_t *start = formula->at;
  while (formula->at < formula->end && (is_letter(*formula->at) || is_digit(*formula->at))) formula->at++;
  size_t length = (size_t)(formula->at - start);
  for (size_t i = 0; i < formula->value_count; i++) {
    const struct value *value = &formula->values[i];
    if (value->length == length && same(value->name, start, length)) return value->number;
  }
  return fail(formula, "a name has no value");
}

static double operand(struct formula *formula, int depth) {
  if (depth > MAX_DEPTH) return fail(formula, "it is nested too deep");
  if (take(formula, '-')) return -operand(formula, depth + 1);
  if (take(formula, '(')) {
    double value = sum(formula, depth + 1);
    return take(formula, ')') ? value : fail(formula, "a parenthesis is not closed");
  }
  if (formula->at == formula->end) return fail(formula, "a number is missing");
  if (is_digit(*formula->at)) return read_number(&formula->at, formula->end);
  return is_letter(*formula->at) ? named(formula) : fail(formula, "a number is missing");
}

/** Takes as long as the number is large. */
static double factorial(double number) {
  double product = 1;
  for (double factor = 2; factor <= number; factor++) product *= factor;
  return product;
}

static double power(struct formula *formula, int depth) {
  double base = operand(formula, depth);
  while (take(formula, '!')) base = factorial(base);
  if (!take(formula, '^')) return base;
  double exponent = power(formula, depth + 1), result = 1;
  if (exponent != __builtin_trunc(exponent) || __builtin_fabs(exponent) > 1e6) {
    return fail(formula, "an exponent is no whole number");
  }
  for (double i = __builtin_fabs(exponent); i > 0; i--) result *= base;
  return exponent < 0 ? 1 / result : result;
}

static double product(struct formula *formula, int depth) {
  double value = power(formula, depth);
  for (;;) {
    if (take(formula, '*')) value *= power(formula, depth);
    else if (take(formula, '/')) value /= power(formula, depth);
    else return value;
  }
}

static double sum(struct formula *formula, int depth) {
  double value = product(formula, depth);
  for (;;) {
    if (take(formula, '+')) value += product(formula, depth);
    else if (take(formula, '-')) value -= product(formula, depth);
    else return value;
  }
}

static uint8_t *write_text(uint8_t *out, const char *text) {
  while (*text) *out++ = (uint8_t)*text++;
  return out;
}

static uint8_t *write_whole(uint8_t *out, uint64_t number) {
  if (number >= 10) out = write_whole(out, number / 10);
  *out++ = (uint8_t)('0' + number % 10);
  return out;
}

/** Writes a finite number with at most fifteen digits. */
static uint8_t *write_number(uint8_t *out, double number) {
  if (number < 0) *out++ = '-';
  double value = __builtin_fabs(number);
  if (value < 1e-290) return write_text(out, "0");
  int exponent = 0;
  for (double rest = value; rest >= 10; rest /= 10) exponent++;
  for (double rest = value; rest < 1; rest *= 10) exponent--;
  int places = DIGITS - 1 - exponent;
  double scaled = places < 0 ? value / power_of_ten(-places) : value * power_of_ten(places);
  uint64_t digits = (uint64_t)(scaled + 0.5);
  for (; digits % 10 == 0; places--) digits /= 10;
  if (places <= 0 && exponent <= DIGITS) {
    out = write_whole(out, digits);
    for (; places < 0; places++) *out++ = '0';
    return out;
  }
  if (places > 0 && places <= DIGITS) {
    uint64_t unit = (uint64_t)power_of_ten(places);
    out = write_whole(out, digits / unit);
    *out++ = '.';
    for (digits %= unit; places > 0; places--) {
      unit /= 10;
      *out++ = (uint8_t)('0' + digits / unit % 10);
    }
    return out;
  }
  out = write_whole(out, digits);
  *out++ = 'e';
  if (places > 0) *out++ = '-';
  return write_whole(out, (uint64_t)(places < 0 ? -places : places));
}

static bool read_values(struct json_reader *reader, uint8_t **text, struct value *values, size_t *count) {
  if (!json_token(reader, '{')) return false;
  if (json_token(reader, '}')) return true;
  do {
    struct value value = {*text, 0, 0};
    if (*count == MAX_VALUES || !json_read_string(reader, *text, &value.length)) return false;
    *text += value.length;
    if (!json_token(reader, ':')) return false;
    bool negative = json_take(reader, '-');
    if (reader->at == reader->end || !is_digit(*reader->at)) return false;
    value.number = read_number(&reader->at, reader->end);
    if (negative) value.number = -value.number;
    values[(*count)++] = value;
  } while (json_token(reader, ','));
  return json_token(reader, '}');
}

/** Whether it is the name, as it is written. */
static bool is(const uint8_t *text, size_t length, const char *name) {
  for (; length > 0 && *name; length--) {
    if (*text++ != (uint8_t)*name++) return false;
  }
  return length == 0 && !*name;
}

/** Reads `data` and `values`; other names are left alone. `text` keeps what is read. */
static bool read_request(struct json_reader reader, uint8_t *text, struct value *values, struct formula *formula) {
  bool found = false;
  if (!json_token(&reader, '{') || json_token(&reader, '}')) return false;
  do {
    size_t length;
    if (!json_read_string(&reader, text, &length) || !json_token(&reader, ':')) return false;
    if (is(text, length, "data")) {
      if (!json_read_string(&reader, text, &length)) return false;
      formula->at = text;
      formula->end = text += length;
      found = true;
    } else if (is(text, length, "values")) {
      if (!read_values(&reader, &text, values, &formula->value_count)) return false;
    } else if (!json_skip_value(&reader, text, 0)) {
      return false;
    }
  } while (json_token(&reader, ','));
  return json_token(&reader, '}') && reader.at == reader.end && found;
}

EXPORT("process") uint64_t process(const uint8_t *request, uint32_t length) {
  struct value values[MAX_VALUES];
  struct formula formula = {NULL, NULL, values, 0, NULL};
  uint8_t *text = guest_need(length), *reply = guest_need(128), *end = reply;
  double value = 0;
  if (!read_request((struct json_reader){request, request + length}, text, values, &formula)) {
    formula.error = "the request is no formula";
  } else {
    value = sum(&formula, 0);
    if (formula.at < formula.end) fail(&formula, "something is left over");
    if (value - value != 0) fail(&formula, "the result is no number");
  }
  if (formula.error) {
    end = write_text(write_text(write_text(end, "{\"error\":\""), formula.error), "\"}");
  } else {
    end = write_text(write_number(write_text(end, "{\"result\":\""), value), "\",\"status\":\"ok\"}");
  }
  guest_free(text, length);
  return guest_reply(reply, (size_t)(end - reply));
}

/*
 * A plugin that keeps a sum. Built in several versions, which differ in VERSION (a number):
 *
 * 1  as it should be
 * 2  as it should be, and counts calls
 * 3  is not well: health says that it has failed
 * 4  has lost an export that the host requires (add is called plus)
 * 5  cannot take the state of the version before
 */

#define WASM_SANDBOX_IMPLEMENTATION
#include "../../../communication/guest/c/wasm_sandbox.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static int64_t sum;

static wasm_sandbox_bytes number(int64_t value) {
  char digits[24];
  uint32_t at = sizeof digits;
  uint64_t rest = value < 0 ? 0u - (uint64_t)value : (uint64_t)value;
  do {
    digits[--at] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest);
  if (value < 0) digits[--at] = '-';
  return wasm_sandbox_copy(digits + at, sizeof digits - at);
}

static int64_t read_number(const uint8_t *text, uint32_t length) {
  int64_t value = 0;
  int negative = length > 0 && text[0] == '-';
  for (uint32_t i = negative ? 1 : 0; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
    value = value * 10 + (text[i] - '0');
  }
  return negative ? -value : value;
}

WASM_SANDBOX_HANDLER(plugin_version, request) {
  (void)request;
  return wasm_sandbox_copy_text("\"" TEXT(VERSION) ".0.0\"");
}

#if VERSION == 4
WASM_SANDBOX_HANDLER(plus, request) {
#else
WASM_SANDBOX_HANDLER(add, request) {
#endif
  sum += read_number(request.data, request.length);
  return number(sum);
}

/* Takes as many rounds as it is told: a call that goes on while the plugin is replaced. */
WASM_SANDBOX_HANDLER(work, request) {
  int64_t rounds = read_number(request.data, request.length);
  volatile uint32_t hash = 2166136261u;
  for (int64_t i = 0; i < rounds; i++) hash = (hash ^ (uint32_t)i) * 16777619u;
  return number(VERSION);
}

/* Asks the host, and so waits for it. */
WASM_SANDBOX_HANDLER(ask, request) {
  wasm_sandbox_answer answer = wasm_sandbox_call("test.wait", request.data, request.length);
  if (answer.status) return wasm_sandbox_refuse(answer);
  return number(VERSION);
}

WASM_SANDBOX_HANDLER(crash, request) {
  (void)request;
  __builtin_trap();
}

WASM_SANDBOX_HANDLER(health, request) {
  (void)request;
#if VERSION == 3
  wasm_sandbox_fail("no database");
#endif
  return wasm_sandbox_copy_text("null");
}

WASM_SANDBOX_HANDLER(save_state, request) {
  (void)request;
  return number(sum);
}

WASM_SANDBOX_HANDLER(restore_state, request) {
#if VERSION == 5
  (void)request;
  __builtin_trap();
#else
  sum = read_number(request.data, request.length);
  return wasm_sandbox_copy_text("");
#endif
}

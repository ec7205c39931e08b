// A plug-in in C, on declarations of its own: what other tests need.
#include "extism.h"

// Counts the bytes of the input that are vowels.
EXPORT(vowels) int vowels(void) {
  unsigned long long length = extism_input_length();
  unsigned count = 0;
  for (unsigned long long i = 0; i < length; i++) {
    switch (extism_input_load_u8(i) | 0x20) {
      case 'a':
      case 'e':
      case 'i':
      case 'o':
      case 'u':
        count++;
    }
  }
  handle output = extism_alloc(8);
  extism_store_u64(output, count);
  extism_output(output);
  return 0;
}

// Gives the input itself as the output.
EXPORT(echo) int echo(void) {
  extism_output_set(extism_input_offset(), extism_input_length());
  return 0;
}

// Makes the request that the input is, and gives the body of the response. The
// status is the result of another call.
EXPORT(fetch) int fetch(void) {
  extism_output(extism_http_request(extism_input_offset(), 0));
  return 0;
}

// As fetch, but posts the text "ping" and gives the response's headers.
EXPORT(headers) int headers(void) {
  extism_http_request(extism_input_offset(), extism_text("ping"));
  extism_output(extism_http_headers());
  return extism_http_status_code() == 200 ? 0 : 1;
}

// Sets the input as its error, and returns as if nothing was wrong.
EXPORT(complain) int complain(void) {
  extism_log_error(extism_text("about to complain"));
  extism_error_set(extism_input_offset());
  return 0;
}

// Sets an error, and traps.
EXPORT(panic) int panic(void) {
  extism_error_set(extism_text("panicked"));
  __builtin_trap();
}

// Sets no output.
EXPORT(silent) void silent(void) {}

// Gives an output of no bytes.
EXPORT(nothing) int nothing(void) {
  extism_output_set(0, 0);
  return 0;
}

static unsigned long long calls;

// Gives how often it was called.
EXPORT(count) int count(void) {
  handle output = extism_alloc(8);
  extism_store_u64(output, ++calls);
  extism_output(output);
  return 0;
}

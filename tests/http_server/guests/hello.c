// The smallest handlers: "hello, world" as JSON.
//
//   handle           for the format "json"
//   handle_envelope  for the format "envelope"

#define WASM_SANDBOX_IMPLEMENTATION
#include "../../../communication/guest/c/wasm_sandbox.h"

WASM_SANDBOX_HANDLER(handle, request) {
  (void)request;
  return wasm_sandbox_copy_text("{\"body\":{\"hello\":\"world\"}}");
}

#define HEADER "{\"status\":200,\"headers\":[[\"content-type\",\"application/json\"]]}"
#define BODY "{\"hello\":\"world\"}"

WASM_SANDBOX_HANDLER(handle_envelope, request) {
  (void)request;
  static const char reply[] = "\0\0\0\0" HEADER BODY;
  wasm_sandbox_bytes copy = wasm_sandbox_copy(reply, sizeof reply - 1);
  if (copy.data) copy.data[0] = sizeof HEADER - 1;
  return copy;
}

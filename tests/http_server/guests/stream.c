// A handler that reads the body and writes the reply piece by piece.
//
//   /copy    answers with the body, as it comes
//   /sum     reads all, and answers with an envelope
//   /endless writes for ever
//   /early   writes before it has begun
//   /half    begins, writes a little, and traps
//   /twice   begins twice
//   /stuck   begins, and spins

#define WASM_SANDBOX_IMPLEMENTATION
#include "../../../communication/guest/c/wasm_sandbox.h"

static uint8_t buffer[65536];
static volatile uint32_t sink;

static int is(wasm_sandbox_bytes request, const char *name) {
  uint32_t slashes = 0;
  for (uint32_t at = 4; at < request.length; at++) {
    if (request.data[at] != '/' || ++slashes != 3) continue;
    const uint8_t *path = request.data + at;
    while (*name && *path == (uint8_t)*name) path++, name++;
    return *name == 0;
  }
  return 0;
}

#define HEAD "{\"status\":200,\"headers\":[[\"content-type\",\"text/plain\"]]}"

static uint32_t respond(void) {
  wasm_sandbox_answer answer = wasm_sandbox_call("http.respond", HEAD, sizeof HEAD - 1);
  wasm_sandbox_release(answer.bytes);
  return answer.status;
}

static wasm_sandbox_bytes whole(const char *text) {
  const uint32_t header = sizeof HEAD - 1, length = wasm_sandbox_text_length(text);
  wasm_sandbox_bytes out = wasm_sandbox_allocate(4 + header + length);
  if (!out.data) return out;
  __builtin_memcpy(out.data, &header, 4);
  __builtin_memcpy(out.data + 4, HEAD, header);
  __builtin_memcpy(out.data + 4 + header, text, length);
  return out;
}

WASM_SANDBOX_HANDLER(handle, request) {
  wasm_sandbox_bytes nothing = wasm_sandbox_view(0, 0);
  if (is(request, "/sum")) {
    uint32_t bytes = 0;
    int32_t read;
    while ((read = wasm_sandbox_host_read(buffer, sizeof buffer)) > 0) bytes += (uint32_t)read;
    if (read < 0) return whole("failed");
    char digits[11] = "0000000000";
    for (int at = 9; at >= 0; at--, bytes /= 10) digits[at] = (char)('0' + bytes % 10);
    return whole(digits);
  }
  if (!is(request, "/early") && respond() != 0) return whole("refused");
  if (is(request, "/twice")) {
    const char *said = respond() == 0 ? "twice" : "once";
    wasm_sandbox_host_write(said, wasm_sandbox_text_length(said));
  } else if (is(request, "/copy")) {
    int32_t read;
    while ((read = wasm_sandbox_host_read(buffer, sizeof buffer)) > 0) {
      if (wasm_sandbox_host_write(buffer, (uint32_t)read) < 0) break;
    }
  } else {
    do {
      if (wasm_sandbox_host_write(buffer, sizeof buffer) < 0) break;
      if (is(request, "/half")) __builtin_trap();
      if (is(request, "/stuck")) for (;;) sink++;
    } while (is(request, "/endless"));
  }
  return nothing;
}

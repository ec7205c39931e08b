// A handler for envelopes that does what the path of the URL says, good or bad.
//
//   /echo   answers with the body
//   /head   answers with the head, as the guest was told of it
//   /raw    answers with the body as the whole message: the client chooses every byte of it
//   /count  answers with a letter: a for the first call of the instance, b for the second
//   /spin /trap /grow /deep /lie /fail   does not answer

#define WASM_SANDBOX_IMPLEMENTATION
#include "../../../communication/guest/c/wasm_sandbox.h"

#define HEADER "{\"status\":200,\"headers\":[[\"content-type\",\"text/plain\"]]}"

static uint32_t calls;
static volatile uint32_t sink;

static wasm_sandbox_bytes reply(wasm_sandbox_bytes body) {
  const uint32_t header = sizeof HEADER - 1;
  wasm_sandbox_bytes out = wasm_sandbox_allocate(4 + header + body.length);
  if (!out.data) return out;
  __builtin_memcpy(out.data, &header, 4);
  __builtin_memcpy(out.data + 4, HEADER, header);
  if (body.length) __builtin_memcpy(out.data + 4 + header, body.data, body.length);
  return out;
}

// What follows the origin of the URL, in the head: {"method":"GET","url":"http://host/path…
static const uint8_t *path_of(wasm_sandbox_bytes head) {
  uint32_t slashes = 0;
  for (uint32_t at = 0; at < head.length; at++) {
    if (head.data[at] == '/' && ++slashes == 3) return head.data + at;
  }
  return (const uint8_t *)"/";
}

static int is(const uint8_t *path, const char *name) {
  while (*name && *path == (uint8_t)*name) path++, name++;
  return *name == 0;
}

__attribute__((noinline)) static uint32_t deep(uint32_t depth) {
  volatile uint32_t here[64];
  here[depth % 64] = depth;
  return sink == 77 ? here[0] : deep(depth + 1) + here[depth % 64];
}

WASM_SANDBOX_HANDLER(handle, request) {
  uint32_t length;
  __builtin_memcpy(&length, request.data, 4);
  wasm_sandbox_bytes head = wasm_sandbox_view(request.data + 4, length);
  wasm_sandbox_bytes body =
      wasm_sandbox_view(request.data + 4 + length, request.length - 4 - length);
  const uint8_t *path = path_of(head);
  calls++;
  if (is(path, "/echo")) return reply(body);
  if (is(path, "/head")) return reply(head);
  if (is(path, "/raw")) return wasm_sandbox_copy(body.data, body.length);
  if (is(path, "/count")) {
    uint8_t letter = (uint8_t)('a' + calls - 1);
    return reply(wasm_sandbox_view(&letter, 1));
  }
  if (is(path, "/spin")) for (;;) sink++;
  if (is(path, "/trap")) __builtin_trap();
  if (is(path, "/grow")) {
    while (__builtin_wasm_memory_grow(0, 16) != (unsigned long)-1) sink++;
    __builtin_trap();
  }
  if (is(path, "/deep")) sink = deep(0);
  if (is(path, "/lie")) return wasm_sandbox_view((void *)0xfffffff0, 0xfffffff0);
  if (is(path, "/fail")) wasm_sandbox_fail("a secret of the guest's");
  return reply(wasm_sandbox_view("?", 1));
}

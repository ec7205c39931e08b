/* A guest that means ill: each export does one thing that it should not. */

#include "text.h"

WASM_SANDBOX_HANDLER(echo, request) { return request; }

WASM_SANDBOX_HANDLER(spin, request) {
  volatile uint32_t turns = request.length;
  for (;;) turns++;
}

WASM_SANDBOX_HANDLER(bomb, request) {
  (void)request;
  for (;;) {
    uint8_t *piece = wasm_sandbox_alloc(1 << 20);
    if (!piece) __builtin_trap();
    for (uint32_t i = 0; i < 1 << 20; i += 4096) piece[i] = 1;
  }
}

WASM_SANDBOX_HANDLER(crash, request) {
  (void)request;
  __builtin_trap();
}

WASM_SANDBOX_HANDLER(not_json, request) {
  (void)request;
  return wasm_sandbox_copy_text("{\"content\":");
}

/** As many brackets as a reply may have bytes. */
WASM_SANDBOX_HANDLER(deep, request) {
  builder reply = start(400000);
  (void)request;
  add(&reply, "{\"content\":[],\"structuredContent\":{\"a\":");
  for (int i = 0; i < 100000; i++) add(&reply, "[");
  for (int i = 0; i < 100000; i++) add(&reply, "]");
  add(&reply, "}}");
  return built(reply);
}

WASM_SANDBOX_HANDLER(huge, request) {
  builder reply = start(8 << 20);
  (void)request;
  add(&reply, "\"");
  for (int i = 0; i < (8 << 20) - 2; i++) add(&reply, "a");
  add(&reply, "\"");
  return built(reply);
}

WASM_SANDBOX_HANDLER(many, request) {
  builder reply = start(100000);
  (void)request;
  add(&reply, "{\"content\":[");
  for (int i = 0; i < 2000; i++) add(&reply, "{\"type\":\"text\",\"text\":\"x\"},");
  add(&reply, "{\"type\":\"text\",\"text\":\"x\"}]}");
  return built(reply);
}

#define REPLIES(name, ...)                              \
  WASM_SANDBOX_HANDLER(name, request) {                 \
    (void)request;                                      \
    return wasm_sandbox_copy_text(JSON(__VA_ARGS__));   \
  }

REPLIES(unknown_type, {"content": [{"type": "html", "text": "x"}]})
REPLIES(bad_base64, {"content": [{"type": "image", "data": "???", "mimeType": "image/png"}]})
REPLIES(bad_mime, {"content": [{"type": "image", "data": "AAAA", "mimeType": "image/png\r\nx: y"}]})
REPLIES(extra, {"content": [{"type": "text", "text": "x", "_meta": {"secret": 1}}]})
REPLIES(no_text, {"content": [{"type": "text"}]})
REPLIES(not_list, {"content": [1, null, "x"]})
REPLIES(bad_flag, {"content": [], "isError": "no"})
REPLIES(bad_link, {"content": [{"type": "resource_link", "uri": "no uri", "name": "x"}]})
REPLIES(prototype, {"content": [], "structuredContent": {"__proto__": {"polluted": true}, "n": 1}})
REPLIES(in_content, {"content": [{"type": "text", "text": "x", "__proto__": {"type": "image"}}]})
REPLIES(wrong_shape, {"n": "not a number"})
REPLIES(half_pair, "\ud800")
REPLIES(right_shape, {"n": 1})

/** Tells the client more than it can bear. */
WASM_SANDBOX_HANDLER(flood, request) {
  static const char line[] = JSON({"level": "error", "data": "x"});
  (void)request;
  for (uint32_t count = 0;; count++) {
    wasm_sandbox_answer answer = wasm_sandbox_call("mcp.log", line, sizeof line - 1);
    if (answer.status) return wasm_sandbox_refuse(answer);
    wasm_sandbox_release(answer.bytes);
  }
}

/** Passes its request on to a function of the host, whose name is the first member. */
WASM_SANDBOX_HANDLER(ask, request) {
  char name[64];
  wasm_sandbox_bytes which = member(request, "\"function\":\"");
  uint32_t at = find(request, "\"input\":", 0) + 8;
  wasm_sandbox_answer answer;
  if (which.length >= sizeof name || at >= request.length) __builtin_trap();
  __builtin_memcpy(name, which.data, which.length);
  name[which.length] = 0;
  answer = wasm_sandbox_call(name, request.data + at, request.length - at - 1);
  if (answer.status) return wasm_sandbox_refuse(answer);
  return answer.bytes;
}

/** Remembers what it was asked last. */
WASM_SANDBOX_HANDLER(remember, request) {
  static uint32_t calls;
  (void)request;
  calls++;
  return wasm_sandbox_copy(calls == 1 ? "1" : "2", 1);
}

REPLIES(describe_echo, {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})
REPLIES(describe_shadow, {"tools": [{"name": "mine", "handler": "echo"}]})
REPLIES(describe_twice, {"tools": [{"name": "echo"}, {"name": "echo"}]})
REPLIES(describe_name, {"tools": [{"name": "no name", "handler": "echo"}]})
REPLIES(describe_proto, {"tools": [{"name": "__proto__", "handler": "echo"}]})
REPLIES(describe_missing, {"tools": [{"name": "absent"}]})
REPLIES(describe_hidden, {"tools": [{"name": "echo", "description": "a\u202eb"}]})
REPLIES(describe_escape, {"tools": [{"name": "echo", "description": "a\u001b[2Jb"}]})
REPLIES(describe_tags, {"tools": [{"name": "echo", "description": "a\udb40\udc41"}]})
REPLIES(describe_schema, {"tools": [{"name": "echo", "inputSchema": {"type": "strin"}}]})
REPLIES(describe_keyword,
        {"tools": [{"name": "echo", "inputSchema": {"type": "object", "required": 1}}]})
REPLIES(describe_loop, {"tools": [{
  "name": "echo",
  "inputSchema": {"type": "object", "properties": {"a": {"$ref": "#"}}}
}]})
REPLIES(describe_remote, {"tools": [{
  "name": "echo",
  "inputSchema": {"type": "object", "$ref": "http://127.0.0.1/schema"}
}]})
REPLIES(describe_pattern, {"tools": [{
  "name": "echo",
  "inputSchema": {"type": "object", "properties": {"a": {"pattern": "^(?=(a+))\\1$"}}}
}]})
REPLIES(describe_slow, {"tools": [{
  "name": "echo",
  "inputSchema": {
    "type": "object",
    "properties": {"a": {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}}
  }
}]})
REPLIES(describe_uri, {"resources": [{"uri": "no uri", "name": "x", "text": "x"}]})
REPLIES(describe_template, {"resourceTemplates": [{
  "uriTemplate": "x://{+path*}",
  "name": "x",
  "handler": "echo"
}]})
REPLIES(describe_member, {"tools": [{"name": "echo", "policy": [{"type": "network"}]}]})
REPLIES(describe_list, {"tools": {"name": "echo"}})
REPLIES(describe_text, "tools")

/** More tools than anybody reads. */
WASM_SANDBOX_HANDLER(describe_flood, request) {
  builder reply = start(1 << 18);
  (void)request;
  add(&reply, "{\"tools\":[");
  for (uint32_t i = 0; i < 1000; i++) {
    char digits[4] = {(char)('0' + i / 100), (char)('0' + i / 10 % 10), (char)('0' + i % 10), 0};
    add(&reply, i ? ",{\"name\":\"t" : "{\"name\":\"t");
    add(&reply, digits);
    add(&reply, "\",\"handler\":\"echo\"}");
  }
  add(&reply, "]}");
  return built(reply);
}

WASM_SANDBOX_HANDLER(describe_spin, request) {
  volatile uint32_t turns = request.length;
  for (;;) turns++;
}

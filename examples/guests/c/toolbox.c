// A guest in C, without libc, that uses all of communication/guest/c/wasm_sandbox.h. The same
// guest is there in every language of communication/guest.
//
//   greet        a JSON string -> {"greeting":"Hello, NAME!"}
//   echo         bytes -> the same bytes
//   reverse      bytes -> the same bytes in reverse order
//   lookup       JSON -> what the host function "kv.get" answers; fails with its fault
//   relay        bytes -> what the host function "blob.turn" answers; fails with its fault
//   store_error  as lookup -> {"status":0,"answer":…}, or {"status":N,"fault":…}
//   converse     milliseconds, or -1 -> answers each message of the channel with {"echo":…}, until
//                it is closed or no message came in time: {"messages":N,"timedOut":false}
//   upper        the source, with ASCII in upper case, into the sink: {"bytes":N}
//   sip          a number of bytes, at most 64 -> copies the source in pieces of no more, after an
//                empty one: {"reads":N,"bytes":N}
//   chatter      JSON -> one line of log of each level: {"lines":5}
//   refuse       JSON -> fails, and says so
//   fetch        a JSON string, an URL -> posts "ping": {"header":…,"bytes":N}
//   host_version the version of the ABI that the host speaks, as a number

#define WASM_SANDBOX_IMPLEMENTATION
#include "../../../communication/guest/c/wasm_sandbox.h"

typedef wasm_sandbox_bytes bytes;

static const bytes nothing;
static uint8_t piece[64 * 1024];

/** Text that is put together in a place of a fixed size. */
struct text {
  uint32_t length;
  char data[256];
};

static void put(struct text *text, const char *more) {
  while (*more && text->length < sizeof text->data) text->data[text->length++] = *more++;
}

static void put_number(struct text *text, uint64_t number) {
  if (number >= 10) put_number(text, number / 10);
  if (text->length < sizeof text->data) text->data[text->length++] = (char)('0' + number % 10);
}

/** `before`, `middle` and `after` in one block. */
static bytes join(const char *before, bytes middle, const char *after) {
  uint32_t first = wasm_sandbox_text_length(before), last = wasm_sandbox_text_length(after);
  bytes whole = wasm_sandbox_allocate(first + middle.length + last);
  if (!whole.data) {
    wasm_sandbox_fail("no memory for the reply");
    return nothing;
  }
  __builtin_memcpy(whole.data, before, first);
  if (middle.length) __builtin_memcpy(whole.data + first, middle.data, middle.length);
  __builtin_memcpy(whole.data + first + middle.length, after, last);
  return whole;
}

/** As `join`; the block in the middle is freed. */
static bytes wrap(const char *before, bytes middle, const char *after) {
  bytes whole = join(before, middle, after);
  wasm_sandbox_release(middle);
  return whole;
}

static bytes fail(const char *reason) {
  wasm_sandbox_fail(reason);
  return nothing;
}

/** What send, read or write has told of ends the export. */
static bytes fail_with_fault(void) {
  static uint8_t document[WASM_SANDBOX_FAULT_BYTES];
  char reason[512];
  bytes fault = wasm_sandbox_take_fault(document, sizeof document);
  wasm_sandbox_fault_text(fault, "message", reason, sizeof reason);
  return fail(reason);
}

/** What the host writes has no space around it: a string begins and ends with a quote. */
static int is_string(bytes json) {
  return json.length > 1 && json.data[0] == '"' && json.data[json.length - 1] == '"';
}

/** A JSON number without fraction; anything else is 0. */
static int32_t integer_of(bytes json) {
  uint32_t at = json.length && json.data[0] == '-', negative = at;
  int32_t number = 0;
  for (; at < json.length && json.data[at] >= '0' && json.data[at] <= '9' && number < 100000000; at++) {
    number = number * 10 + (json.data[at] - '0');
  }
  return negative ? -number : number;
}

WASM_SANDBOX_HANDLER(greet, request) {
  if (!is_string(request)) return fail("expected a JSON string");
  bytes name = wasm_sandbox_view(request.data + 1, request.length - 2);
  return join("{\"greeting\":\"Hello, ", name, "!\"}");
}

WASM_SANDBOX_HANDLER(echo, request) { return request; }

WASM_SANDBOX_HANDLER(reverse, request) {
  bytes reply = wasm_sandbox_copy(request.data, request.length);
  for (uint32_t i = 0; i < reply.length; i++) reply.data[i] = request.data[reply.length - 1 - i];
  return reply;
}

WASM_SANDBOX_HANDLER(lookup, request) {
  wasm_sandbox_answer answer = wasm_sandbox_call("kv.get", request.data, request.length);
  return answer.status ? wasm_sandbox_refuse(answer) : answer.bytes;
}

WASM_SANDBOX_HANDLER(relay, request) {
  wasm_sandbox_answer answer = wasm_sandbox_call("blob.turn", request.data, request.length);
  return answer.status ? wasm_sandbox_refuse(answer) : answer.bytes;
}

WASM_SANDBOX_HANDLER(store_error, request) {
  wasm_sandbox_answer answer = wasm_sandbox_call("kv.get", request.data, request.length);
  struct text start = {0};
  put(&start, "{\"status\":");
  put_number(&start, answer.status);
  put(&start, answer.status ? ",\"fault\":" : ",\"answer\":");
  put(&start, answer.bytes.length ? "" : "null");
  start.data[start.length] = 0;
  return wrap(start.data, answer.bytes, "}");
}

WASM_SANDBOX_HANDLER(converse, request) {
  int32_t timeout = integer_of(request);
  uint32_t count = 0;
  wasm_sandbox_answer message;
  while (!(message = wasm_sandbox_receive(timeout)).status) {
    bytes answer = wrap("{\"echo\":", message.bytes, "}");
    uint32_t status = wasm_sandbox_send(answer.data, answer.length);
    wasm_sandbox_release(answer);
    if (status) return fail_with_fault();
    count++;
  }
  int timed_out = message.status == WASM_SANDBOX_TIMED_OUT;
  if (!timed_out && message.status != WASM_SANDBOX_CLOSED) return wasm_sandbox_refuse(message);
  wasm_sandbox_release(message.bytes);
  struct text reply = {0};
  put(&reply, "{\"messages\":");
  put_number(&reply, count);
  put(&reply, timed_out ? ",\"timedOut\":true}" : ",\"timedOut\":false}");
  return wasm_sandbox_copy(reply.data, reply.length);
}

WASM_SANDBOX_HANDLER(upper, request) {
  (void)request;
  uint64_t total = 0;
  int32_t length;
  while ((length = wasm_sandbox_read(piece, sizeof piece)) > 0) {
    for (int32_t i = 0; i < length; i++) {
      if (piece[i] >= 'a' && piece[i] <= 'z') piece[i] ^= 0x20;
    }
    if (wasm_sandbox_write(piece, (uint32_t)length)) return fail_with_fault();
    total += (uint32_t)length;
  }
  if (length < 0) return fail_with_fault();
  struct text reply = {0};
  put(&reply, "{\"bytes\":");
  put_number(&reply, total);
  put(&reply, "}");
  return wasm_sandbox_copy(reply.data, reply.length);
}

WASM_SANDBOX_HANDLER(sip, request) {
  uint8_t small[64];
  int32_t size = integer_of(request), length;
  uint32_t reads = 0;
  uint64_t total = 0;
  if (size < 0 || size > (int32_t)sizeof small) return fail("expected a number up to 64");
  if (wasm_sandbox_write(small, 0)) return fail_with_fault();
  while ((length = wasm_sandbox_read(small, (uint32_t)size)) > 0) {
    if (wasm_sandbox_write(small, (uint32_t)length)) return fail_with_fault();
    reads++;
    total += (uint32_t)length;
  }
  if (length < 0) return fail_with_fault();
  struct text reply = {0};
  put(&reply, "{\"reads\":");
  put_number(&reply, reads);
  put(&reply, ",\"bytes\":");
  put_number(&reply, total);
  put(&reply, "}");
  return wasm_sandbox_copy(reply.data, reply.length);
}

WASM_SANDBOX_HANDLER(chatter, request) {
  for (uint32_t level = WASM_SANDBOX_TRACE; level <= WASM_SANDBOX_ERROR; level++) {
    wasm_sandbox_host_log(level, request.data, request.length);
  }
  return wasm_sandbox_copy_text("{\"lines\":5}");
}

WASM_SANDBOX_HANDLER(refuse, request) {
  bytes reason = join("refused: ", request, "");
  wasm_sandbox_host_fail(reason.data, reason.length);
  wasm_sandbox_release(reason);
  return wasm_sandbox_copy_text("\"this is dropped\"");
}

WASM_SANDBOX_HANDLER(fetch, request) {
  static const char start[] = "{\"method\":\"POST\",\"headers\":[[\"content-type\",\"text/plain\"]],\"url\":";
  if (!is_string(request)) return fail("expected a JSON string");
  bytes header = join(start, request, "}");
  wasm_sandbox_http_answer answer = wasm_sandbox_http(header, wasm_sandbox_view("ping", 4));
  wasm_sandbox_release(header);
  if (answer.status) {
    wasm_sandbox_answer fault = {answer.status, answer.bytes};
    return wasm_sandbox_refuse(fault);
  }
  struct text end = {0};
  put(&end, ",\"bytes\":");
  put_number(&end, answer.body.length);
  put(&end, "}");
  end.data[end.length] = 0;
  bytes reply = join("{\"header\":", answer.header, end.data);
  wasm_sandbox_release(answer.bytes);
  return reply;
}

WASM_SANDBOX_EXPORT("host_version") uint32_t host_version(void) { return wasm_sandbox_version(); }

// A guest in C, without libc, that speaks JSON-RPC 2.0 through the channel, in both directions.
//
//   serve   JSON -> answers what the host asks, until the channel is closed:
//           {"requests":N,"notifications":N,"malformed":N,"strays":N}
//
// Its methods:
//
//   add     [a, b], whole numbers of at most nine digits -> their sum
//   ask     whatever "host.time" of the host answers, be it an error: it sends a request of its
//           own, and goes on with others until the reply is there
//
// Every other method is answered with -32601, a frame that is no request with -32600, and one that
// is not JSON, or nests deeper than 64, with -32700. Batches are not taken: -32600. Notifications
// are counted, and nothing more: $/cancelRequest too, so that what was cancelled is answered all
// the same. Replies to nothing are counted as strays.

#define WASM_SANDBOX_IMPLEMENTATION
#include "../../../communication/guest/c/wasm_sandbox.h"
#include "json.h"

typedef wasm_sandbox_bytes bytes;

/** Most requests of the guest's own that wait for replies. */
#define MAX_ASKED 8
/** Longest id that is kept, in bytes. */
#define MAX_ID 64
/** Whole numbers of no more digits fit into 32 bits. */
#define MAX_DIGITS 9

/** Who waits for the reply to a request of the guest's own; free while `own_id` is 0. */
struct asked {
  uint32_t own_id;
  uint32_t id_length;
  uint8_t id[MAX_ID];
};

/** The members of a message as they stand in the frame; empty where there is none. */
struct message {
  bytes jsonrpc, id, method, params, result, error;
};

static const bytes nothing;
static struct asked asked[MAX_ASKED];
static uint32_t last_id, requests, notifications, malformed, strays;

static bytes text(const char *text) { return wasm_sandbox_view(text, wasm_sandbox_text_length(text)); }

static bool is(bytes value, const char *other) {
  uint32_t i = 0;
  while (i < value.length && other[i] && value.data[i] == (uint8_t)other[i]) i++;
  return i == value.length && !other[i];
}

static bytes decimal(uint32_t number, uint8_t digits[10]) {
  uint32_t at = 10;
  do digits[--at] = (uint8_t)('0' + number % 10);
  while (number /= 10);
  return wasm_sandbox_view(digits + at, 10 - at);
}

/** The parts, one after the other, in one block. */
static bytes join(const bytes *parts, int count) {
  uint32_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].length;
  bytes whole = wasm_sandbox_allocate(length);
  uint8_t *out = whole.data;
  for (int i = 0; out && i < count; i++) {
    if (parts[i].length) __builtin_memcpy(out, parts[i].data, parts[i].length);
    out += parts[i].length;
  }
  return whole;
}

/** Sends a frame that is made up of parts; says whether the conversation goes on. */
static bool send_parts(const bytes *parts, int count) {
  bytes frame = join(parts, count);
  uint32_t status = frame.data ? wasm_sandbox_send(frame.data, frame.length) : WASM_SANDBOX_NO_MEMORY;
  wasm_sandbox_release(frame);
  return status != WASM_SANDBOX_CLOSED && status != WASM_SANDBOX_NO_MEMORY;
}

/** A reply whose last member is `"result":VALUE` or `"error":VALUE`. */
static bool reply(bytes id, const char *name, bytes value) {
  bytes parts[] = {text("{\"jsonrpc\":\"2.0\",\"id\":"), id, text(name), value, text("}")};
  return send_parts(parts, 5);
}

static bool refuse(bytes id, const char *error) { return reply(id, ",\"error\":", text(error)); }

/** Takes a whole number with its sign; says whether it was one. */
static bool read_integer(struct json_reader *reader, int32_t *number) {
  bool is_negative = json_take(reader, '-');
  const uint8_t *start = reader->at;
  if (!json_skip_digits(reader) || reader->at - start > MAX_DIGITS) return false;
  *number = 0;
  for (const uint8_t *at = start; at < reader->at; at++) *number = *number * 10 + (*at - '0');
  if (is_negative) *number = -*number;
  return true;
}

static bool add(const struct message *message) {
  struct json_reader reader = {message->params.data, message->params.data + message->params.length};
  int32_t a, b;
  if (!json_token(&reader, '[') || !read_integer(&reader, &a) || !json_token(&reader, ',') ||
      !read_integer(&reader, &b) || !json_token(&reader, ']')) {
    return refuse(message->id, "{\"code\":-32602,\"message\":\"add takes two whole numbers\"}");
  }
  uint8_t digits[10];
  int32_t sum = a + b;
  bytes whole = decimal((uint32_t)(sum < 0 ? -sum : sum), digits);
  bytes parts[] = {text("{\"jsonrpc\":\"2.0\",\"id\":"), message->id, text(",\"result\":"),
                   text(sum < 0 ? "-" : ""), whole, text("}")};
  return send_parts(parts, 6);
}

static struct asked *find_asked(uint32_t own_id) {
  for (int i = 0; i < MAX_ASKED; i++) {
    if (asked[i].own_id == own_id) return &asked[i];
  }
  return NULL;
}

static bool ask(const struct message *message) {
  struct asked *place = find_asked(0);
  if (!place) return refuse(message->id, "{\"code\":-32000,\"message\":\"busy\"}");
  if (message->id.length > MAX_ID) {
    return refuse(message->id, "{\"code\":-32600,\"message\":\"the id is too long\"}");
  }
  uint8_t digits[10];
  place->own_id = ++last_id;
  place->id_length = message->id.length;
  __builtin_memcpy(place->id, message->id.data, message->id.length);
  bytes parts[] = {text("{\"jsonrpc\":\"2.0\",\"id\":"), decimal(last_id, digits),
                   text(",\"method\":\"host.time\"}")};
  return send_parts(parts, 3);
}

/** The reply to a request of the guest's own goes to who asked for it. */
static bool take_reply(const struct message *message) {
  struct json_reader reader = {message->id.data, message->id.data + message->id.length};
  int32_t own_id;
  bool is_number = read_integer(&reader, &own_id) && reader.at == reader.end && own_id > 0;
  struct asked *place = is_number ? find_asked((uint32_t)own_id) : NULL;
  if (!place) {
    strays++;
    return true;
  }
  place->own_id = 0;
  bytes id = wasm_sandbox_view(place->id, place->id_length);
  return message->error.data ? reply(id, ",\"error\":", message->error)
                             : reply(id, ",\"result\":", message->result);
}

static bytes *member_of(struct message *message, bytes key) {
  return is(key, "jsonrpc") ? &message->jsonrpc
       : is(key, "id")      ? &message->id
       : is(key, "method")  ? &message->method
       : is(key, "params")  ? &message->params
       : is(key, "result")  ? &message->result
       : is(key, "error")   ? &message->error
                            : NULL;
}

enum frame { NOT_JSON, NO_OBJECT, AN_OBJECT };

/** Finds the members of a frame; of several with the same name the last counts. */
static enum frame read_frame(bytes frame, struct message *message, uint8_t *scratch) {
  struct json_reader reader = {frame.data, frame.data + frame.length};
  json_skip_space(&reader);
  struct json_reader whole = reader;
  if (!json_skip_value(&whole, scratch, 0)) return NOT_JSON;
  json_skip_space(&whole);
  if (whole.at != whole.end) return NOT_JSON;
  if (!json_token(&reader, '{')) return NO_OBJECT;
  if (json_at(&reader, '}')) return AN_OBJECT;
  do {
    size_t length;
    json_read_string(&reader, scratch, &length);
    bytes *member = member_of(message, wasm_sandbox_view(scratch, (uint32_t)length));
    json_token(&reader, ':');
    const uint8_t *start = reader.at;
    json_skip_value(&reader, scratch, 0);
    if (member) *member = wasm_sandbox_view(start, (uint32_t)(reader.at - start));
  } while (json_token(&reader, ','));
  return AN_OBJECT;
}

static bool is_id(bytes id) {
  return id.length && *id.data != '{' && *id.data != '[' && *id.data != 't' && *id.data != 'f';
}

static bool refuse_frame(bytes id, const char *error) {
  malformed++;
  return refuse(is_id(id) ? id : text("null"), error);
}

/** Deals with a frame; says whether the conversation goes on. */
static bool take_frame(bytes frame, uint8_t *scratch) {
  struct message message = {0};
  enum frame kind = read_frame(frame, &message, scratch);
  if (kind == NOT_JSON) return refuse_frame(nothing, "{\"code\":-32700,\"message\":\"parse error\"}");
  bool is_valid = is(message.jsonrpc, "\"2.0\"");
  if (!message.method.length && (message.result.length || message.error.length)) {
    if (is_valid) return take_reply(&message);
    malformed++; /* an answer to it might be answered, and so on */
    return true;
  }
  bool has_id = message.id.length > 0;
  bool is_text = message.method.length && *message.method.data == '"';
  if (!is_valid || !is_text || (has_id && !is_id(message.id))) {
    return refuse_frame(message.id, "{\"code\":-32600,\"message\":\"invalid request\"}");
  }
  if (!has_id) {
    notifications++;
    return true;
  }
  requests++;
  if (is(message.method, "\"add\"")) return add(&message);
  if (is(message.method, "\"ask\"")) return ask(&message);
  return refuse(message.id, "{\"code\":-32601,\"message\":\"there is no such method\"}");
}

/** Receives and answers, until the channel is closed or there is no memory. */
static void converse(void) {
  for (bool goes_on = true; goes_on;) {
    wasm_sandbox_answer received = wasm_sandbox_receive(WASM_SANDBOX_FOREVER);
    if (received.status) {
      if (received.status != WASM_SANDBOX_CLOSED) wasm_sandbox_refuse(received);
      else wasm_sandbox_release(received.bytes);
      return;
    }
    bytes scratch = wasm_sandbox_allocate(received.bytes.length);
    goes_on = scratch.data && take_frame(received.bytes, scratch.data);
    wasm_sandbox_release(scratch);
    wasm_sandbox_release(received.bytes);
  }
}

WASM_SANDBOX_HANDLER(serve, request) {
  (void)request;
  requests = notifications = malformed = strays = 0;
  converse();
  uint8_t digits[4][10];
  bytes parts[] = {text("{\"requests\":"), decimal(requests, digits[0]),
                   text(",\"notifications\":"), decimal(notifications, digits[1]),
                   text(",\"malformed\":"), decimal(malformed, digits[2]),
                   text(",\"strays\":"), decimal(strays, digits[3]), text("}")};
  return join(parts, 9);
}

/*
 * The guest's side of the guest ABI, version 1 (docs/guest-abi.md), for C11 and C++ and for
 * wasm32: with wasi-libc, or without any library.
 *
 * Put this file beside your sources. One of them says
 *
 *   #define WASM_SANDBOX_IMPLEMENTATION
 *   #include "wasm_sandbox.h"
 *
 * and with that the module exports wasm_sandbox_alloc, wasm_sandbox_free and
 * wasm_sandbox_abi_1. All others include it as it is.
 *
 *   WASM_SANDBOX_HANDLER(greet, request) {
 *     wasm_sandbox_answer answer = wasm_sandbox_call("kv.get", request.data, request.length);
 *     if (answer.status) return wasm_sandbox_refuse(answer);
 *     return answer.bytes;
 *   }
 *
 * Memory. A request is the host's: it is there until the handler returns, and is freed by
 * nobody here. A reply must come from wasm_sandbox_alloc (as wasm_sandbox_copy and all
 * answers do), or be a part of the request; it is the host's from then on. Bytes of an answer that do not become the
 * reply go back through wasm_sandbox_release. All blocks are aligned to 16 bytes.
 *
 * Nothing here traps: what the host refuses is a status, and the document that says why; if
 * there is no memory for an answer, its status is WASM_SANDBOX_NO_MEMORY.
 */

#ifndef WASM_SANDBOX_H
#define WASM_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the guest ABI that this file speaks. */
#define WASM_SANDBOX_ABI 1

/** Longest document that send, read and write leave behind. */
#define WASM_SANDBOX_FAULT_BYTES 4096u

/** Makes a function an export of the module. */
#define WASM_SANDBOX_EXPORT(name) __attribute__((export_name(name)))

#define WASM_SANDBOX_IMPORT(name) \
  __attribute__((import_module("wasm_sandbox"), import_name(name))) extern

/** Why the host did not do what it was asked for. */
enum {
  WASM_SANDBOX_OK = 0,
  WASM_SANDBOX_DENIED = 1,
  WASM_SANDBOX_UNKNOWN = 2,
  WASM_SANDBOX_INVALID = 3,
  WASM_SANDBOX_FAILED = 4,
  WASM_SANDBOX_TOO_LARGE = 5,
  WASM_SANDBOX_CLOSED = 6,
  WASM_SANDBOX_TIMED_OUT = 7,
  /** Told by this file: there is no memory for the answer, which is lost. */
  WASM_SANDBOX_NO_MEMORY = 255
};

/** How much a line of the log matters. */
enum {
  WASM_SANDBOX_TRACE = 0,
  WASM_SANDBOX_DEBUG = 1,
  WASM_SANDBOX_INFO = 2,
  WASM_SANDBOX_WARN = 3,
  WASM_SANDBOX_ERROR = 4
};

/** Timeout of wasm_sandbox_receive: as long as the call may take. */
#define WASM_SANDBOX_FOREVER (-1)

/** Bytes without a zero at their end; `data` is null if there are none. */
typedef struct wasm_sandbox_bytes {
  uint8_t *data;
  uint32_t length;
} wasm_sandbox_bytes;

/** What the host answered: bytes, or with another status than 0 the fault's document. */
typedef struct wasm_sandbox_answer {
  uint32_t status;
  wasm_sandbox_bytes bytes;
} wasm_sandbox_answer;

/** What came of a request by HTTP; header and body are parts of `bytes`. */
typedef struct wasm_sandbox_http_answer {
  uint32_t status;
  wasm_sandbox_bytes bytes;
  wasm_sandbox_bytes header;
  wasm_sandbox_bytes body;
} wasm_sandbox_http_answer;

/* The functions of the ABI, as they are. */
WASM_SANDBOX_IMPORT("version") uint32_t wasm_sandbox_host_version(void);
WASM_SANDBOX_IMPORT("call")
uint64_t wasm_sandbox_host_call(const void *name, uint32_t name_length, const void *input,
                                uint32_t input_length);
WASM_SANDBOX_IMPORT("receive") uint64_t wasm_sandbox_host_receive(int32_t timeout_ms);
WASM_SANDBOX_IMPORT("take") uint32_t wasm_sandbox_host_take(void *buffer, uint32_t length);
WASM_SANDBOX_IMPORT("send") int32_t wasm_sandbox_host_send(const void *message, uint32_t length);
WASM_SANDBOX_IMPORT("read") int32_t wasm_sandbox_host_read(void *buffer, uint32_t length);
WASM_SANDBOX_IMPORT("write") int32_t wasm_sandbox_host_write(const void *bytes, uint32_t length);
WASM_SANDBOX_IMPORT("log")
void wasm_sandbox_host_log(uint32_t level, const void *line, uint32_t length);
WASM_SANDBOX_IMPORT("fail") void wasm_sandbox_host_fail(const void *reason, uint32_t length);

/** `size` bytes, aligned to 16, or null if there is no memory. 0 bytes are a valid request. */
void *wasm_sandbox_alloc(uint32_t size);
/** Takes back what wasm_sandbox_alloc gave; null is ignored. */
void wasm_sandbox_free(void *pointer, uint32_t length);

static inline uint32_t wasm_sandbox_text_length(const char *text) {
  uint32_t length = 0;
  while (text[length]) length++;
  return length;
}

static inline wasm_sandbox_bytes wasm_sandbox_view(const void *data, uint32_t length) {
  wasm_sandbox_bytes bytes;
  bytes.data = (uint8_t *)(uintptr_t)data;
  bytes.length = length;
  return bytes;
}

/** Says why the export that runs has failed; the host throws its reply away. */
static inline void wasm_sandbox_fail(const char *reason) {
  wasm_sandbox_host_fail(reason, wasm_sandbox_text_length(reason));
}

/** As many bytes; `data` is null if there is no memory for them. */
static inline wasm_sandbox_bytes wasm_sandbox_allocate(uint32_t length) {
  void *data = wasm_sandbox_alloc(length);
  return wasm_sandbox_view(data, data ? length : 0);
}

/** Frees the bytes of an answer. */
static inline void wasm_sandbox_release(wasm_sandbox_bytes bytes) {
  wasm_sandbox_free(bytes.data, bytes.length);
}

/** A copy that can be a reply; without memory for it, the export that runs has failed. */
static inline wasm_sandbox_bytes wasm_sandbox_copy(const void *data, uint32_t length) {
  wasm_sandbox_bytes bytes = wasm_sandbox_allocate(length);
  if (bytes.data) __builtin_memcpy(bytes.data, data, length);
  else wasm_sandbox_fail("no memory for the reply");
  return bytes;
}

/** A copy of text that ends with a zero, which is not copied. */
static inline wasm_sandbox_bytes wasm_sandbox_copy_text(const char *text) {
  return wasm_sandbox_copy(text, wasm_sandbox_text_length(text));
}

/** Where a reply is, for the host; it frees the request by itself, so that no part of that goes. */
static inline uint64_t wasm_sandbox_reply(wasm_sandbox_bytes reply, const uint8_t *request,
                                          uint32_t length) {
  if (reply.length && reply.data >= request && reply.data < request + length) {
    reply = wasm_sandbox_copy(reply.data, reply.length);
  }
  return (uint64_t)(uintptr_t)reply.data << 32 | reply.length;
}

/**
 * Defines an export that takes a message and gives one. What follows is the body of a function
 * that takes `wasm_sandbox_bytes request` and returns the reply.
 */
#define WASM_SANDBOX_HANDLER(name, request)                                                  \
  static wasm_sandbox_bytes wasm_sandbox_handle_##name(wasm_sandbox_bytes request);          \
  WASM_SANDBOX_EXPORT(#name)                                                                 \
  uint64_t wasm_sandbox_export_##name(const uint8_t *data, uint32_t length);                 \
  WASM_SANDBOX_EXPORT(#name)                                                                 \
  uint64_t wasm_sandbox_export_##name(const uint8_t *data, uint32_t length) {                \
    wasm_sandbox_bytes reply = wasm_sandbox_handle_##name(wasm_sandbox_view(data, length));  \
    return wasm_sandbox_reply(reply, data, length);                                          \
  }                                                                                          \
  static wasm_sandbox_bytes wasm_sandbox_handle_##name(wasm_sandbox_bytes request)

/** Takes the answer that waits. */
static inline wasm_sandbox_answer wasm_sandbox_taken(uint64_t result) {
  wasm_sandbox_answer answer;
  answer.status = (uint32_t)(result >> 32);
  answer.bytes = wasm_sandbox_view(NULL, (uint32_t)result);
  if (!answer.bytes.length) return answer;
  answer.bytes.data = (uint8_t *)wasm_sandbox_alloc(answer.bytes.length);
  if (answer.bytes.data) {
    answer.bytes.length = wasm_sandbox_host_take(answer.bytes.data, answer.bytes.length);
    return answer;
  }
  wasm_sandbox_host_take(NULL, 0); /* drops it */
  answer.bytes.length = 0;
  if (!answer.status) answer.status = WASM_SANDBOX_NO_MEMORY;
  return answer;
}

/** The version of the ABI that the host speaks. */
static inline uint32_t wasm_sandbox_version(void) { return wasm_sandbox_host_version(); }

/** Calls a function of the host; what it takes and gives is JSON or bytes, as it says. */
static inline wasm_sandbox_answer wasm_sandbox_call(const char *name, const void *input,
                                                    uint32_t length) {
  return wasm_sandbox_taken(
      wasm_sandbox_host_call(name, wasm_sandbox_text_length(name), input, length));
}

/**
 * Takes the next message of the channel. Status WASM_SANDBOX_CLOSED: there will be none;
 * WASM_SANDBOX_TIMED_OUT: there was none in time.
 */
static inline wasm_sandbox_answer wasm_sandbox_receive(int32_t timeout_ms) {
  return wasm_sandbox_taken(wasm_sandbox_host_receive(timeout_ms));
}

/** Sends a message to the channel; gives a status. */
static inline uint32_t wasm_sandbox_send(const void *message, uint32_t length) {
  return 0u - (uint32_t)wasm_sandbox_host_send(message, length);
}

/** Reads some bytes of the call's source: how many, 0 at the end, or a status negated. */
static inline int32_t wasm_sandbox_read(void *buffer, uint32_t length) {
  return wasm_sandbox_host_read(buffer, length);
}

/** Writes all of it to the call's sink; gives a status. */
static inline uint32_t wasm_sandbox_write(const void *bytes, uint32_t length) {
  const uint8_t *at = (const uint8_t *)bytes;
  do {
    uint32_t piece = length > 0x40000000u ? 0x40000000u : length;
    int32_t written = wasm_sandbox_host_write(at, piece);
    if (written < 0) return 0u - (uint32_t)written;
    at += piece;
    length -= piece;
  } while (length);
  return WASM_SANDBOX_OK;
}

/** Writes a line of the log. */
static inline void wasm_sandbox_log(uint32_t level, const char *line) {
  wasm_sandbox_host_log(level, line, wasm_sandbox_text_length(line));
}

/**
 * The document of the fault that send, read or write has just told of. Give it room for
 * WASM_SANDBOX_FAULT_BYTES; the result is a part of the buffer.
 */
static inline wasm_sandbox_bytes wasm_sandbox_take_fault(void *buffer, uint32_t size) {
  return wasm_sandbox_view(buffer, wasm_sandbox_host_take(buffer, size));
}

/** Reads four hexadecimal digits, or gives -1. */
static inline int32_t wasm_sandbox_hex(const uint8_t *at, const uint8_t *end) {
  int32_t value = 0;
  if (end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    uint8_t c = at[i], letter = (uint8_t)(c | 0x20);
    if (c >= '0' && c <= '9') value = value << 4 | (c - '0');
    else if (letter >= 'a' && letter <= 'f') value = value << 4 | (letter - 'a' + 10);
    else return -1;
  }
  return value;
}

/**
 * The text of a fault's "code" or "message", without escapes and with a zero at its end: as much
 * of it as there is room for. Gives its length; 0 if the document has no such member.
 */
static inline uint32_t wasm_sandbox_fault_text(wasm_sandbox_bytes document, const char *member,
                                               char *text, uint32_t size) {
  const uint8_t *at = document.data, *end = at + document.length;
  uint32_t length = 0, name_length = wasm_sandbox_text_length(member);
  if (!size) return 0;
  text[0] = 0;
  /* a quote within a string is escaped, so that `"member":"` stands nowhere else before it */
  for (;; at++) {
    uint32_t i = 0;
    if ((uint32_t)(end - at) < name_length + 4) return 0;
    if (at[0] != '"') continue;
    while (i < name_length && at[1 + i] == (uint8_t)member[i]) i++;
    if (i == name_length && at[1 + i] == '"' && at[2 + i] == ':' && at[3 + i] == '"') break;
  }
  at += name_length + 4;
  while (at < end && *at != '"' && length + 1 < size) {
    uint8_t c = *at++;
    if (c == '\\' && at < end) {
      c = *at++;
      if (c == 'u') {
        /* the host escapes control characters only */
        int32_t unit = wasm_sandbox_hex(at, end);
        c = unit >= 0 && unit < 0x80 ? (uint8_t)unit : '?';
        at += unit < 0 ? 0 : 4;
      } else {
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
      }
    }
    text[length++] = (char)c;
  }
  text[length] = 0;
  return length;
}

/** Passes a fault on: the export that runs has failed with its message. Gives an empty reply. */
static inline wasm_sandbox_bytes wasm_sandbox_refuse(wasm_sandbox_answer answer) {
  char reason[512];
  if (!wasm_sandbox_fault_text(answer.bytes, "message", reason, sizeof reason)) {
    wasm_sandbox_fail(answer.status == WASM_SANDBOX_NO_MEMORY ? "no memory for the answer"
                                                              : "the host did not say why");
  } else {
    wasm_sandbox_fail(reason);
  }
  wasm_sandbox_release(answer.bytes);
  return wasm_sandbox_view(NULL, 0);
}

/**
 * Asks the host for a resource by HTTP. The header is JSON:
 * {"url": "...", "method": "GET", "headers": [["name", "value"], ...]}, that of the answer
 * {"status": 200, "headers": [...], "url": "..."}. Release the answer's `bytes`.
 */
static inline wasm_sandbox_http_answer wasm_sandbox_http(wasm_sandbox_bytes header,
                                                         wasm_sandbox_bytes body) {
  uint64_t total = 4ull + header.length + body.length;
  uint32_t header_length = 0;
  wasm_sandbox_http_answer http;
  wasm_sandbox_answer answer;
  wasm_sandbox_bytes request = wasm_sandbox_view(NULL, 0);
  answer.status = WASM_SANDBOX_NO_MEMORY;
  answer.bytes = request;
  if (total <= 0xffffffffu) request = wasm_sandbox_allocate((uint32_t)total);
  if (request.data) {
    for (int i = 0; i < 4; i++) request.data[i] = (uint8_t)(header.length >> 8 * i);
    if (header.length) __builtin_memcpy(request.data + 4, header.data, header.length);
    if (body.length) __builtin_memcpy(request.data + 4 + header.length, body.data, body.length);
    answer = wasm_sandbox_call("http.request", request.data, request.length);
    wasm_sandbox_release(request);
  }
  http.status = answer.status;
  http.bytes = answer.bytes;
  http.header = http.body = wasm_sandbox_view(NULL, 0);
  if (answer.status) return http;
  for (uint32_t i = 0; i < 4 && answer.bytes.length >= 4; i++) {
    header_length |= (uint32_t)answer.bytes.data[i] << 8 * i;
  }
  if (answer.bytes.length < 4 || header_length > answer.bytes.length - 4) {
    http.status = WASM_SANDBOX_INVALID;
    return http;
  }
  http.header = wasm_sandbox_view(answer.bytes.data + 4, header_length);
  http.body = wasm_sandbox_view(answer.bytes.data + 4 + header_length,
                                answer.bytes.length - 4 - header_length);
  return http;
}

#ifdef WASM_SANDBOX_IMPLEMENTATION

/* Tells the host which version of the ABI this module is made for; it is never called. */
WASM_SANDBOX_EXPORT("wasm_sandbox_abi_1") void wasm_sandbox_abi_1(void);
WASM_SANDBOX_EXPORT("wasm_sandbox_abi_1") void wasm_sandbox_abi_1(void) {}

#ifdef __wasi__

#ifdef __cplusplus
}
#endif
#include <stdlib.h>
#ifdef __cplusplus
extern "C" {
#endif

WASM_SANDBOX_EXPORT("wasm_sandbox_alloc") void *wasm_sandbox_alloc(uint32_t size) {
  return malloc(size ? size : 1);
}

WASM_SANDBOX_EXPORT("wasm_sandbox_free") void wasm_sandbox_free(void *pointer, uint32_t length) {
  (void)length;
  free(pointer);
}

#else

/*
 * One list of free blocks for each power of two. A block never changes its size, so that what is
 * freed is used again, at the price of up to half of a block.
 */
typedef struct wasm_sandbox_block {
  uint32_t size_class;
  struct wasm_sandbox_block *next;
  uint32_t padding[2]; /* keeps what follows aligned to 16 bytes */
} wasm_sandbox_block;

enum { WASM_SANDBOX_SMALLEST = 4, WASM_SANDBOX_LARGEST = 31 };

extern uint8_t __heap_base;

static wasm_sandbox_block *wasm_sandbox_free_blocks[WASM_SANDBOX_LARGEST + 1];
static uintptr_t wasm_sandbox_fresh;

/* Carves a block from memory that was never used, growing it as needed; null if it cannot. */
static wasm_sandbox_block *wasm_sandbox_carve(uint32_t size_class) {
  if (!wasm_sandbox_fresh) wasm_sandbox_fresh = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
  uint64_t end = (uint64_t)wasm_sandbox_fresh + sizeof(wasm_sandbox_block) + (1ull << size_class);
  uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  if (end > have && (end > 0xffff0000u ||
                     __builtin_wasm_memory_grow(0, (size_t)((end - have + 65535) >> 16)) == (size_t)-1)) {
    return NULL;
  }
  wasm_sandbox_block *block = (wasm_sandbox_block *)wasm_sandbox_fresh;
  wasm_sandbox_fresh = (uintptr_t)end;
  block->size_class = size_class;
  return block;
}

WASM_SANDBOX_EXPORT("wasm_sandbox_alloc") void *wasm_sandbox_alloc(uint32_t size) {
  uint32_t size_class = WASM_SANDBOX_SMALLEST;
  while (size_class < WASM_SANDBOX_LARGEST && size > 1u << size_class) size_class++;
  if (size > 1u << size_class) return NULL;
  wasm_sandbox_block *block = wasm_sandbox_free_blocks[size_class];
  if (block) wasm_sandbox_free_blocks[size_class] = block->next;
  else block = wasm_sandbox_carve(size_class);
  return block ? block + 1 : NULL;
}

WASM_SANDBOX_EXPORT("wasm_sandbox_free") void wasm_sandbox_free(void *pointer, uint32_t length) {
  (void)length;
  if (!pointer) return;
  wasm_sandbox_block *block = (wasm_sandbox_block *)pointer - 1;
  block->next = wasm_sandbox_free_blocks[block->size_class];
  wasm_sandbox_free_blocks[block->size_class] = block;
}

#endif /* __wasi__ */
#endif /* WASM_SANDBOX_IMPLEMENTATION */

#ifdef __cplusplus
}
#endif

#endif /* WASM_SANDBOX_H */

// A reactor: a module that is initialized once and called often, and keeps its state.
//
// Speaks JSON by the guest ABI (docs/guest-abi.md) and uses WASI for a file and the clock:
//
//   post({"account":"rent","cents":-70000}) -> {"account":"rent","balance":-70000,"entries":1}
//   balance({"account":"rent"})             -> the same, without an entry
//   save({"path":"/books/ledger.csv"})      -> {"saved":2,"at":1767225600}, or {"error":"..."}
//
// `_initialize` runs the constructors of the C library, and must be called first.

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPORT(name) __attribute__((export_name(name)))

enum { MAX_ACCOUNTS = 100, MAX_NAME = 64, REPLY_BYTES = 512 };

static struct account {
  char name[MAX_NAME];
  int64_t cents;
  unsigned entries;
} accounts[MAX_ACCOUNTS];
static size_t account_count;

EXPORT("wasm_sandbox_alloc") void *alloc(size_t size) { return malloc(size ? size : 1); }

EXPORT("wasm_sandbox_free") void release(void *pointer, size_t size) {
  (void)size;
  free(pointer);
}

/** A reply of the ABI, which the host frees. */
static uint64_t reply(const char *format, ...) {
  char *text = malloc(REPLY_BYTES);
  if (!text) abort();
  va_list values;
  va_start(values, format);
  int length = vsnprintf(text, REPLY_BYTES, format, values);
  va_end(values);
  if (length < 0 || length >= REPLY_BYTES) abort();
  return (uint64_t)(uintptr_t)text << 32 | (unsigned)length;
}

/** The text of a field, if it is plain: no escapes, letters as they are. */
static int read_text(const char *json, const char *field, char *out, size_t size) {
  const char *at = strstr(json, field);
  if (!at || !(at = strchr(at + strlen(field), ':')) || !(at = strchr(at, '"'))) return 0;
  size_t length = strcspn(++at, "\"\\");
  if (!length || length >= size || at[length] != '"') return 0;
  memcpy(out, at, length);
  out[length] = 0;
  return 1;
}

static int read_number(const char *json, const char *field, int64_t *out) {
  const char *at = strstr(json, field);
  if (!at || !(at = strchr(at + strlen(field), ':'))) return 0;
  char *end;
  *out = strtoll(at + 1, &end, 10);
  return end != at + 1;
}

static struct account *find(const char *name, int make) {
  for (size_t index = 0; index < account_count; index++) {
    if (!strcmp(accounts[index].name, name)) return &accounts[index];
  }
  if (!make || account_count == MAX_ACCOUNTS) return NULL;
  struct account *account = &accounts[account_count++];
  strcpy(account->name, name);
  return account;
}

static uint64_t tell(const struct account *account) {
  return reply("{\"account\":\"%s\",\"balance\":%" PRId64 ",\"entries\":%u}", account->name,
               account->cents, account->entries);
}

/** A request as a string; the host's bytes end without a zero. */
static char *request(const char *bytes, size_t length) {
  char *text = malloc(length + 1);
  if (!text) abort();
  memcpy(text, bytes, length);
  text[length] = 0;
  return text;
}

EXPORT("post") uint64_t post(const char *bytes, size_t length) {
  char name[MAX_NAME], *json = request(bytes, length);
  int64_t cents;
  int right = read_text(json, "\"account\"", name, sizeof name) && read_number(json, "\"cents\"", &cents);
  free(json);
  struct account *account = right ? find(name, 1) : NULL;
  if (!account) return reply("{\"error\":\"%s\"}", right ? "too many accounts" : "bad request");
  account->cents += cents;
  account->entries++;
  return tell(account);
}

EXPORT("balance") uint64_t balance(const char *bytes, size_t length) {
  char name[MAX_NAME], *json = request(bytes, length);
  int right = read_text(json, "\"account\"", name, sizeof name);
  free(json);
  struct account *account = right ? find(name, 0) : NULL;
  return account ? tell(account) : reply("{\"error\":\"no such account\"}");
}

EXPORT("save") uint64_t save(const char *bytes, size_t length) {
  char path[256], *json = request(bytes, length);
  int right = read_text(json, "\"path\"", path, sizeof path);
  free(json);
  FILE *file = right ? fopen(path, "w") : NULL;
  if (!file) return reply("{\"error\":\"%s\"}", right ? strerror(errno) : "bad request");
  for (size_t index = 0; index < account_count; index++) {
    fprintf(file, "%s,%" PRId64 ",%u\n", accounts[index].name, accounts[index].cents,
            accounts[index].entries);
  }
  if (fclose(file)) return reply("{\"error\":\"%s\"}", strerror(errno));
  return reply("{\"saved\":%zu,\"at\":%lld}", account_count, (long long)time(NULL));
}

/*
 * QuickJS as a WASI command.
 *
 *   quickjs [OPTION] [FILE [ARGUMENT...]]
 *
 *   -e CODE   runs CODE            -p CODE   runs CODE, prints its last value
 *   FILE      runs a file that was granted    -, or nothing: runs the standard input
 *
 * A module that `pack.ts` has put a script into runs that script, and passes all arguments on.
 *
 * Scripts have the language, `print`, `console` and `std`: `args`, `readStdin()`, `getenv(name)`,
 * `exit(code)`, `write(data)`, `writeError(data)`, `readFile(path)` and `writeFile(path, data)`.
 * Exit codes: 0, 1 if the script failed, 2 for wrong usage, or what the script says.
 */

/* One unit with the engine: its limit of the stack is off for WASI, and its field is private. */
#include "quickjs.c"

#include <errno.h>
#include <unistd.h>

#include "prelude.h"

/*
 * Of the stack in linear memory, which build.sh makes larger. A script that recurses too deep gets
 * a RangeError after this much, at some 1,000 plain calls, before V8's own stack of 1 MiB is used
 * up. Brackets that nest thousands deep in JSON, or hundreds in a script, take little here and much
 * there: they end the program, with the limit "stack".
 */
#define STACK_BYTES (256 * 1024)

/* pack.ts writes a script here: its length, and its text. */
#define PACKED_BYTES (256 * 1024)
struct packed_script {
  uint32_t length;
  char text[PACKED_BYTES];
};
/* volatile: what is read is not what was compiled */
volatile struct packed_script packed_script __attribute__((used));

static JSValue shower = JS_UNDEFINED;

/* Text or bytes, whole, on a stream. */
static JSValue write_data(JSContext *ctx, JSValueConst data, FILE *stream) {
  size_t length;
  if (JS_GetTypedArrayType(data) == JS_TYPED_ARRAY_UINT8) {
    const uint8_t *bytes = JS_GetUint8Array(ctx, &length, data);
    if (length > 0) fwrite(bytes, 1, length, stream);
  } else {
    const char *text = JS_ToCStringLen(ctx, &length, data);
    if (text == NULL) return JS_EXCEPTION;
    fwrite(text, 1, length, stream);
    JS_FreeCString(ctx, text);
  }
  if (ferror(stream)) return JS_ThrowTypeError(ctx, "cannot write: %s", strerror(errno));
  return JS_UNDEFINED;
}

static JSValue js_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return write_data(ctx, argv[0], stdout);
}

static JSValue js_write_error(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  fflush(stdout); /* in the order that they were written */
  return write_data(ctx, argv[0], stderr);
}

/* Reads to the end, with a zero behind it; null if that fails. */
static char *read_all(FILE *stream, size_t *length) {
  size_t room = 4096;
  char *text = malloc(room);
  *length = 0;
  while (text != NULL) {
    size_t got = fread(text + *length, 1, room - *length - 1, stream);
    *length += got;
    if (got == 0) break;
    if (room - *length > 1) continue;
    char *larger = room > SIZE_MAX / 4 ? NULL : realloc(text, room * 2);
    if (larger == NULL) free(text);
    text = larger;
    room *= 2;
  }
  if (text != NULL && ferror(stream)) {
    free(text);
    return NULL;
  }
  if (text != NULL) text[*length] = '\0';
  return text;
}

static JSValue text_of(JSContext *ctx, FILE *stream) {
  size_t length;
  errno = 0;
  char *text = read_all(stream, &length);
  if (text == NULL) return JS_ThrowTypeError(ctx, "cannot read: %s", strerror(errno ? errno : ENOMEM));
  JSValue value = JS_NewStringLen(ctx, text, length);
  free(text);
  return value;
}

static JSValue js_read_stdin(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  return text_of(ctx, stdin);
}

static FILE *open_file(JSContext *ctx, JSValueConst path, const char *mode) {
  const char *name = JS_ToCString(ctx, path);
  if (name == NULL) return NULL;
  FILE *file = fopen(name, mode);
  if (file == NULL) JS_ThrowTypeError(ctx, "cannot open %s: %s", name, strerror(errno));
  JS_FreeCString(ctx, name);
  return file;
}

static JSValue js_read_file(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  FILE *file = open_file(ctx, argv[0], "rb");
  if (file == NULL) return JS_EXCEPTION;
  JSValue text = text_of(ctx, file);
  fclose(file);
  return text;
}

static JSValue js_write_file(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  FILE *file = open_file(ctx, argv[0], "wb");
  if (file == NULL) return JS_EXCEPTION;
  JSValue result = write_data(ctx, argv[1], file);
  if (fclose(file) != 0 && !JS_IsException(result)) {
    return JS_ThrowTypeError(ctx, "cannot write: %s", strerror(errno));
  }
  return result;
}

static JSValue js_getenv(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  const char *name = JS_ToCString(ctx, argv[0]);
  if (name == NULL) return JS_EXCEPTION;
  const char *value = getenv(name);
  JS_FreeCString(ctx, name);
  return value == NULL ? JS_UNDEFINED : JS_NewString(ctx, value);
}

static JSValue js_exit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
  int32_t code = 0;
  if (JS_ToInt32(ctx, &code, argv[0]) < 0) return JS_EXCEPTION;
  exit(code); /* flushes what was written */
}

static const JSCFunctionListEntry NATIVE[] = {
  JS_CFUNC_DEF("write", 1, js_write),
  JS_CFUNC_DEF("writeError", 1, js_write_error),
  JS_CFUNC_DEF("readStdin", 0, js_read_stdin),
  JS_CFUNC_DEF("readFile", 1, js_read_file),
  JS_CFUNC_DEF("writeFile", 2, js_write_file),
  JS_CFUNC_DEF("getenv", 1, js_getenv),
  JS_CFUNC_DEF("exit", 1, js_exit),
};

static void write_text(JSContext *ctx, JSValueConst value, FILE *stream) {
  const char *text = JS_ToCString(ctx, value);
  if (text == NULL) {
    JS_FreeValue(ctx, JS_GetException(ctx));
    fputs("an error that cannot be shown", stream);
    return;
  }
  fputs(text, stream);
  JS_FreeCString(ctx, text);
}

/* An error on the standard error, with where it came from. Ends the program. */
static _Noreturn void fail(JSContext *ctx, JSValue error) {
  fflush(stdout);
  fputs("Uncaught ", stderr);
  write_text(ctx, error, stderr);
  fputc('\n', stderr);
  if (JS_IsError(error)) {
    JSValue stack = JS_GetPropertyStr(ctx, error, "stack");
    if (JS_IsString(stack)) write_text(ctx, stack, stderr);
  }
  exit(1);
}

static JSValue checked(JSContext *ctx, JSValue value) {
  if (JS_IsException(value)) fail(ctx, JS_GetException(ctx));
  return value;
}

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool is_handled,
                         void *opaque) {
  JSValue *pending = opaque; /* the first that nobody has handled */
  if (!is_handled && JS_IsUndefined(pending[0])) {
    pending[0] = JS_DupValue(ctx, promise);
    pending[1] = JS_DupValue(ctx, reason);
  } else if (is_handled && JS_IsStrictEqual(ctx, promise, pending[0])) {
    JS_FreeValue(ctx, pending[0]);
    JS_FreeValue(ctx, pending[1]);
    pending[0] = pending[1] = JS_UNDEFINED;
  }
}

static void run_jobs(JSRuntime *rt) {
  JSContext *ctx;
  int left;
  while ((left = JS_ExecutePendingJob(rt, &ctx)) > 0) continue;
  if (left < 0) fail(ctx, JS_GetException(ctx));
}

/* Runs a script, with `await` at its top, to its end. */
static JSValue run(JSContext *ctx, const char *text, size_t length, const char *name,
                   JSValue *rejected) {
  JSValue promise = checked(
      ctx, JS_Eval(ctx, text, length, name, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_ASYNC));
  run_jobs(JS_GetRuntime(ctx));
  switch (JS_PromiseState(ctx, promise)) {
    case JS_PROMISE_REJECTED:
      fail(ctx, JS_PromiseResult(ctx, promise));
    case JS_PROMISE_PENDING:
      fail(ctx, JS_NewString(ctx, "the script waits for what never comes"));
    default:
      break;
  }
  if (!JS_IsUndefined(rejected[0])) fail(ctx, rejected[1]);
  JSValue done = JS_PromiseResult(ctx, promise);
  JSValue value = checked(ctx, JS_GetPropertyStr(ctx, done, "value"));
  JS_FreeValue(ctx, done);
  return value;
}

/* Makes `print`, `console` and `std`. */
static void prepare(JSContext *ctx, int argc, char **argv) {
  JSValue native = JS_NewObject(ctx);
  JS_SetPropertyFunctionList(ctx, native, NATIVE, countof(NATIVE));
  JSValue args = JS_NewArray(ctx);
  for (int at = 0; at < argc; at++) {
    JS_SetPropertyUint32(ctx, args, at, JS_NewString(ctx, argv[at]));
  }
  JS_SetPropertyStr(ctx, native, "args", args);
  JSValue prelude = checked(
      ctx, JS_Eval(ctx, PRELUDE, sizeof(PRELUDE) - 1, "prelude.js", JS_EVAL_TYPE_GLOBAL));
  JSValue parameters[] = {native, JS_GetGlobalObject(ctx)};
  shower = checked(ctx, JS_Call(ctx, prelude, JS_UNDEFINED, 2, parameters));
}

/* What to run. */
struct program {
  const char *name;
  char *text;
  size_t length;
  int first_argument;
  bool prints;
};

static _Noreturn void refuse(const char *problem, const char *what) {
  fprintf(stderr, "quickjs: %s%s%s\n", problem, what ? " " : "", what ? what : "");
  exit(2);
}

static struct program packed_program(void) {
  size_t length = packed_script.length;
  if (length > PACKED_BYTES - 1) refuse("the packed script is too long", NULL);
  /* the text is zero where nothing was written, also behind it */
  return (struct program){"script", (char *)packed_script.text, length, 1, false};
}

static struct program given_program(int argc, char **argv) {
  const char *first = argc > 1 ? argv[1] : "-";
  bool prints = strcmp(first, "-p") == 0;
  if (prints || strcmp(first, "-e") == 0) {
    if (argc < 3) refuse("there is no code behind", first);
    return (struct program){"code", argv[2], strlen(argv[2]), 3, prints};
  }
  bool is_stdin = strcmp(first, "-") == 0;
  if (first[0] == '-' && !is_stdin) refuse("unknown option", first);
  FILE *file = is_stdin ? stdin : fopen(first, "rb");
  struct program program = {is_stdin ? "stdin" : first, NULL, 0, 2, false};
  if (file != NULL) program.text = read_all(file, &program.length);
  if (program.text == NULL) refuse("cannot read the script", first);
  if (!is_stdin) fclose(file);
  return program;
}

int main(int argc, char **argv) {
  struct program program =
      packed_script.length > 0 ? packed_program() : given_program(argc, argv);
  JSRuntime *rt = JS_NewRuntime();
  JSContext *ctx = rt == NULL ? NULL : JS_NewContext(rt);
  if (ctx == NULL) refuse("out of memory", NULL);
  rt->stack_limit = rt->stack_top - STACK_BYTES;
  JSValue rejected[] = {JS_UNDEFINED, JS_UNDEFINED};
  JS_SetHostPromiseRejectionTracker(rt, on_rejection, rejected);
  int first = program.first_argument < argc ? program.first_argument : argc;
  prepare(ctx, argc - first, argv + first);
  JSValue value = run(ctx, program.text, program.length, program.name, rejected);
  if (program.prints && !JS_IsUndefined(value)) {
    write_text(ctx, checked(ctx, JS_Call(ctx, shower, JS_UNDEFINED, 1, &value)), stdout);
  }
  if (fflush(stdout) != 0 || ferror(stdout)) refuse("cannot write the output", NULL);
  return 0; /* memory goes with the instance */
}

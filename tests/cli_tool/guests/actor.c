// A program that does what its first argument says, good or bad.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

static char piece[65536];
static volatile unsigned sink;

static int is(const char *text, const char *other) { return strcmp(text, other) == 0; }

// Passes the input on, piece by piece, until its end or so many bytes.
static int cat(long most) {
  while (most > 0) {
    const size_t wanted = most < (long)sizeof piece ? (size_t)most : sizeof piece;
    const ssize_t length = read(0, piece, wanted);
    if (length <= 0) return length < 0;
    for (ssize_t at = 0, done; at < length; at += done) {
      done = write(1, piece + at, (size_t)(length - at));
      if (done < 0) return errno == EPIPE ? 32 : 33;
    }
    most -= length;
  }
  return 0;
}

// Asks, and answers each line in capitals, until "quit".
static int repl(void) {
  char line[256];
  for (;;) {
    printf("> ");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 3;
    if (is(line, "quit\n")) return 0;
    for (char *at = line; *at; at++) {
      if (*at >= 'a' && *at <= 'z') *at -= 32;
    }
    printf("%s", line);
  }
}

static int put(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  if (!file) return errno;
  const int written = fputs(text, file);
  return fclose(file) || written < 0;
}

static int flood(int fd) {
  memset(piece, 'y', sizeof piece);
  for (;;) {
    if (write(fd, piece, sizeof piece) < 0) return 34;
  }
}

static int bomb(void) {
  for (unsigned long total = 0;; total += 1 << 20) {
    char *memory = malloc(1 << 20);
    if (!memory) return total >> 20 > 255 ? 255 : (int)(total >> 20);
    memset(memory, 1, 1 << 20);
    sink += *(volatile char *)memory;
  }
}

__attribute__((noinline)) static unsigned deep(unsigned depth) {
  return depth + deep(depth + 1) + sink;
}

// Makes many files, with all bytes of a name that a file can have.
static int names(int count) {
  char path[64];
  for (int at = 0; at < count; at++) {
    sprintf(path, "/workspace/%c%d", at % 255 + 1 == '/' ? '_' : at % 255 + 1, at);
    if (put(path, "x")) return 4;
  }
  return 0;
}

int main(int count, char **args) {
  const char *verb = count > 1 ? args[1] : "";
  const char *first = count > 2 ? args[2] : "";
  if (is(verb, "args")) {
    for (int at = 0; at < count; at++) fwrite(args[at], 1, strlen(args[at]) + 1, stdout);
    return 0;
  }
  if (is(verb, "env")) return puts(getenv(first) ? getenv(first) : "none") < 0;
  if (is(verb, "cat")) return cat(0x7fffffff);
  if (is(verb, "head")) return cat(atol(first));
  if (is(verb, "repl")) return repl();
  if (is(verb, "say")) return fputs(first, stdout) < 0;
  if (is(verb, "warn")) return fputs(first, stderr) < 0;
  if (is(verb, "put")) return put(first, count > 3 ? args[3] : "");
  if (is(verb, "append")) {
    FILE *file = fopen(first, "a");
    if (!file) return errno;
    fputs("more", file);
    return fclose(file);
  }
  if (is(verb, "remove")) return unlink(first);
  if (is(verb, "names")) return names(atoi(first));
  if (is(verb, "exit")) __wasi_proc_exit((unsigned)strtoul(first, 0, 10));
  if (is(verb, "closed")) return close(1) || write(1, "x", 1) >= 0;
  if (is(verb, "yes")) return flood(1);
  if (is(verb, "scream")) return flood(2);
  if (is(verb, "bomb")) return bomb();
  if (is(verb, "trap")) __builtin_trap();
  if (is(verb, "deep")) return (int)deep(0);
  if (is(verb, "spin")) {
    for (;;) sink++;
  }
  return 2;
}

// Does what its first argument says; for the tests of process isolation.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536];

static int failed(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  return 1;
}

static int copy(int from, int to) {
  ssize_t size;
  while ((size = read(from, buffer, sizeof buffer)) > 0) {
    if (write(to, buffer, size) != size) return failed("write");
  }
  return size < 0 ? failed("read") : 0;
}

static int cat(const char *path) {
  int file = open(path, O_RDONLY);
  if (file < 0) return failed(path);
  return copy(file, 1);
}

static int put(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return failed(path);
  size_t size = strlen(text);
  return write(file, text, size) == (ssize_t)size ? 0 : failed("write");
}

static int list(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) return failed(path);
  for (struct dirent *entry; (entry = readdir(folder));) puts(entry->d_name);
  return 0;
}

static int flood(void) {
  memset(buffer, 'x', sizeof buffer);
  for (;;) {
    if (write(1, buffer, sizeof buffer) < 0) return failed("write");
  }
}

static int probe(const char *path, int times) {
  int found = 0;
  for (int turn = 0; turn < times; turn++) found += access(path, F_OK) == 0;
  printf("%d\n", found);
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "echo")) return copy(0, 1);
  if (!strcmp(what, "flood")) return flood();
  if (!strcmp(what, "spin")) for (;;) __asm__ volatile("");
  if (!strcmp(what, "env")) return puts(getenv(argv[2]) ?: "(none)") < 0;
  if (!strcmp(what, "cat") && argc == 3) return cat(argv[2]);
  if (!strcmp(what, "put") && argc == 4) return put(argv[2], argv[3]);
  if (!strcmp(what, "list") && argc == 3) return list(argv[2]);
  if (!strcmp(what, "probe")) return probe(argv[2], atoi(argv[3]));
  if (!strcmp(what, "exit")) return atoi(argv[2]);
  if (!strcmp(what, "link")) {
    return symlink(argv[2], argv[3]) ? failed("symlink") : 0;
  }
  return 64;
}

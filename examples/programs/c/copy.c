// Moves bytes through files in large pieces: what the benchmark measures.
//
//   copy write FILE MIB     writes MIB times 1 MiB
//   copy read FILE TIMES    reads the whole file, TIMES times, in pieces of 1 MiB
//
// Exit codes: 0 done, 1 failed, 2 wrong usage.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static char piece[PIECE];

static int failed(const char *what) {
  fprintf(stderr, "copy: cannot %s: %s\n", what, strerror(errno));
  return 1;
}

static int write_pieces(const char *path, long count) {
  int file = open(path, O_WRONLY | O_CREAT, 0600);
  if (file < 0) return failed("open");
  memset(piece, 'x', PIECE);
  for (long index = 0; index < count; index++) {
    // the same 16 MiB again and again: the disk is not what is measured
    if (index % 16 == 0 && lseek(file, 0, SEEK_SET)) return failed("seek");
    if (write(file, piece, PIECE) != PIECE) return failed("write");
  }
  return close(file) ? failed("close") : 0;
}

static int read_pieces(const char *path, long times) {
  int file = open(path, O_RDONLY);
  if (file < 0) return failed("open");
  for (long turn = 0; turn < times; turn++) {
    ssize_t size;
    if (lseek(file, 0, SEEK_SET)) return failed("seek");
    while ((size = read(file, piece, PIECE)) > 0) {}
    if (size < 0) return failed("read");
  }
  return close(file) ? failed("close") : 0;
}

int main(int argc, char **argv) {
  long count = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
  if (count > 0 && !strcmp(argv[1], "write")) return write_pieces(argv[2], count);
  if (count > 0 && !strcmp(argv[1], "read")) return read_pieces(argv[2], count);
  fputs("usage: copy write FILE MIB | copy read FILE TIMES\n", stderr);
  return 2;
}

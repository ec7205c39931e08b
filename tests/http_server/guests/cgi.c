// A CGI program that does what PATH_INFO says.
//
//   /env       its variables, sorted by nobody
//   /echo      the body
//   /raw       the body is the whole output, head and all
//   /exit      ends with exit code 3, and a word on the standard error
//   /late      begins an answer, and ends with exit code 3
//   /spin      never ends
//   /slow      an answer, and then never ends
//   /redirect  to /env, within the server
//   /loop      to itself
//   /away      to another server
//   /flood     writes for ever

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static void copy(void) {
  char buffer[4096];
  size_t read;
  while ((read = fread(buffer, 1, sizeof buffer, stdin)) > 0) fwrite(buffer, 1, read, stdout);
}

int main(void) {
  const char *path = getenv("PATH_INFO");
  volatile unsigned turns = 0;
  if (path == NULL) return 9;
  if (strcmp(path, "/raw") == 0) return copy(), 0;
  if (strcmp(path, "/redirect") == 0) return printf("Location: /env?from=here\n\n"), 0;
  if (strcmp(path, "/loop") == 0) return printf("Location: /loop\n\n"), 0;
  if (strcmp(path, "/away") == 0) return printf("Location: https://example.com/\r\n\r\n"), 0;
  if (strcmp(path, "/exit") == 0) return fputs("a secret of the guest's", stderr), 3;
  if (strcmp(path, "/spin") == 0) for (;;) turns++;
  printf("Content-Type: text/plain\n\n");
  if (strcmp(path, "/env") == 0) {
    for (char **each = environ; *each != NULL; each++) puts(*each);
  } else if (strcmp(path, "/echo") == 0) {
    copy();
  } else if (strcmp(path, "/flood") == 0) {
    for (;;) puts("more and more and more and more and more and more and more and more and more");
  } else {
    puts("begun");
    fflush(stdout);
    if (strcmp(path, "/late") == 0) return 3;
    if (strcmp(path, "/slow") == 0) for (;;) turns++;
  }
  return 0;
}

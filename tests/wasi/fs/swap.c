// swap SECONDS A B PAUSE_US: exchanges two names, as fast as the machine can if
// the pause is 0.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  const time_t end = time(NULL) + atoi(argv[1]);
  const long pause = atol(argv[4]);
  unsigned long swaps = 0;
  do {
    for (int i = 0; i < (pause ? 1 : 1000); i++) {
      if (renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE)) {
        perror("renameat2");
        return 1;
      }
      swaps++;
      if (pause) usleep(pause + rand() % pause);
    }
  } while (time(NULL) < end);
  printf("%lu\n", swaps);
  return 0;
}

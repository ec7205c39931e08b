// racer SECONDS: does all that a guest can do below /box/d, while another process swaps d for a
// link that leads out. Prints how often each was tried, refused, and seen to reach outside.

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { VICTIMS = 1000 };

static char path[64];

static const char *numbered(const char *prefix, unsigned index) {
  snprintf(path, sizeof path, "%s%u", prefix, index);
  return path;
}

// each gives -1 if it was refused, 1 if it saw something from outside, and 0 otherwise

static int read_file(unsigned index) {
  char bytes[64] = "";
  int file = open("/box/d/file", O_RDONLY);
  (void)index;
  if (file < 0) return -1;
  ssize_t size = read(file, bytes, sizeof bytes - 1);
  close(file);
  return size < 0 ? -1 : strstr(bytes, "OUTSIDE") != NULL;
}

static int write_file(unsigned index) {
  int file = open("/box/d/write", O_WRONLY | (index % 2 ? O_TRUNC : 0));
  if (file < 0) return -1;
  ssize_t size = write(file, "GUEST", 5);
  close(file);
  return size < 0 ? -1 : 0;
}

static int list(unsigned index) {
  DIR *directory = opendir("/box/d");
  int seen = 0;
  (void)index;
  if (!directory) return -1;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (strstr(entry->d_name, "OUTSIDE")) seen = 1;
  }
  closedir(directory);
  return seen;
}

static int look(unsigned index) {
  struct stat facts;
  (void)index;
  return stat("/box/d/file", &facts) ? -1 : facts.st_size == 999;
}

static int create(unsigned index) {
  int file = open(numbered("/box/d/create-", index), O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (file < 0) return -1;
  write(file, "GUEST", 5);
  close(file);
  unlink(path);
  return 0;
}

static int make_directory(unsigned index) {
  if (mkdir(numbered("/box/d/directory-", index), 0700)) return -1;
  rmdir(path);
  return 0;
}

static int remove_file(unsigned index) {
  return unlink(numbered("/box/d/victim-", index % VICTIMS)) ? -1 : 0;
}

static int move(unsigned index) {
  char target[64];
  snprintf(target, sizeof target, "/box/d/renamed-%u", index);
  return rename(numbered("/box/f-", index % VICTIMS), target) ? -1 : 0;
}

static const struct {
  const char *name;
  int (*act)(unsigned);
} ACTS[] = {
    {"read", read_file}, {"write", write_file},         {"list", list},           {"stat", look},
    {"create", create},  {"makeDirectory", make_directory}, {"unlink", remove_file}, {"rename", move},
};
enum { COUNT = sizeof ACTS / sizeof *ACTS };

int main(int argc, char **argv) {
  unsigned refused[COUNT] = {0}, outside[COUNT] = {0}, rounds = 0;
  time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
  for (; time(NULL) < end; rounds++) {
    for (int act = 0; act < COUNT; act++) {
      int result = ACTS[act].act(rounds);
      refused[act] += result < 0;
      outside[act] += result > 0;
    }
  }
  for (int act = 0; act < COUNT; act++) {
    printf("%s\"%s\":{\"tried\":%u,\"refused\":%u,\"outside\":%u}", act ? "," : "{", ACTS[act].name,
           rounds, refused[act], outside[act]);
  }
  puts("}");
  return 0;
}

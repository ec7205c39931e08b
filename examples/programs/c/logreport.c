// Reports on log files: what a sandboxed program of some use looks like.
//
//   logreport [--snoop] [LOGS [OUT]]
//
// Reads every *.log of the directory LOGS (/logs), lines of the form
//
//   2026-03-01T12:00:00Z ERROR message
//
// and writes OUT/report.json and OUT/report.txt (/out). REPORT_TITLE names the report. With
// --snoop it then tries to reach what it has no business with, and says what came of it.
// Exit codes: 0 done, 1 a file could not be read or written, 2 wrong usage, 3 escaped.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

enum { MAX_FILES = 256, MAX_LINE = 4096, MAX_PATH = 1024, TOP = 5 };

static const char *const LEVELS[] = {"ERROR", "WARN", "INFO", "DEBUG"};
enum { LEVEL_COUNT = sizeof LEVELS / sizeof *LEVELS };

struct totals {
  unsigned long lines, malformed, levels[LEVEL_COUNT];
  char first[32], last[32];
};

struct log_file {
  char name[256];
  struct totals totals;
};

static struct log_file files[MAX_FILES];
static size_t file_count;
static struct totals all;
static char top_messages[TOP][160];
static size_t top_count;

static int usage(void) {
  fputs("usage: logreport [--snoop] [LOGS [OUT]]\n", stderr);
  return 2;
}

static int failed(const char *what, const char *path) {
  fprintf(stderr, "logreport: cannot %s %s: %s\n", what, path, strerror(errno));
  return 1;
}

static void join(char *path, const char *folder, const char *name) {
  snprintf(path, MAX_PATH, "%s/%s", folder, name);
}

/** Splits a line at its first two blanks; gives the level's index, or -1. */
static int parse_line(char *line, char **time, char **message) {
  char *level = strchr(line, ' ');
  if (!level || level - line < 10 || level - line > 31) return -1;
  *level++ = 0;
  char *text = strchr(level, ' ');
  if (!text) return -1;
  *text++ = 0;
  *time = line;
  *message = text;
  for (int index = 0; index < LEVEL_COUNT; index++) {
    if (!strcmp(level, LEVELS[index])) return index;
  }
  return -1;
}

static void count(struct totals *totals, int level, const char *time) {
  totals->lines++;
  totals->levels[level]++;
  // times of ISO 8601 in UTC compare as text
  if (!*totals->first || strcmp(time, totals->first) < 0) strcpy(totals->first, time);
  if (strcmp(time, totals->last) > 0) strcpy(totals->last, time);
}

static int read_log(const char *folder, struct log_file *file) {
  static char line[MAX_LINE];
  char path[MAX_PATH];
  join(path, folder, file->name);
  FILE *log = fopen(path, "r");
  if (!log) return failed("read", path);
  while (fgets(line, sizeof line, log)) {
    char *time, *message;
    line[strcspn(line, "\r\n")] = 0;
    if (!*line) continue;
    int level = parse_line(line, &time, &message);
    if (level < 0) {
      file->totals.malformed++;
      all.malformed++;
      continue;
    }
    count(&file->totals, level, time);
    count(&all, level, time);
    if (level == 0 && top_count < TOP) {
      snprintf(top_messages[top_count++], sizeof *top_messages, "%s", message);
    }
  }
  int broken = ferror(log);
  fclose(log);
  return broken ? failed("read", path) : 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct log_file *)a)->name, ((const struct log_file *)b)->name);
}

static int list_logs(const char *folder) {
  DIR *directory = opendir(folder);
  if (!directory) return failed("list", folder);
  for (struct dirent *entry; (entry = readdir(directory)) && file_count < MAX_FILES;) {
    const char *dot = strrchr(entry->d_name, '.');
    if (!dot || strcmp(dot, ".log") || strlen(entry->d_name) > 255) continue;
    strcpy(files[file_count++].name, entry->d_name);
  }
  closedir(directory);
  qsort(files, file_count, sizeof *files, by_name);
  return 0;
}

static void print_json_text(FILE *out, const char *text) {
  fputc('"', out);
  for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++) {
    if (*byte == '"' || *byte == '\\') fprintf(out, "\\%c", *byte);
    else if (*byte < 0x20) fprintf(out, "\\u%04x", *byte);
    else fputc(*byte, out);
  }
  fputc('"', out);
}

static void print_json_totals(FILE *out, const struct totals *totals) {
  fprintf(out, "\"lines\":%lu,\"malformed\":%lu", totals->lines, totals->malformed);
  for (int level = 0; level < LEVEL_COUNT; level++) {
    fprintf(out, ",\"%s\":%lu", LEVELS[level], totals->levels[level]);
  }
  fputs(",\"first\":", out);
  print_json_text(out, totals->first);
  fputs(",\"last\":", out);
  print_json_text(out, totals->last);
}

static void print_json(FILE *out, const char *title, const char *now) {
  fputs("{\"title\":", out);
  print_json_text(out, title);
  fputs(",\"generatedAt\":", out);
  print_json_text(out, now);
  fputs(",\"total\":{", out);
  print_json_totals(out, &all);
  fputs("},\"files\":[", out);
  for (size_t index = 0; index < file_count; index++) {
    fputs(index ? ",{\"name\":" : "{\"name\":", out);
    print_json_text(out, files[index].name);
    fputc(',', out);
    print_json_totals(out, &files[index].totals);
    fputc('}', out);
  }
  fputs("],\"errors\":[", out);
  for (size_t index = 0; index < top_count; index++) {
    if (index) fputc(',', out);
    print_json_text(out, top_messages[index]);
  }
  fputs("]}\n", out);
}

static void print_text(FILE *out, const char *title, const char *now) {
  fprintf(out, "%s\ngenerated at %s\n\n", title, now);
  fprintf(out, "%-24s %8s %8s %8s %8s %10s\n", "file", LEVELS[0], LEVELS[1], LEVELS[2], LEVELS[3],
          "malformed");
  for (size_t index = 0; index < file_count; index++) {
    const struct totals *totals = &files[index].totals;
    fprintf(out, "%-24s %8lu %8lu %8lu %8lu %10lu\n", files[index].name, totals->levels[0],
            totals->levels[1], totals->levels[2], totals->levels[3], totals->malformed);
  }
  fprintf(out, "\n%lu lines from %s to %s\n", all.lines, all.first, all.last);
}

static int write_report(const char *folder, const char *name, const char *title, const char *now,
                        void print(FILE *, const char *, const char *)) {
  char path[MAX_PATH];
  join(path, folder, name);
  FILE *out = fopen(path, "w");
  if (!out) return failed("write", path);
  print(out, title, now);
  return fclose(out) ? failed("write", path) : 0;
}

static int escapes;

/** One line for each attempt of --snoop. */
static void tell(const char *what, int worked, const char *why) {
  escapes += worked;
  if (worked) printf("snoop: %-36s ESCAPED\n", what);
  else printf("snoop: %-36s refused (%s)\n", what, why ? why : strerror(errno));
}

static int can_open(const char *path, int flags) {
  int descriptor = open(path, flags, 0600);
  if (descriptor < 0) return 0;
  close(descriptor);
  return 1;
}

static int can_follow(const char *target, const char *link) {
  int made = !symlink(target, link);
  int followed = can_open(link, O_RDONLY);
  int error = errno;
  if (made) unlink(link);
  errno = error;
  return followed;
}

static int can_send(void) {
  __wasi_ciovec_t data = {(const uint8_t *)"hello", 5};
  __wasi_size_t sent;
  for (int descriptor = 0; descriptor < 64; descriptor++) {
    __wasi_errno_t error = __wasi_sock_send(descriptor, &data, 1, 0, &sent);
    errno = error;
    if (!error) return 1;
    if (error != __WASI_ERRNO_BADF && error != __WASI_ERRNO_NOTSOCK) return 0;
  }
  return 0;
}

static void snoop(const char *logs, const char *out) {
  char path[MAX_PATH];
  tell("open /etc/passwd", can_open("/etc/passwd", O_RDONLY), NULL);
  join(path, logs, "../../etc/passwd");
  tell("open ../../etc/passwd", can_open(path, O_RDONLY), NULL);
  join(path, logs, "planted.log");
  tell("write into the logs", can_open(path, O_WRONLY | O_CREAT), NULL);
  join(path, out, "shortcut");
  tell("follow a link to /etc/passwd", can_follow("/etc/passwd", path), NULL);
  join(path, out, "upwards");
  tell("follow a link to ../../etc/passwd", can_follow("../../etc/passwd", path), NULL);
  tell("read the variable SECRET", getenv("SECRET") != NULL, "not set");
  tell("send to a socket", can_send(), NULL);
}

static void say_now(char *now, size_t size) {
  struct timespec time;  // `time` would not say that it may not
  struct tm *utc = clock_gettime(CLOCK_REALTIME, &time) ? NULL : gmtime(&time.tv_sec);
  if (!utc || !strftime(now, size, "%Y-%m-%dT%H:%M:%SZ", utc)) snprintf(now, size, "unknown");
}

int main(int argc, char **argv) {
  int at = 1, snooping = 0;
  if (at < argc && !strcmp(argv[at], "--snoop")) snooping = 1, at++;
  if (argc - at > 2 || (at < argc && argv[at][0] == '-')) return usage();
  const char *logs = at < argc ? argv[at] : "/logs";
  const char *out = at + 1 < argc ? argv[at + 1] : "/out";
  const char *title = getenv("REPORT_TITLE");
  char now[32];
  say_now(now, sizeof now);
  if (!title) title = "Log report";

  if (list_logs(logs)) return 1;
  for (size_t index = 0; index < file_count; index++) {
    if (read_log(logs, &files[index])) return 1;
    printf("%s: %lu lines\n", files[index].name, files[index].totals.lines);
  }
  if (write_report(out, "report.json", title, now, print_json)) return 1;
  if (write_report(out, "report.txt", title, now, print_text)) return 1;
  printf("%zu files, %lu lines, %lu errors\n", file_count, all.lines, all.levels[0]);
  if (snooping) snoop(logs, out);
  return escapes ? 3 : 0;
}

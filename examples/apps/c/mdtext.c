// Markdown as plain text: headings underlined, paragraphs wrapped, links spelled out.
//
//   mdtext [--width N] < notes.md
//
// The same program is a tool, a web handler and a tool of an agent: as a CGI program (where
// GATEWAY_INTERFACE is set) it takes what is posted, and the width as ?width=N.
//
// Exit codes: 0 done, 1 the input cannot be read, 2 wrong usage.

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_WIDTH = 10, MAX_WIDTH = 1000, USUAL_WIDTH = 72, MAX_INPUT = 4 << 20 };

// Text that grows; a program that has no memory left ends.
struct text {
  char *bytes;
  size_t length, room;
};

static void add(struct text *text, const char *bytes, size_t length) {
  if (text->room - text->length <= length) {
    text->room = (text->length + length + 1) * 2;
    text->bytes = realloc(text->bytes, text->room);
    if (text->bytes == NULL) {
      fputs("mdtext: out of memory\n", stderr);
      exit(1);
    }
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  text->bytes[text->length] = '\0';
}

static void clear(struct text *text) {
  text->length = 0;
  add(text, "", 0);
}

static size_t characters(const char *bytes, size_t length) {
  size_t count = 0;
  for (size_t at = 0; at < length; at++) count += ((unsigned char)bytes[at] & 0xc0) != 0x80;
  return count;
}

// `[label](url)`: the end of it, and where its parts are; null if it is none.
static const char *link_end(const char *start, const char **label_end, const char **url) {
  const char *close = strchr(start, ']');
  if (close == NULL || close[1] != '(') return NULL;
  *label_end = close;
  *url = close + 2;
  return strchr(*url, ')');
}

// Whether a character is a mark of emphasis or code. `_` within a word is none.
static bool is_mark(const char *at, const struct text *before) {
  if (*at != '_') return *at == '*' || *at == '`';
  char last = before->length > 0 ? before->bytes[before->length - 1] : ' ';
  return !isalnum((unsigned char)at[1]) || !isalnum((unsigned char)last);
}

// Drops the marks within a line.
static void plain(struct text *out, const char *in) {
  for (; *in; in++) {
    const char *label = in + (*in == '!' && in[1] == '['), *label_end, *url, *end;
    if (*in == '\\' && ispunct((unsigned char)in[1])) {
      add(out, ++in, 1);
    } else if (*label == '[' && (end = link_end(label, &label_end, &url)) != NULL) {
      add(out, label + 1, (size_t)(label_end - label - 1));
      if (label == in) {
        add(out, " (", 2);
        add(out, url, (size_t)(end - url));
        add(out, ")", 1);
      }
      in = end;
    } else if (!is_mark(in, out)) {
      add(out, in, 1);
    }
  }
}

// Prints words, no more on a line than fit; later lines begin with `indent` spaces.
static void wrap(const char *words, size_t width, size_t indent) {
  size_t column = 0;
  for (const char *at = words + strspn(words, " \t"); *at; at += strspn(at, " \t")) {
    size_t length = strcspn(at, " \t"), wide = characters(at, length);
    bool breaks = column > 0 && column + 1 + wide > width;
    if (breaks) printf("\n%*s", (int)indent, "");
    if (column > 0 && !breaks) putchar(' ');
    column = breaks ? indent + wide : column + (column > 0) + wide;
    fwrite(at, 1, length, stdout);
    at += length;
  }
  if (column > 0) putchar('\n');
}

// Ends the paragraph, if there is one.
static void finish(struct text *paragraph, size_t width, size_t indent) {
  struct text words = {0};
  clear(&words);
  if (paragraph->length > 0) plain(&words, paragraph->bytes);
  wrap(words.bytes, width, indent);
  free(words.bytes);
  clear(paragraph);
}

static void heading(const char *line, size_t level) {
  struct text words = {0};
  clear(&words);
  plain(&words, line + level + strspn(line + level, " \t"));
  size_t wide = characters(words.bytes, words.length);
  puts(words.bytes);
  while (wide-- > 0) putchar(level == 1 ? '=' : '-');
  putchar('\n');
  free(words.bytes);
}

// `- `, `* `, `+ ` or `1. ` at the beginning: how long it is.
static size_t bullet(const char *line) {
  size_t digits = strspn(line, "0123456789");
  if (digits > 0 && digits < 10 && line[digits] == '.' && line[digits + 1] == ' ') return digits + 2;
  return strchr("-*+", line[0]) && line[0] && line[1] == ' ' ? 2 : 0;
}

static void render(char *markdown, size_t width) {
  struct text paragraph = {0};
  size_t indent = 0;
  bool in_code = false;
  clear(&paragraph);
  for (char *line = markdown, *next; line != NULL; line = next) {
    next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    line[strcspn(line, "\r")] = '\0';
    if (next == NULL && *line == '\0') break;
    const char *start = line + strspn(line, " \t");
    size_t level = strspn(start, "#"), mark = bullet(start);
    bool is_fence = strncmp(start, "```", 3) == 0;
    bool is_heading = level > 0 && level < 7 && start[level] == ' ';
    if (in_code && !is_fence) {
      printf("    %s\n", line);
      continue;
    }
    if (is_fence || is_heading || mark > 0 || *start == '\0') {
      finish(&paragraph, width, indent);
      indent = mark;
    }
    if (is_fence) in_code = !in_code;
    else if (is_heading) heading(start, level);
    else if (*start == '\0') putchar('\n');
    else {
      if (paragraph.length > 0) add(&paragraph, " ", 1);
      if (mark == 2) add(&paragraph, "\\", 1);  // a mark of lists, none of emphasis
      add(&paragraph, start, strlen(start));
    }
  }
  finish(&paragraph, width, indent);
  free(paragraph.bytes);
}

// All of the input; null if it cannot be read or is too long.
static char *read_input(void) {
  struct text input = {0};
  char piece[4096];
  clear(&input);
  for (size_t got; (got = fread(piece, 1, sizeof piece, stdin)) > 0;) {
    if (input.length + got > MAX_INPUT) errno = EFBIG;
    if (input.length + got > MAX_INPUT) return NULL;
    add(&input, piece, got);
  }
  return ferror(stdin) ? NULL : input.bytes;
}

// A width that is written out; 0 if it is none.
static size_t width_of(const char *text) {
  char *end;
  long width = strtol(text, &end, 10);
  bool ends = *end == '\0' || *end == '&';
  return end != text && ends && width >= MIN_WIDTH && width <= MAX_WIDTH ? (size_t)width : 0;
}

static int handle_request(void) {
  const char *method = getenv("REQUEST_METHOD"), *query = getenv("QUERY_STRING");
  const char *given = query == NULL ? NULL : strstr(query, "width=");
  size_t width = given == NULL ? USUAL_WIDTH : width_of(given + strlen("width="));
  char *input = NULL;
  if (method == NULL || strcmp(method, "POST") != 0) {
    printf("Status: 405 Method Not Allowed\nAllow: POST\n");
  } else if (width == 0) {
    printf("Status: 400 Bad Request\n");
  } else if ((input = read_input()) == NULL) {
    printf("Status: 413 Content Too Large\n");
  }
  printf("Content-Type: text/plain; charset=utf-8\n\n");
  if (input != NULL) render(input, width);
  else printf("Post Markdown; ?width=N takes %d to %d.\n", MIN_WIDTH, MAX_WIDTH);
  return 0;
}

int main(int count, char **arguments) {
  if (getenv("GATEWAY_INTERFACE") != NULL) return handle_request();
  bool has_width = count == 3 && strcmp(arguments[1], "--width") == 0;
  size_t width = has_width ? width_of(arguments[2]) : USUAL_WIDTH;
  if ((count > 1 && !has_width) || width == 0) {
    fprintf(stderr, "usage: mdtext [--width N] < notes.md (%d to %d)\n", MIN_WIDTH, MAX_WIDTH);
    return 2;
  }
  char *input = read_input();
  if (input == NULL) {
    fprintf(stderr, "mdtext: cannot read the input: %s\n", strerror(errno));
    return 1;
  }
  render(input, width);
  return 0;
}

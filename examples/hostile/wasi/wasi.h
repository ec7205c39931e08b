// What the hostile guests share: WASI preview 1 by hand, so that every argument may lie.
//
// A guest ends with 0 if it was contained and with 42 if an attack worked; what worked is on its
// standard output. It works with what it is given: /box (read and write), /ro (read only), /tmp
// (another mount to read and write); what is not there refuses everything.

#ifndef WASI_H
#define WASI_H

#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef const void *ptr;

#define WASI(name) \
  extern u32 name(WASI_##name) \
      __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

#define WASI_args_get void *argv, void *bytes
#define WASI_args_sizes_get void *count, void *size
#define WASI_environ_get void *environ, void *bytes
#define WASI_environ_sizes_get void *count, void *size
#define WASI_clock_res_get u32 id, void *resolution
#define WASI_clock_time_get u32 id, u64 precision, void *time
#define WASI_fd_advise u32 fd, u64 offset, u64 length, u32 advice
#define WASI_fd_allocate u32 fd, u64 offset, u64 length
#define WASI_fd_close u32 fd
#define WASI_fd_datasync u32 fd
#define WASI_fd_fdstat_get u32 fd, void *stat
#define WASI_fd_fdstat_set_flags u32 fd, u32 flags
#define WASI_fd_fdstat_set_rights u32 fd, u64 base, u64 inheriting
#define WASI_fd_filestat_get u32 fd, void *stat
#define WASI_fd_filestat_set_size u32 fd, u64 size
#define WASI_fd_filestat_set_times u32 fd, u64 accessed, u64 modified, u32 flags
#define WASI_fd_pread u32 fd, ptr iovs, u32 count, u64 offset, void *read
#define WASI_fd_prestat_get u32 fd, void *prestat
#define WASI_fd_prestat_dir_name u32 fd, void *name, u32 size
#define WASI_fd_pwrite u32 fd, ptr iovs, u32 count, u64 offset, void *written
#define WASI_fd_read u32 fd, ptr iovs, u32 count, void *read
#define WASI_fd_readdir u32 fd, void *buffer, u32 size, u64 cookie, void *used
#define WASI_fd_renumber u32 from, u32 to
#define WASI_fd_seek u32 fd, u64 offset, u32 whence, void *position
#define WASI_fd_sync u32 fd
#define WASI_fd_tell u32 fd, void *position
#define WASI_fd_write u32 fd, ptr iovs, u32 count, void *written
#define WASI_path_create_directory u32 fd, ptr path, u32 size
#define WASI_path_filestat_get u32 fd, u32 lookup, ptr path, u32 size, void *stat
#define WASI_path_filestat_set_times \
  u32 fd, u32 lookup, ptr path, u32 size, u64 accessed, u64 modified, u32 flags
#define WASI_path_link \
  u32 fd, u32 lookup, ptr path, u32 size, u32 to_fd, ptr to_path, u32 to_size
#define WASI_path_open \
  u32 fd, u32 lookup, ptr path, u32 size, u32 oflags, u64 base, u64 inheriting, u32 flags, \
      void *opened
#define WASI_path_readlink u32 fd, ptr path, u32 size, void *buffer, u32 room, void *used
#define WASI_path_remove_directory u32 fd, ptr path, u32 size
#define WASI_path_rename u32 fd, ptr path, u32 size, u32 to_fd, ptr to_path, u32 to_size
#define WASI_path_symlink ptr target, u32 target_size, u32 fd, ptr path, u32 size
#define WASI_path_unlink_file u32 fd, ptr path, u32 size
#define WASI_poll_oneoff ptr subscriptions, void *events, u32 count, void *happened
#define WASI_proc_raise u32 signal
#define WASI_random_get void *buffer, u32 size
#define WASI_sched_yield void
#define WASI_sock_accept u32 fd, u32 flags, void *accepted
#define WASI_sock_recv u32 fd, ptr iovs, u32 count, u32 flags, void *received, void *out_flags
#define WASI_sock_send u32 fd, ptr iovs, u32 count, u32 flags, void *sent
#define WASI_sock_shutdown u32 fd, u32 how

WASI(args_get);
WASI(args_sizes_get);
WASI(environ_get);
WASI(environ_sizes_get);
WASI(clock_res_get);
WASI(clock_time_get);
WASI(fd_advise);
WASI(fd_allocate);
WASI(fd_close);
WASI(fd_datasync);
WASI(fd_fdstat_get);
WASI(fd_fdstat_set_flags);
WASI(fd_fdstat_set_rights);
WASI(fd_filestat_get);
WASI(fd_filestat_set_size);
WASI(fd_filestat_set_times);
WASI(fd_pread);
WASI(fd_prestat_get);
WASI(fd_prestat_dir_name);
WASI(fd_pwrite);
WASI(fd_read);
WASI(fd_readdir);
WASI(fd_renumber);
WASI(fd_seek);
WASI(fd_sync);
WASI(fd_tell);
WASI(fd_write);
WASI(path_create_directory);
WASI(path_filestat_get);
WASI(path_filestat_set_times);
WASI(path_link);
WASI(path_open);
WASI(path_readlink);
WASI(path_remove_directory);
WASI(path_rename);
WASI(path_symlink);
WASI(path_unlink_file);
WASI(poll_oneoff);
WASI(proc_raise);
WASI(random_get);
WASI(sched_yield);
WASI(sock_accept);
WASI(sock_recv);
WASI(sock_send);
WASI(sock_shutdown);
extern _Noreturn void proc_exit(u32 code)
    __attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit")));

enum {
  E_BADF = 8, E_EXIST = 20, E_FAULT = 21, E_ILSEQ = 25, E_INVAL = 28, E_LOOP = 32, E_MFILE = 33,
  E_NOENT = 44, E_NOSPC = 51, E_NOTCAPABLE = 76
};
enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };
enum { FOLLOW = 1, APPEND = 1 };
enum { SET_ATIM = 1, SET_MTIM = 4 };
#define CAN_READ ((u64)1 << 1)
#define CAN_WRITE ((u64)1 << 6)
#define CAN_READDIR ((u64)1 << 14)
#define CAN_ALL ((u64)0x1fffffff)
/** What a directory may have: nothing of it is written as a file is. */
#define CAN_BROWSE (CAN_ALL & ~(CAN_WRITE | 1 | (u64)1 << 8 | (u64)1 << 22))
#define NONE 0xffffffffu

struct iovec {
  ptr at;
  u32 size;
};

static inline u32 length_of(const char *text) {
  u32 length = 0;
  while (text[length]) length++;
  return length;
}

static inline int same(const void *a, const void *b, u32 size) {
  const u8 *left = a, *right = b;
  while (size--) {
    if (*left++ != *right++) return 0;
  }
  return 1;
}

static inline int holds(const u8 *bytes, u32 size, const char *text) {
  u32 length = length_of(text);
  for (u32 at = 0; at + length <= size; at++) {
    if (same(bytes + at, text, length)) return 1;
  }
  return 0;
}

static inline void say_bytes(ptr bytes, u32 size) {
  struct iovec iov = {bytes, size};
  u32 written;
  fd_write(1, &iov, 1, &written);
}

static inline void say(const char *text) { say_bytes(text, length_of(text)); }

static inline void say_number(u64 value) {
  char digits[24], *at = digits + sizeof digits;
  do *--at = (char)('0' + value % 10);
  while (value /= 10);
  say_bytes(at, (u32)(digits + sizeof digits - at));
}

static u32 escapes;

static inline void escaped(const char *how) {
  escapes++;
  say("ESCAPED ");
  say(how);
  say("\n");
}

/** An attack that must not succeed. */
#define REFUSED(call) do { if ((call) == 0) escaped(#call); } while (0)
/** Something that must not be so. */
#define NEVER(condition) do { if (condition) escaped(#condition); } while (0)
/** A text and its length, as two arguments. */
#define TEXT(text) (text), (u32)(sizeof(text) - 1)

/** The descriptor of a mount; one that is not open, if it is not there. */
static inline u32 mount(const char *path) {
  u32 prestat[2], size = length_of(path);
  static char name[64];
  for (u32 fd = 3; fd < 16; fd++) {
    if (fd_prestat_get(fd, prestat) || prestat[1] != size) continue;
    if (!fd_prestat_dir_name(fd, name, size) && same(name, path, size)) return fd;
  }
  return 0x1000;
}

static inline u32 open_at(u32 dir, const char *path, u32 oflags, u64 rights, u32 *fd) {
  u64 inheriting = oflags & DIRECTORY ? CAN_ALL : rights;
  if (oflags & DIRECTORY) rights &= CAN_BROWSE;
  return path_open(dir, 0, path, length_of(path), oflags, rights, inheriting, 0, fd);
}

static inline u32 put(u32 fd, ptr bytes, u32 size) {
  struct iovec iov = {bytes, size};
  u32 written;
  return fd_write(fd, &iov, 1, &written);
}

/** Makes a file of one line; whether that worked. */
static inline int make_file(u32 dir, const char *path) {
  u32 fd;
  if (open_at(dir, path, CREATE, CAN_WRITE, &fd)) return 0;
  put(fd, TEXT("made by the guest\n"));
  fd_close(fd);
  return 1;
}

/** Whether a descriptor shows what lies outside: bytes of a file, names of a directory. */
static inline int leaks(u32 fd) {
  static u8 bytes[4096];
  struct iovec iov = {bytes, sizeof bytes};
  u32 size = 0;
  if (fd_read(fd, &iov, 1, &size) && fd_readdir(fd, bytes, sizeof bytes, 0, &size)) return 0;
  return holds(bytes, size, "S3CRET") || holds(bytes, size, "root:") ||
         holds(bytes, size, "PATH=") || holds(bytes, size, "secret.txt") ||
         holds(bytes, size, "passwd");
}

/** Tries to read a path in every way that an open can be asked for. */
static inline void try_read(u32 dir, const char *path, u32 size) {
  static const u64 rights[] = {CAN_READ, CAN_READDIR, CAN_READ | CAN_READDIR, CAN_ALL};
  for (u32 way = 0; way < 16; way++) {
    u32 fd, oflags = way & 2 ? DIRECTORY : 0;
    u64 wanted = rights[way >> 2];
    if (path_open(dir, way & FOLLOW, path, size, oflags, wanted, wanted, 0, &fd)) continue;
    if (leaks(fd)) {
      escaped("read of ");
      say_bytes(path, size < 200 ? size : 200);
      say("\n");
    }
    fd_close(fd);
  }
}

/** The argument at a place, or an empty text. */
static inline const char *argument(u32 index) {
  static char *argv[64], bytes[4096];
  u32 count, size;
  if (args_sizes_get(&count, &size) || count > 64 || size > sizeof bytes) return "";
  return index < count && !args_get(argv, bytes) ? argv[index] : "";
}

static inline int argument_is(const char *text) {
  const char *given = argument(1);
  return same(given, text, length_of(text) + 1);
}

/** Where the memory ends. */
static inline u8 *memory_end(void) {
  return (u8 *)(uintptr_t)(__builtin_wasm_memory_size(0) * 65536u);
}

// the compiler calls these for what it does not write out
void *memset(void *to, int value, unsigned long size) {
  u8 *at = to;
  while (size--) *at++ = (u8)value;
  return to;
}
void *memcpy(void *to, const void *from, unsigned long size) {
  u8 *at = to;
  const u8 *source = from;
  while (size--) *at++ = *source++;
  return to;
}

static void attack(void);

__attribute__((export_name("_start"))) void start(void) {
  attack();
  proc_exit(escapes ? 42 : 0);
}

#endif

// The same ways out, spelled so that a check and the system may read them differently.
#include "wasi.h"

static char path[1 << 20];

static void read_all(u32 dir) {
  try_read(dir, TEXT("in.txt\0/../../outside/secret.txt"));
  try_read(dir, TEXT("../outside/secret.txt\0.txt"));
  try_read(dir, TEXT("\0../outside/secret.txt"));
  try_read(dir, TEXT("..\\outside\\secret.txt"));
  try_read(dir, TEXT("sub\\..\\..\\outside\\secret.txt"));
  try_read(dir, TEXT("%2e%2e/outside/secret.txt"));
  try_read(dir, TEXT("..%2foutside%2fsecret.txt"));
  try_read(dir, TEXT("%252e%252e%252foutside%252fsecret.txt"));
  try_read(dir, TEXT("file:///etc/passwd"));
  try_read(dir, TEXT("file:../outside/secret.txt"));
  try_read(dir, TEXT("\xc0\xae\xc0\xae/outside/secret.txt"));              // overlong dots
  try_read(dir, TEXT("..\xc0\xafoutside\xc0\xafsecret.txt"));              // overlong slashes
  try_read(dir, TEXT("\xe0\x80\xae\xe0\x80\xae/outside/secret.txt"));
  try_read(dir, TEXT("\xef\xbc\x8e\xef\xbc\x8e/outside/secret.txt"));      // full-width dots
  try_read(dir, TEXT("..\xef\xbc\x8foutside\xef\xbc\x8fsecret.txt"));      // full-width slashes
  try_read(dir, TEXT("..\xe2\x88\x95outside\xe2\x88\x95secret.txt"));      // division slash
  try_read(dir, TEXT("\xe2\x80\xa5/outside/secret.txt"));                  // two-dot leader
  try_read(dir, TEXT("\xef\xbb\xbf../outside/secret.txt"));                // byte order mark
  try_read(dir, TEXT(".\xe2\x80\x8b./outside/secret.txt"));                // zero width space
  try_read(dir, TEXT(" ../outside/secret.txt"));
  try_read(dir, TEXT("../outside/secret.txt "));
  try_read(dir, TEXT(".. /outside/secret.txt"));
  try_read(dir, TEXT("..;/outside/secret.txt"));
  try_read(dir, TEXT("..\n/outside/secret.txt"));
  try_read(dir, TEXT("~root/.profile"));
  try_read(dir, TEXT("$HOME/.profile"));
  try_read(dir, TEXT("C:\\Windows\\win.ini"));
  try_read(dir, TEXT("\\\\?\\C:\\Windows\\win.ini"));
  try_read(dir, TEXT("\\\\.\\pipe\\x"));
  try_read(dir, TEXT("in.txt::$DATA"));
  try_read(dir, TEXT(""));
}

/** A name that is no text, or ends early, must not be made. */
static void make_all(u32 dir) {
  u32 fd;
  u8 stat[64];
  REFUSED(path_open(dir, 0, TEXT("nul\0name"), CREATE, CAN_WRITE, 0, 0, &fd));
  REFUSED(path_create_directory(dir, TEXT("nul\0name")));
  REFUSED(path_rename(dir, TEXT("in.txt"), dir, TEXT("nul\0name")));
  REFUSED(path_filestat_get(dir, 0, TEXT("in.txt\0"), stat));
  REFUSED(path_filestat_get(dir, 0, TEXT("nul"), stat));
  REFUSED(path_symlink(TEXT("in.txt\0x"), dir, TEXT("cut")));
  REFUSED(path_open(dir, 0, TEXT("\xed\xa0\x80"), CREATE, CAN_WRITE, 0, 0, &fd));  // surrogates
  REFUSED(path_open(dir, 0, TEXT("\xed\xb0\x80"), CREATE, CAN_WRITE, 0, 0, &fd));
  REFUSED(path_create_directory(dir, TEXT("\xff\xfe")));
  REFUSED(path_create_directory(dir, TEXT("cut\xe2\x82")));
  REFUSED(path_create_directory(dir, TEXT("\xf4\x90\x80\x80")));
  REFUSED(path_create_directory(dir, TEXT("")));
}

static void attack(void) {
  u32 box = mount("/box"), fd;
  read_all(box);
  make_all(box);
  // as long as can be: single letters, dots, slashes, and one long name
  for (u32 form = 0; form < 4; form++) {
    for (u32 at = 0; at < sizeof path; at++) {
      path[at] = form == 3 ? 'a' : at % 2 ? '/' : form == 0 ? 'a' : form == 1 ? '.' : '/';
    }
    try_read(box, path, sizeof path);
    try_read(box, path, 4097);
    REFUSED(path_create_directory(box, path, sizeof path));
    REFUSED(path_open(box, 0, path, sizeof path, CREATE, CAN_WRITE, 0, 0, &fd));
  }
}

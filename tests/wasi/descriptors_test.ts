import { assertEquals } from "@std/assert";
import { RIGHTS } from "../../runtime/wasi/rights.ts";
import { GuestHand, OPEN, READ, WRITE } from "./_guest.ts";

const FILE = { flags: OPEN.CREAT, rights: READ | WRITE };

/** Rights of a descriptor: base, and inheriting. */
function rights(hand: GuestHand, fd: number): readonly [bigint, bigint] {
  assertEquals(hand.call("fd_fdstat_get", fd, 512), "SUCCESS");
  return [hand.u64(520), hand.u64(528)];
}

Deno.test("path_open() takes the lowest number that is free", () => {
  using hand = new GuestHand();
  assertEquals([hand.opened("a", FILE), hand.opened("b", FILE)], [4, 5]);
  assertEquals(hand.call("fd_close", 4), "SUCCESS");
  assertEquals(hand.call("fd_close", 0), "SUCCESS");
  assertEquals([hand.opened("a"), hand.opened("b")], [0, 4]);
  assertEquals(hand.opened("a"), 6);
});

Deno.test("path_open() gives MFILE at the limit and makes nothing", () => {
  using hand = new GuestHand({ limits: { openFiles: 6 } });
  hand.opened("a", FILE);
  hand.opened("b", FILE);
  assertEquals(hand.open("c", FILE), "MFILE");
  assertEquals(hand.open("a", { flags: OPEN.TRUNC, rights: WRITE }), "MFILE");
  assertEquals([...hand.wasi.files().keys()], ["/a", "/b"]);
  assertEquals(hand.wasi.usage().openFiles, 6);
  hand.call("fd_close", 4);
  assertEquals(hand.open("c", FILE), 4);
});

Deno.test("fd_renumber() moves what is open and closes what was there", () => {
  using hand = new GuestHand();
  const a = hand.opened("a", FILE);
  const b = hand.opened("b", FILE);
  hand.write(a, "of a");
  assertEquals(hand.call("fd_renumber", a, a), "SUCCESS");
  assertEquals(hand.call("fd_renumber", a, b), "SUCCESS");
  assertEquals(hand.call("fd_tell", a, 512), "BADF");
  assertEquals(hand.call("fd_tell", b, 512), "SUCCESS");
  assertEquals(hand.u64(512), 4n);
  assertEquals(hand.wasi.usage().openFiles, 5);
  for (const [from, to] of [[b, a], [a, b], [99, b], [b, 99], [b, -1]]) {
    assertEquals(hand.call("fd_renumber", from ?? 0, to ?? 0), "BADF");
  }
  // what takes a stream's place has its own rights
  const r = hand.opened("b", { rights: READ });
  assertEquals(hand.call("fd_renumber", r, 1), "SUCCESS");
  assertEquals(hand.write(1, "x"), "NOTCAPABLE");
  assertEquals(hand.stdout, "");
});

Deno.test("fd_close() closes streams and mounts like all else", () => {
  using hand = new GuestHand();
  for (const fd of [0, 1, 2, 3]) {
    assertEquals(hand.call("fd_close", fd), "SUCCESS");
    assertEquals(hand.call("fd_close", fd), "BADF");
  }
  assertEquals(hand.write(1, "x"), "BADF");
  assertEquals(hand.open("a", FILE), "BADF");
  assertEquals(hand.call("fd_prestat_get", 3, 512), "BADF");
  assertEquals(hand.wasi.usage().openFiles, 0);
});

Deno.test("fd_prestat_dir_name() writes nothing into a buffer too small", () => {
  using hand = new GuestHand({
    policy: [
      { type: "filesystem", mounts: [{ guest: "/ä", memory: true }] },
    ],
  });
  assertEquals(hand.call("fd_prestat_get", 3, 512), "SUCCESS");
  assertEquals([hand.u32(512), hand.u32(516)], [0, 3]);
  for (const length of [0, 1, 2]) {
    const errno = hand.call("fd_prestat_dir_name", 3, 600, length);
    assertEquals(errno, "NAMETOOLONG");
  }
  assertEquals(hand.u32(600), 0);
  assertEquals(hand.call("fd_prestat_dir_name", 3, 600, 4), "SUCCESS");
  assertEquals(hand.string(600, 3), "/ä");
  for (const fd of [0, 2, 4, -1]) {
    assertEquals(hand.call("fd_prestat_get", fd, 512), "BADF");
  }
});

Deno.test("fd_fdstat_set_rights() only takes away, also from children", () => {
  using hand = new GuestHand();
  const [base, inheriting] = rights(hand, 3);
  const set = (base: bigint, inheriting: bigint, fd = 3) =>
    hand.call("fd_fdstat_set_rights", fd, base, inheriting);
  assertEquals(set(base | 1n << 40n, inheriting), "NOTCAPABLE");
  assertEquals(set(base, inheriting | 1n << 63n), "NOTCAPABLE");
  assertEquals(set(base, inheriting), "SUCCESS");
  const withoutWrite = inheriting & ~BigInt(RIGHTS.FD_WRITE);
  assertEquals(set(base, withoutWrite), "SUCCESS");
  assertEquals(set(base, inheriting), "NOTCAPABLE");
  assertEquals(hand.open("a", FILE), "NOTCAPABLE");
  assertEquals([...hand.wasi.files().keys()], []);
  const directory = hand.opened(".", {
    flags: OPEN.DIRECTORY,
    inheriting: inheriting,
  });
  assertEquals(rights(hand, directory)[1], withoutWrite);
  assertEquals(hand.open("a", { ...FILE, directory }), "NOTCAPABLE");
  assertEquals(set(0n, 0n), "SUCCESS");
  assertEquals(rights(hand, 3), [0n, 0n]);
  assertEquals(hand.open("a"), "NOTCAPABLE");
  assertEquals(hand.path("path_create_directory", "d"), "NOTCAPABLE");
});

Deno.test("path_open() gives files the access that was asked for", () => {
  using hand = new GuestHand();
  hand.write(hand.opened("a", FILE), "text");
  const readOnly = hand.opened("a", { rights: READ });
  const writeOnly = hand.opened("a", { rights: WRITE });
  const neither = hand.opened("a", { rights: 0n });
  assertEquals(hand.read(readOnly), "text");
  assertEquals(hand.write(readOnly, "x"), "NOTCAPABLE");
  assertEquals(hand.call("fd_filestat_set_size", readOnly, 0n), "NOTCAPABLE");
  assertEquals(hand.read(writeOnly), "NOTCAPABLE");
  assertEquals(hand.read(neither), "NOTCAPABLE");
  assertEquals(hand.write(neither, "x"), "NOTCAPABLE");
  // what today's runtimes do not ask for is given
  assertEquals(hand.call("fd_filestat_get", neither, 512), "SUCCESS");
  assertEquals(hand.call("fd_seek", readOnly, 1n, 0, 512), "SUCCESS");
  assertEquals(hand.call("fd_filestat_set_size", writeOnly, 2n), "SUCCESS");
  assertEquals(hand.read(readOnly), "e");
});

Deno.test("path_open() does not take directories for files or the reverse", () => {
  using hand = new GuestHand();
  hand.opened("file", FILE);
  hand.path("path_create_directory", "dir");
  const DIRECTORY = OPEN.DIRECTORY;
  assertEquals(hand.open("file", { flags: DIRECTORY }), "NOTDIR");
  assertEquals(hand.open("file/", {}), "NOTDIR");
  assertEquals(hand.open("new/", FILE), "ISDIR");
  assertEquals(hand.open("dir", { rights: WRITE }), "ISDIR");
  assertEquals(hand.open("dir", { flags: OPEN.TRUNC }), "ISDIR");
  assertEquals(hand.open("dir", { flags: OPEN.CREAT }), "ISDIR");
  assertEquals(hand.open("d", { flags: OPEN.CREAT | DIRECTORY }), "INVAL");
  assertEquals(hand.open("file", { flags: 16 }), "INVAL");
  assertEquals(hand.open("file", { fdflags: 32 }), "INVAL");
  const exclusive = OPEN.CREAT | OPEN.EXCL;
  assertEquals(hand.open("file", { flags: exclusive }), "EXIST");
  assertEquals(hand.open("file", { directory: 4 }), "NOTDIR");
  assertEquals(hand.open("file", { directory: 0 }), "NOTDIR");
  assertEquals(hand.open("file", { directory: 77 }), "BADF");
  assertEquals(hand.read(3), "ISDIR");
  assertEquals(hand.write(3, "x"), "ISDIR");
  assertEquals(hand.call("fd_seek", 3, 0n, 0, 512), "ISDIR");
});

Deno.test("fd_fdstat_set_flags() switches appending on and off", () => {
  using hand = new GuestHand();
  const fd = hand.opened("a", { ...FILE, fdflags: 1 | 16 });
  hand.call("fd_fdstat_get", fd, 512);
  assertEquals([hand.memory[512], hand.u16(514)], [4, 17]);
  hand.write(fd, "one");
  hand.call("fd_seek", fd, 0n, 0, 512);
  hand.write(fd, "two");
  hand.call("fd_tell", fd, 512);
  assertEquals(hand.u64(512), 6n);
  assertEquals(hand.call("fd_fdstat_set_flags", fd, 32), "INVAL");
  assertEquals(hand.call("fd_fdstat_set_flags", fd, 0), "SUCCESS");
  hand.call("fd_seek", fd, 0n, 0, 512);
  hand.write(fd, "TWO");
  assertEquals(
    new TextDecoder().decode(hand.wasi.files().get("/a")),
    "TWOtwo",
  );
});

Deno.test("fd_fdstat_get() says that streams are terminals and has no gaps", () => {
  using hand = new GuestHand();
  hand.memory.fill(255, 512, 600);
  for (const [fd, type] of [[0, 2], [1, 2], [2, 2], [3, 3]] as const) {
    hand.call("fd_fdstat_get", fd, 512);
    const [first, second, ...rest] = hand.memory.slice(512, 520);
    assertEquals([first, second, ...rest], [type, 0, 0, 0, 0, 0, 0, 0]);
  }
  // neither FD_SEEK nor FD_TELL: so libc knows a terminal
  const [base] = rights(hand, 1);
  assertEquals(base & BigInt(RIGHTS.FD_SEEK | RIGHTS.FD_TELL), 0n);
});

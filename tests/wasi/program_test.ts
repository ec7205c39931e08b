import { assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { WasiRun } from "../../runtime/wasi/types.ts";
import { GuestHand, OPEN, PROGRAM, READ, WRITE } from "./_guest.ts";

/** Strings as the guest gets them. */
function strings(hand: GuestHand, list: "args" | "environ"): string[] {
  assertEquals(hand.call(`${list}_sizes_get`, 512, 516), "SUCCESS");
  const [count, size] = [hand.u32(512), hand.u32(516)];
  assertEquals(hand.call(`${list}_get`, 1000, 2000), "SUCCESS");
  const all = hand.string(2000, size);
  const starts = Array.from(
    { length: count },
    (_, index) => hand.u32(1000 + index * 4) - 2000,
  );
  const bytes = hand.memory.slice(2000, 2000 + size);
  assertEquals(all.split("\0").length - 1, count);
  return starts.map((start) =>
    new TextDecoder().decode(bytes.slice(start, bytes.indexOf(0, start)))
  );
}

function prepare(run: Partial<WasiRun>, policy = PROGRAM): GuestHand {
  return new GuestHand({ run, policy });
}

Deno.test("args_get() gives arguments in UTF-8, counted in bytes", () => {
  using hand = prepare({ args: ["prog", "", "äöü €", "👍🏽", "a b"] });
  assertEquals(strings(hand, "args"), ["prog", "", "äöü €", "👍🏽", "a b"]);
  using none = prepare({ args: [] });
  assertEquals(strings(none, "args"), []);
});

Deno.test("environ_get() gives what is granted and what the run gives", () => {
  using hand = prepare({ env: { PASSED: "ß", NAME: "other" } }, [
    {
      type: "environment",
      variables: { NAME: "välue", EMPTY: "" },
      pass: ["PASSED", "UNSET"],
    },
  ]);
  assertEquals(strings(hand, "environ"), ["NAME=other", "EMPTY=", "PASSED=ß"]);
});

Deno.test("prepare() refuses what a program cannot be given", () => {
  const bad: readonly (readonly [Partial<WasiRun>, string])[] = [
    [{ args: ["a\0b"] }, "argument 0"],
    [{ args: ["a", "\ud800"] }, "argument 1"],
    [{ args: [7 as unknown as string] }, "argument 0"],
    [{ env: { NAME: "a\0b" } }, 'variable "NAME"'],
    [{ env: { NAME: 7 as unknown as string } }, 'variable "NAME"'],
    [{ env: { PATH: "/bin" } }, 'variable "PATH": no environment capability'],
    [{ env: { "toString": "x" } }, "no environment capability"],
    [{ env: { "A=B": "x" } }, "no environment capability"],
    [{ files: { "a": new Uint8Array() } }, '"a": it lies in no memory mount'],
    [{ files: { "/a/": new Uint8Array(1) } }, "no path of a file"],
    [{ files: { "/": new Uint8Array() } }, "no path of a file"],
    [{ files: { "/a/../b": new Uint8Array() } }, "no path of a file"],
    [{ files: { "/a\0": new Uint8Array() } }, "no path of a file"],
    [{ files: { "/a": "text" as unknown as Uint8Array } }, "no bytes"],
    [
      { files: { "/a": new Uint8Array(), "/a/b": new Uint8Array() } },
      "no path of a file",
    ],
  ];
  for (const [run, message] of bad) {
    assertThrows(() => prepare(run), TypeError, message, message);
  }
  assertThrows(
    () => prepare({ files: { "/big": new Uint8Array(2 ** 25) } }),
    RangeError,
    'the mount "/" has no room',
  );
});

Deno.test("prepare() puts files in, and files() takes them out", () => {
  using hand = prepare({
    files: {
      "/in/deep/a.txt": new TextEncoder().encode("ä"),
      "/tmp//b": new Uint8Array([1]),
      "/empty/": new Uint8Array(),
    },
  }, [{
    type: "filesystem",
    mounts: [
      { guest: "/", memory: true },
      { guest: "/tmp", memory: true, access: "read" },
    ],
  }]);
  assertEquals(hand.read(hand.opened("in/deep/a.txt")), "ä");
  hand.opened("empty", { flags: OPEN.DIRECTORY });
  hand.write(
    hand.opened("out", { flags: OPEN.CREAT, rights: WRITE }),
    "done",
  );
  const names = [...hand.wasi.files().keys()].toSorted();
  assertEquals(names, ["/in/deep/a.txt", "/out", "/tmp/b"]);
  const { writtenBytes, fileEntries } = hand.wasi.usage();
  assertEquals([writtenBytes, fileEntries], [4, 1]);
});

Deno.test("prepare() puts nothing into a mount of the host", () => {
  const host = Deno.makeTempDirSync();
  try {
    const policy = [{
      type: "filesystem",
      mounts: [
        { guest: "/", memory: true },
        { guest: "/data", host, access: "read-write" },
      ],
    }];
    assertThrows(
      () => prepare({ files: { "/data/a": new Uint8Array() } }, policy),
      TypeError,
      '"/data/a": it lies in no memory mount',
    );
    assertEquals([...Deno.readDirSync(host)], []);
  } finally {
    Deno.removeSync(host);
  }
});

Deno.test("proc_exit() ends the guest with all bits of its code", () => {
  using hand = new GuestHand();
  for (
    const [code, exitCode] of [[0, 0], [33, 33], [-1, 4294967295]] as const
  ) {
    const error = assertThrows(() => hand.call("proc_exit", code));
    if (!SandboxError.is(error, "guest-exit")) throw error;
    assertEquals(error.details.exitCode, exitCode);
  }
  using denied = new GuestHand({ policy: [{ type: "process", exit: false }] });
  const error = assertThrows(() => denied.call("proc_exit", 0));
  if (!SandboxError.is(error, "access-denied")) throw error;
  assertEquals(error.details.operation, "process.exit");
});

Deno.test("Wasi refuses more mounts than files may be open", () => {
  const mounts = ["/a", "/b", "/c"].map((guest) => ({ guest, memory: true }));
  const error = assertThrows(
    () =>
      new GuestHand({
        policy: [{ type: "filesystem", mounts }],
        limits: { openFiles: 5 },
      }),
  );
  if (!SandboxError.is(error, "limit-exceeded")) throw error;
  assertEquals([error.details.allowed, error.details.used], [5, 6]);
});

Deno.test("Wasi has modules of both names on one state", () => {
  using hand = new GuestHand();
  assertEquals(hand.wasi.modules.map(({ name }) => name), [
    "wasi_snapshot_preview1",
    "wasi_unstable",
  ]);
  const [first, second] = hand.wasi.modules;
  const names = Object.keys(first?.signatures ?? {});
  assertEquals(names.length, 46);
  assertEquals(
    Object.keys(second?.signatures ?? {}),
    names.filter((name) => name !== "sock_accept"),
  );
  assertEquals(first?.signatures["path_open"], {
    params: ["i32", "i32", "i32", "i32", "i32", "i64", "i64", "i32", "i32"],
    results: ["i32"],
  });
  assertEquals(first?.signatures["proc_exit"]?.results, []);
});

Deno.test("Wasi closes everything when it is disposed", () => {
  const hand = new GuestHand();
  const fd = hand.opened("a", { flags: OPEN.CREAT, rights: READ | WRITE });
  hand.write(fd, "text");
  hand[Symbol.dispose]();
  hand[Symbol.dispose]();
  assertEquals(hand.write(fd, "x"), "BADF");
  assertEquals(hand.wasi.usage().openFiles, 0);
  assertEquals(hand.wasi.usage().writtenBytes, 4);
});

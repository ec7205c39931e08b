import { assert, assertEquals } from "@std/assert";
import type { ErrnoName } from "../../runtime/wasi/errno.ts";
import { GuestHand, OPEN, READ, WRITE } from "./_guest.ts";

const FILE = { flags: OPEN.CREAT, rights: READ | WRITE };

/** A guest with memory mounts. */
function guest(
  mounts: readonly object[],
  files: readonly string[] = [],
): GuestHand {
  return new GuestHand({
    policy: [{
      type: "filesystem",
      mounts: mounts.map((mount) => ({ memory: true, ...mount })),
    }],
    run: {
      files: Object.fromEntries(files.map((path) => [
        path,
        new TextEncoder().encode(path),
      ])),
    },
  });
}

/** Calls a function with two paths. */
function two(
  hand: GuestHand,
  name: "path_rename" | "path_link",
  [from, fromFd]: readonly [string, number],
  [to, toFd]: readonly [string, number],
): string {
  const source = hand.text(from, 50_000);
  const target = hand.text(to, 51_000);
  const flags = name === "path_link" ? [0] : [];
  return hand.call(name, fromFd, ...flags, ...source, toFd, ...target);
}

function symlink(hand: GuestHand, target: string, path: string): string {
  const text = hand.text(target, 50_000);
  return hand.call("path_symlink", ...text, 3, ...hand.text(path, 51_000));
}

Deno.test("Wasi reaches a mount in a mount by its own descriptor alone", () => {
  using hand = guest(
    [{ guest: "/" }, { guest: "/data", access: "read" }, { guest: "/x/y" }],
    ["/a", "/data/a", "/x/y/a"],
  );
  assertEquals(hand.read(hand.opened("a", { directory: 4 })), "/data/a");
  assertEquals(hand.read(hand.opened("a", { directory: 5 })), "/x/y/a");
  hand.denied();
  for (
    const [path, resource] of [
      ["data", "/data"],
      ["data/a", "/data/a"],
      ["./data/../data/a", "/data/a"],
      ["data/", "/data"],
    ] as const
  ) {
    assertEquals(hand.open(path), "XDEV", path);
    assertEquals(
      hand.call("path_filestat_get", 3, 0, ...hand.text(path), 512),
      "XDEV",
    );
    const denied = `filesystem.read ${resource}`;
    assertEquals(hand.denied(), [denied, denied]);
  }
  assertEquals(hand.open("data/a", { rights: WRITE }), "XDEV");
  assertEquals(hand.path("path_create_directory", "data"), "XDEV");
  assertEquals(hand.denied(), [
    "filesystem.write /data/a",
    "filesystem.write /data",
  ]);
  // not a prefix of names, only of whole ones
  assertEquals(hand.open("database", FILE), 8);
  assertEquals(hand.path("path_create_directory", "x"), "SUCCESS");
  assertEquals(hand.path("path_create_directory", "x/y"), "XDEV");
});

Deno.test("path_rename() and path_link() stay in one mount", () => {
  using hand = guest(
    [{ guest: "/a" }, { guest: "/b" }, { guest: "/r", access: "read" }],
    ["/a/f", "/b/g", "/r/h"],
  );
  for (const name of ["path_rename", "path_link"] as const) {
    assertEquals(two(hand, name, ["f", 3], ["f", 4]), "XDEV");
    assertEquals(two(hand, name, ["f", 3], ["f", 5]), "NOTCAPABLE");
    assertEquals(two(hand, name, ["h", 5], ["h", 3]), "NOTCAPABLE");
    assertEquals(hand.denied(), [
      "filesystem.write /b/f",
      "filesystem.write /r/f",
      "filesystem.write /r/h",
    ]);
  }
  assertEquals(two(hand, "path_link", ["f", 3], ["l", 3]), "SUCCESS");
  assertEquals(two(hand, "path_rename", ["f", 3], ["f2", 3]), "SUCCESS");
  const names = [...hand.wasi.files().keys()].toSorted();
  assertEquals(names, ["/a/f2", "/a/l", "/b/g", "/r/h"]);
});

Deno.test("path_rename() takes open directories along", () => {
  using hand = guest([{ guest: "/" }], ["/old/sub/a"]);
  const sub = hand.opened("old/sub", { flags: OPEN.DIRECTORY });
  const old = hand.opened("old", { flags: OPEN.DIRECTORY });
  assertEquals(two(hand, "path_rename", ["old", 3], ["new", 3]), "SUCCESS");
  assertEquals(hand.read(hand.opened("a", { directory: sub })), "/old/sub/a");
  assertEquals(
    hand.read(hand.opened("sub/a", { directory: old })),
    "/old/sub/a",
  );
  assertEquals(hand.call("fd_filestat_get", sub, 512), "SUCCESS");
  assertEquals(two(hand, "path_rename", [".", 3], ["x", 3]), "BUSY");
  assertEquals(two(hand, "path_rename", ["new", 3], [".", 3]), "BUSY");
  assertEquals(two(hand, "path_rename", ["new", 3], ["new/x", 3]), "INVAL");
});

Deno.test("path_symlink() makes no link unless links stay within", () => {
  using refuse = guest([{ guest: "/" }], ["/a"]);
  assertEquals(symlink(refuse, "a", "l"), "PERM");
  using hand = guest([{ guest: "/", symlinks: "within" }], ["/a", "/d/a"]);
  for (const target of ["/a", "../a", "d/../../a", "d/..", "", "a\0"]) {
    const errno = symlink(hand, target, "l");
    assertEquals(errno === "SUCCESS", false, `${target}: ${errno}`);
  }
  assertEquals(symlink(hand, "a", "l"), "SUCCESS");
  assertEquals(symlink(hand, "../a", "d/l"), "SUCCESS");
  assertEquals(symlink(hand, "a", "l"), "EXIST");
  assertEquals(symlink(hand, "a", "new/"), "NOENT");
  assertEquals(hand.open("l"), "LOOP");
  assertEquals(hand.read(hand.opened("d/l", { follow: true })), "/a");
  // moved up, it would lead out
  assertEquals(two(hand, "path_rename", ["d/l", 3], ["up", 3]), "NOTCAPABLE");
  assertEquals(two(hand, "path_link", ["l", 3], ["l2", 3]), "SUCCESS");
  const [at, length] = hand.text("l2");
  assertEquals(
    hand.call("path_readlink", 3, at, length, 512, 99, 8),
    "SUCCESS",
  );
  assertEquals(hand.string(512, hand.u32(8)), "a");
  assertEquals(
    hand.call("path_readlink", 3, ...hand.text("a"), 512, 9, 8),
    "INVAL",
  );
  assertEquals(
    hand.call("path_link", 3, 1, ...hand.text("l2"), 3, ...hand.text("x", 100)),
    "INVAL",
  );
  assertEquals(
    hand.call("path_filestat_get", 3, 2, ...hand.text("l"), 512),
    "INVAL",
  );
});

Deno.test("path_readlink() does not say where in the host a link leads", async () => {
  const host = await Deno.makeTempDir();
  try {
    await Deno.symlink("/etc/passwd", `${host}/abs`);
    await Deno.symlink("../secret", `${host}/up`);
    await Deno.symlink("in", `${host}/in-link`);
    for (const symlinks of ["refuse", "within"]) {
      using hand = new GuestHand({
        policy: [{
          type: "filesystem",
          mounts: [{ guest: "/", host, symlinks }],
        }],
      });
      const read = (path: string) =>
        hand.path("path_readlink", path, 512, 64, 8);
      assertEquals(read("abs"), "NOTCAPABLE");
      assertEquals(read("up"), "NOTCAPABLE");
      assertEquals(hand.u32(512), 0);
      assertEquals(read("in-link"), "SUCCESS");
      assertEquals(hand.string(512, hand.u32(8)), "in");
    }
  } finally {
    await Deno.remove(host, { recursive: true });
  }
});

Deno.test("Wasi refuses paths that are no text, and absolute ones", () => {
  using hand = guest([{ guest: "/" }], ["/in.txt"]);
  const bad: readonly (readonly [Uint8Array | string, ErrnoName])[] = [
    ["in.txt\0", "INVAL"],
    ["in.txt\0/../../x", "INVAL"],
    [new Uint8Array([0xff, 0xfe]), "ILSEQ"],
    [new Uint8Array([0xed, 0xa0, 0x80]), "ILSEQ"],
    [new Uint8Array([0xc0, 0xae, 0xc0, 0xae]), "ILSEQ"],
    ["\ufeffin.txt", "NOENT"],
    ["", "NOENT"],
    ["/in.txt", "NOTCAPABLE"],
    ["/", "NOTCAPABLE"],
    ["..", "NOTCAPABLE"],
    ["x".repeat(256), "NAMETOOLONG"],
    ["x/".repeat(2_500), "NAMETOOLONG"],
  ];
  for (const [path, errno] of bad) {
    assertEquals(hand.open(path), errno, String(path).slice(0, 20));
    const stat = hand.path("path_unlink_file", path);
    assertEquals(stat, errno, String(path).slice(0, 20));
  }
});

Deno.test("fd_readdir() goes on from a cookie and leaks no byte", () => {
  const files = Array.from({ length: 40 }, (_, index) => `/file-${index}`);
  using hand = guest([{ guest: "/" }], files);
  const list = (length: number): readonly string[] => {
    const names: string[] = [];
    let cookie = 0n;
    for (let round = 0; round < 200; round++) {
      hand.memory.fill(255, 1000, 1000 + length);
      assertEquals(
        hand.call("fd_readdir", 3, 1000, length, cookie, 8),
        "SUCCESS",
      );
      const used = hand.u32(8);
      let at = 1000;
      while (at + 24 <= 1000 + used) {
        assertEquals([...hand.memory.slice(at + 21, at + 24)], [0, 0, 0]);
        const nameLength = hand.u32(at + 16);
        if (at + 24 + nameLength > 1000 + used) break;
        cookie = hand.u64(at);
        names.push(hand.string(at + 24, nameLength));
        at += 24 + nameLength;
      }
      if (used < length) return names;
    }
    throw new Error("no end");
  };
  const all = list(4096);
  assertEquals(all.slice(0, 2), [".", ".."]);
  assertEquals(all.length, 42);
  for (const length of [33, 64, 100, 1024]) {
    assertEquals(list(length), all, String(length));
  }
  for (const cookie of [42n, 43n, 1n << 40n, -1n]) {
    assertEquals(hand.call("fd_readdir", 3, 1000, 64, cookie, 8), "SUCCESS");
    assertEquals(hand.u32(8), 0);
  }
  assertEquals(hand.call("fd_readdir", 3, 1000, 0, 0n, 8), "SUCCESS");
});

Deno.test("fd_readdir() reads on though the directory changes", () => {
  using hand = guest([{ guest: "/" }], ["/a", "/b", "/c"]);
  hand.call("fd_readdir", 3, 1000, 30, 0n, 8);
  const cookie = hand.u64(1000);
  assertEquals(hand.path("path_unlink_file", "a"), "SUCCESS");
  hand.call("fd_readdir", 3, 1000, 4000, cookie, 8);
  const rest = hand.string(1000, hand.u32(8)).replace(/[^a-z]/g, "");
  assertEquals(rest, "abc");
  hand.call("fd_readdir", 3, 1000, 4000, 0n, 8);
  const anew = hand.string(1000, hand.u32(8)).replace(/[^a-z]/g, "");
  assertEquals(anew, "bc");
});

Deno.test("path_rename() moves no directory away from beneath a mount", async () => {
  const host = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${host}/a/data/in`, { recursive: true });
    await Deno.writeTextFile(`${host}/a/data/in/secret`, "secret");
    await Deno.mkdir(`${host}/free`);
    using hand = new GuestHand({
      policy: [{
        type: "filesystem",
        mounts: [
          { guest: "/", host, access: "read-write" },
          { guest: "/a/data/in", memory: true },
          { guest: "/b/in", memory: true, access: "read" },
        ],
      }],
      run: { files: { "/b/in/f": new TextEncoder().encode("given") } },
    });
    for (const path of ["a", "a/data"]) {
      assertEquals(two(hand, "path_rename", [path, 3], ["x", 3]), "BUSY");
      assertEquals(hand.denied(), [`filesystem.write /${path}`]);
    }
    const a = hand.opened("a", { flags: OPEN.DIRECTORY });
    assertEquals(two(hand, "path_rename", ["data", a], ["x", 3]), "BUSY");
    assertEquals(hand.open("x/in/secret"), "NOENT");
    // nor to where it would lie beneath one
    assertEquals(two(hand, "path_rename", ["free", 3], ["b", 3]), "BUSY");
    assertEquals(two(hand, "path_rename", ["free", 3], ["c", 3]), "SUCCESS");
  } finally {
    await Deno.remove(host, { recursive: true });
  }
});

Deno.test("fd_readdir() takes fuel whenever it reads a directory", () => {
  const files = Array.from({ length: 500 }, (_, index) => `/${index}`);
  using hand = guest([{ guest: "/" }], files);
  for (let time = 0; time < 3; time++) {
    const before = hand.fuel;
    // beyond the end, so that nothing is kept
    hand.call("fd_readdir", 3, 512, 1_000, 9_999n, 8);
    assertEquals(hand.u32(8), 0);
    assert(hand.fuel - before >= 4_000, `${hand.fuel - before}`);
  }
});

Deno.test("Wasi finds deep paths in a moment, on the host too", async () => {
  const host = await Deno.makeTempDir();
  try {
    const deep = "a/".repeat(250);
    await Deno.mkdir(`${host}/${deep}`, { recursive: true });
    using hand = new GuestHand({
      policy: [{
        type: "filesystem",
        mounts: [{ guest: "/", host, access: "read-write" }],
      }],
    });
    const stat = (path: string): number => {
      const before = performance.now();
      const errno = hand.call("path_filestat_get", 3, 0, ...hand.text(path), 8);
      assertEquals(errno, "SUCCESS");
      return performance.now() - before;
    };
    stat(deep);
    // some 3 ms, and 400 ms where each step looks at all above it
    assert(Math.min(stat(deep), stat(deep), stat(deep)) < 100);
  } finally {
    await Deno.remove(host, { recursive: true });
  }
});

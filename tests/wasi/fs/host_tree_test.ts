import { assert, assertEquals, assertThrows } from "@std/assert";
import { HostTree } from "../../../runtime/wasi/fs/host_tree.ts";
import { checkMovedTree } from "../../../runtime/wasi/fs/_host_links.ts";
import { MemoryTree } from "../../../runtime/wasi/fs/memory_tree.ts";
import { errnoOf, hostCall } from "../../../runtime/wasi/fs/_host_error.ts";
import type { SymlinkPolicy } from "../../../security/types.ts";
import { resolve } from "../../../runtime/wasi/fs/resolver.ts";
import {
  ALL,
  assertErrno,
  get,
  names,
  put,
  READ,
  testTree,
  within,
} from "./trees.ts";

/** A host with a mount `in` and, beside it, `out` with a secret. */
class Host implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly mount = `${this.path}/in`;
  readonly out = `${this.path}/out`;

  constructor() {
    for (const path of [this.mount, this.out]) Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${this.out}/secret`, "secret");
  }

  tree(symlinks: SymlinkPolicy = "refuse"): HostTree {
    return new HostTree({ root: this.mount, symlinks });
  }

  /** What lies outside must be as it was made. */
  assertWhole(): void {
    assertEquals([...Deno.readDirSync(this.out)].map((e) => e.name), [
      "secret",
    ]);
    assertEquals(Deno.readTextFileSync(`${this.out}/secret`), "secret");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

testTree("HostTree", () => {
  const host = new Host();
  const tree = host.tree("within");
  const dispose = tree[Symbol.dispose].bind(tree);
  return Object.assign(tree, {
    [Symbol.dispose]: () => {
      dispose();
      host[Symbol.dispose]();
    },
  });
});

Deno.test("HostTree() refuses what is no directory", () => {
  using host = new Host();
  for (const root of [`${host.path}/none`, `${host.out}/secret`]) {
    assertThrows(() => new HostTree({ root }), TypeError, "Cannot mount");
  }
});

Deno.test("HostTree takes a root that is reached by a link", () => {
  using host = new Host();
  Deno.symlinkSync(host.mount, `${host.path}/link`);
  using tree = new HostTree({ root: `${host.path}/link` });
  put(tree, "a", "x");
  assertEquals(Deno.readTextFileSync(`${host.mount}/a`), "x");
});

Deno.test("HostTree follows no link of the host's that leads out", () => {
  using host = new Host();
  Deno.symlinkSync(`${host.out}/secret`, `${host.mount}/abs`);
  Deno.symlinkSync("../out/secret", `${host.mount}/rel`);
  Deno.symlinkSync("../out", `${host.mount}/dir`);
  Deno.symlinkSync("../out/made", `${host.mount}/dangling`);
  using tree = host.tree("within");
  for (const path of ["abs", "rel", "dir", "dir/", "dir/secret", "dangling"]) {
    assertErrno("NOTCAPABLE", () => within(tree, path));
    assertErrno(
      "LOOP",
      () => resolve(tree, [], path, { followLast: true, symlinks: "refuse" }),
    );
  }
  // even if a path went past the resolver
  for (const path of [["abs"], ["rel"], ["dangling"], ["dir", "secret"]]) {
    assertErrno("LOOP", () => tree.open(path, ALL));
  }
  assertErrno("LOOP", () => tree.open(["dir", "new"], ALL));
  assertErrno("LOOP", () => tree.makeDirectory(["dir", "new"]));
  assertErrno("LOOP", () => tree.unlink(["dir", "secret"]));
  assertErrno("LOOP", () => tree.rename(["dir", "secret"], ["x"]));
  assertErrno("LOOP", () => tree.link(["dir", "secret"], ["x"]));
  assertErrno("LOOP", () => tree.setTimes(["dir", "secret"], { mtimeNs: 1n }));
  assertErrno("LOOP", () => tree.readDirectory(["dir"]));
  assertErrno("LOOP", () => tree.readDirectory(["dir", "x"]));
  assertErrno("LOOP", () => tree.readLink(["dir", "x"]));
  assertErrno("LOOP", () => tree.symlink("x", ["dir", "x"]));
  assertErrno("LOOP", () => tree.removeDirectory(["dir", "x"]));
  host.assertWhole();
});

Deno.test("HostTree.readLink() hides where on the host a link leads", () => {
  using host = new Host();
  Deno.symlinkSync(host.out, `${host.mount}/abs`);
  using tree = host.tree("within");
  assertErrno("NOTCAPABLE", () => tree.readLink(["abs"]));
});

Deno.test("HostTree touches no links under `refuse`", () => {
  using host = new Host();
  Deno.writeTextFileSync(`${host.mount}/f`, "x");
  Deno.symlinkSync("f", `${host.mount}/l`);
  using tree = host.tree();
  assertErrno("PERM", () => tree.symlink("f", ["m"]));
  assertErrno("PERM", () => tree.rename(["l"], ["m"]));
  assertErrno("PERM", () => tree.link(["l"], ["m"]));
  assertErrno("LOOP", () => tree.open(["l"], ALL));
  assertEquals(names(tree, []), ["f", "l"]);
  tree.unlink(["l"]);
  assertEquals(get(tree, "f"), "x");
});

Deno.test("HostTree lets no link move to where it leads out", () => {
  using host = new Host();
  using tree = host.tree("within");
  for (const path of [["d"], ["d", "e"], ["x"], ["x", "y"]]) {
    tree.makeDirectory(path);
  }
  tree.symlink("../../x", ["d", "e", "l"]);
  assertErrno("PERM", () => tree.rename(["d", "e", "l"], ["d", "l"]));
  assertErrno("PERM", () => tree.link(["d", "e", "l"], ["d", "l"]));
  assertErrno("PERM", () => tree.rename(["d", "e"], ["e"]));
  tree.rename(["d", "e", "l"], ["x", "y", "l"]);
  tree.rename(["x", "y", "l"], ["d", "e", "l"]);
  tree.rename(["d"], ["x", "d"]); // deeper is always good
  tree.rename(["x", "d", "e"], ["x", "e"]);
  assertEquals(names(tree, ["x", "e"]), ["l"]);
});

Deno.test("checkMovedTree() looks through so many entries and no more", () => {
  using tree = new MemoryTree();
  tree.makeDirectory(["d"]);
  tree.makeDirectory(["d", "e"]);
  for (let i = 0; i < 10_000; i++) tree.makeDirectory(["d", "e", `${i}`]);
  checkMovedTree(tree, ["d", "e"], ["e"]);
  tree.makeDirectory(["d", "e", "more"]);
  assertErrno("PERM", () => checkMovedTree(tree, ["d", "e"], ["e"]));
  checkMovedTree(tree, ["d", "e"], ["d", "f"]); // no higher than it was
});

Deno.test("HostTree opens only files, and waits for no pipe", async () => {
  using host = new Host();
  await new Deno.Command("mkfifo", { args: [`${host.mount}/pipe`] }).output();
  using tree = host.tree();
  assertEquals(tree.lstat(["pipe"]).type, "other");
  assertErrno("ACCES", () => tree.open(["pipe"], READ));
  assertErrno("PERM", () => tree.unlink(["pipe"]));
  assertErrno("PERM", () => tree.rename(["pipe"], ["x"]));
  assertErrno("PERM", () => tree.link(["pipe"], ["x"]));
  assertErrno("PERM", () => tree.setTimes(["pipe"], { mtimeNs: 1n }));
  put(tree, "alive", "yes");
});

Deno.test("HostTree writes to no file that has names elsewhere", () => {
  using host = new Host();
  Deno.linkSync(`${host.out}/secret`, `${host.mount}/hard`);
  using tree = host.tree();
  assertErrno("PERM", () => tree.open(["hard"], ALL));
  assertErrno("PERM", () => tree.link(["hard"], ["mine"]));
  assertErrno(
    "PERM",
    () => tree.open(["hard"], { ...ALL, truncate: true, read: false }),
  );
  put(tree, "a", "x");
  tree.link(["a"], ["b"]);
  put(tree, "b", "y");
  assertEquals(get(tree, "a"), "y");
  host.assertWhole();
});

Deno.test("HostTree goes on only while its root is the same", () => {
  using host = new Host();
  using tree = host.tree();
  Deno.renameSync(host.mount, `${host.path}/old`);
  Deno.symlinkSync(host.out, host.mount);
  assertErrno("LOOP", () => tree.open(["secret"], READ));
  Deno.removeSync(host.mount);
  Deno.mkdirSync(host.mount);
  assertErrno("STALE", () => tree.makeDirectory(["d"]));
  host.assertWhole();
});

Deno.test("HostTree closes what is open when it is disposed", () => {
  using host = new Host();
  const tree = host.tree();
  const files = ["a", "b"].map((name) => tree.open([name], ALL));
  tree[Symbol.dispose]();
  tree[Symbol.dispose]();
  for (const file of files) assertErrno("BADF", () => file.stat());
});

Deno.test("HostTree sets times of directories and of nothing else", () => {
  using host = new Host();
  using tree = host.tree("within");
  tree.makeDirectory(["d"]);
  tree.setTimes(["d"], { mtimeNs: 1_000_000_005n });
  assertEquals(tree.lstat(["d"]).mtimeNs, 1_000_000_005n);
  assertEquals(Deno.statSync(`${host.mount}/d`).mtime?.getTime(), 1000);
  tree.setTimes([], { atimeNs: 7n });
  assertEquals(tree.lstat([]).atimeNs, 7n);
});

Deno.test("HostTree waits where another process was at work just now", () => {
  using host = new Host();
  for (const wary of [true, false]) {
    using tree = new HostTree({ root: host.mount, wary });
    Deno.mkdirSync(`${host.mount}/${wary}`);
    const { mtime } = Deno.lstatSync(host.mount);
    tree.makeDirectory([`${wary}`, "d"]);
    const waited = Date.now() - (mtime?.getTime() ?? 0);
    // no bound from above: the machine may be busy
    if (wary) assert(waited >= 15, `${waited} ms`);
    tree.makeDirectory([`${wary}`, "d", "e"]);
    assertEquals(names(tree, [`${wary}`, "d"]), ["e"]);
  }
});

Deno.test("HostTree asks its option to make links", () => {
  using host = new Host();
  const asked: unknown[] = [];
  using tree = new HostTree({
    root: host.mount,
    symlinks: "within",
    symlink: (target, path) => asked.push([target, path]),
  });
  tree.symlink("x", ["l"]);
  assertErrno("NOTCAPABLE", () => tree.symlink("../x", ["m"]));
  assertEquals(asked, [["x", ["l"]]]);
});

Deno.test("errnoOf() knows errors by code and by class, and none leaks", () => {
  for (
    const [error, errno] of [
      [new Deno.errors.NotCapable("/secret/path"), "NOTCAPABLE"],
      [new Deno.errors.NotFound("/secret/path"), "NOENT"],
      [Object.assign(new Error("/secret"), { code: "ENOSPC" }), "NOSPC"],
      [Object.assign(new TypeError("/secret"), { code: "EINVAL" }), "INVAL"],
      [Object.assign(new Error("x"), { code: "__proto__" }), "IO"],
      [Object.assign(new Error("x"), { code: 5 }), "IO"],
      [new RangeError("x"), "IO"],
      ["text", "IO"],
    ] as const
  ) {
    assertEquals(errnoOf(error), errno);
  }
  using host = new Host();
  using tree = host.tree();
  try {
    tree.lstat(["none"]);
  } catch (error) {
    assert(!Deno.inspect(error).split("\n    at ")[0]?.includes(host.path));
  }
});

Deno.test("hostCall() does not take an exhausted stack for a failing host", () => {
  const recurse = (depth: number): number => 1 + recurse(depth + 1);
  assertThrows(() => hostCall(() => recurse(0)), RangeError, "call stack");
});

Deno.test("checkMovedTree() looks through deep directories only for so long", () => {
  using tree = new MemoryTree();
  const deep = Array.from({ length: 300 }, () => "a");
  for (let depth = 1; depth <= deep.length; depth++) {
    tree.makeDirectory(deep.slice(0, depth));
  }
  checkMovedTree(tree, ["a", "a"], ["b"]);
  for (let i = 0; i < 100; i++) tree.makeDirectory([...deep, `${i}`]);
  assertErrno("PERM", () => checkMovedTree(tree, ["a", "a"], ["b"]));
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../../errors.ts";
import { MemoryTree } from "../../../runtime/wasi/fs/memory_tree.ts";
import { FileQuota, QuotaTree } from "../../../runtime/wasi/fs/quota.ts";
import { ReadOnlyTree } from "../../../runtime/wasi/fs/read_only_tree.ts";
import { WasiError } from "../../../runtime/wasi/errno.ts";
import type { TreePath } from "../../../runtime/wasi/fs/types.ts";
import { ALL, assertErrno, get, names, put, READ, testTree } from "./trees.ts";

const BIG = { writtenBytes: 2 ** 50, fileEntries: 10_000 };

testTree("QuotaTree", () =>
  new QuotaTree(
    new MemoryTree({ symlinks: "within" }),
    new FileQuota(BIG),
  ));

function limited(
  limits: Partial<typeof BIG>,
): { tree: QuotaTree; quota: FileQuota } {
  const quota = new FileQuota({ ...BIG, ...limits });
  const inner = new MemoryTree({ symlinks: "within", maxBytes: 2 ** 50 });
  return { tree: new QuotaTree(inner, quota), quota };
}

function assertExceeded(limit: string, used: number, call: () => void): void {
  const error = assertThrows(call);
  assert(SandboxError.is(error, "limit-exceeded"), String(error));
  assertEquals(error.details.limit, limit);
  assertEquals(error.details.used, used);
}

Deno.test("QuotaTree ends who writes too much, before it is written", () => {
  const { tree, quota } = limited({ writtenBytes: 100 });
  const file = tree.open(["f"], ALL);
  file.write(new Uint8Array(60), 0);
  file.write(new Uint8Array(30), 0); // written again is written
  assertEquals(quota.used.writtenBytes, 90);
  assertExceeded("writtenBytes", 101, () => file.write(new Uint8Array(11), 0));
  assertEquals(file.stat().size, 60);
  file.write(new Uint8Array(10), undefined);
  quota.reset();
  file.write(new Uint8Array(100), 0);
  file.close();
});

Deno.test("QuotaTree counts holes as if they were written", () => {
  const { tree, quota } = limited({ writtenBytes: 1000 });
  const file = tree.open(["f"], ALL);
  assertExceeded(
    "writtenBytes",
    2 ** 40 + 1,
    () => file.write(new Uint8Array(1), 2 ** 40),
  );
  assertExceeded("writtenBytes", 2 ** 40, () => file.truncate(2 ** 40));
  assertEquals(file.stat().size, 0);
  file.write(new Uint8Array(1), 99);
  assertEquals(quota.used.writtenBytes, 100);
  file.truncate(200);
  assertEquals(quota.used.writtenBytes, 200);
  file.truncate(0);
  assertEquals(quota.used.writtenBytes, 200);
  file.write(new Uint8Array(0), 2 ** 40);
  assertEquals(quota.used.writtenBytes, 200);
  file.close();
});

Deno.test("QuotaTree counts holes anew when another has cut the file", () => {
  const { tree, quota } = limited({});
  const one = tree.open(["f"], ALL);
  const two = tree.open(["f"], ALL);
  one.write(new Uint8Array(1), 999);
  for (
    const cut of [
      () => two.truncate(0),
      () => tree.open(["f"], { ...ALL, truncate: true }).close(),
    ]
  ) {
    quota.reset();
    cut();
    one.write(new Uint8Array(1), 999);
    assertEquals(quota.used.writtenBytes, 1000);
  }
  one.close();
  two.close();
});

Deno.test("QuotaTree counts what is made, not what is opened again", () => {
  const { tree, quota } = limited({ fileEntries: 4 });
  put(tree, "f", "x");
  put(tree, "f", "y");
  tree.makeDirectory(["d"]);
  tree.symlink("f", ["l"]);
  tree.link(["f"], ["h"]);
  tree.rename(["h"], ["i"]);
  assertEquals(quota.used.fileEntries, 4);
  for (
    const make of [
      () => tree.open(["g"], ALL),
      () => tree.makeDirectory(["g"]),
      () => tree.symlink("f", ["g"]),
      () => tree.link(["f"], ["g"]),
    ]
  ) {
    assertExceeded("fileEntries", 5, make);
  }
  assertErrno("NOENT", () => tree.open(["g"], READ));
  assertEquals(names(tree, []), ["d", "f", "i", "l"]);
});

Deno.test("QuotaTree does not count what fails", () => {
  const { tree, quota } = limited({ fileEntries: 1, writtenBytes: 50 });
  tree.makeDirectory(["d"]);
  quota.reset();
  assertErrno("EXIST", () => tree.makeDirectory(["d"]));
  assertErrno("NOENT", () => tree.link(["x"], ["y"]));
  assertEquals(quota.used.fileEntries, 0);
  const inner = new QuotaTree(new MemoryTree({ maxBytes: 10 }), quota);
  const file = inner.open(["f"], ALL);
  assertErrno("NOSPC", () => file.write(new Uint8Array(11), 0));
  assertErrno("NOSPC", () => file.truncate(11));
  assertEquals(quota.used, { fileEntries: 1, writtenBytes: 0 });
  file.close();
});

Deno.test("ReadOnlyTree lets nothing be changed", () => {
  const inner = new MemoryTree({ symlinks: "within" });
  put(inner, "f", "x");
  inner.makeDirectory(["d"]);
  inner.symlink("f", ["l"]);
  const before = inner.lstat(["f"]);
  const tree = new ReadOnlyTree(inner);
  for (
    const change of [
      () => tree.open(["f"], ALL),
      () => tree.open(["f"], { ...READ, truncate: true }),
      () => tree.open(["g"], { ...READ, create: true }),
      () => tree.open(["f"], { ...READ, create: true, exclusive: true }),
      () => tree.makeDirectory(),
      () => tree.removeDirectory(),
      () => tree.unlink(),
      () => tree.rename(),
      () => tree.link(),
      () => tree.symlink(),
      () => tree.setTimes(),
    ]
  ) {
    assertErrno("ROFS", change);
  }
  const file = tree.open(["f"], { ...READ, create: true });
  assertErrno("ROFS", () => file.write(new Uint8Array(1), 0));
  assertErrno("ROFS", () => file.truncate(0));
  assertErrno("ROFS", () => file.setTimes({ mtimeNs: 1n }));
  file.close();
  assertEquals(inner.lstat(["f"]), before);
  assertEquals(get(tree, "f"), "x");
  assertEquals(tree.readLink(["l"]), "f");
  assertEquals(names(tree, []), ["d", "f", "l"]);
});

Deno.test("QuotaTree counts what may have been made though it failed", () => {
  class Swapped extends MemoryTree {
    override makeDirectory(path: TreePath): void {
      super.makeDirectory(path);
      throw new WasiError("STALE");
    }
  }
  const quota = new FileQuota({ fileEntries: 2, writtenBytes: 0 });
  const tree = new QuotaTree(new Swapped(), quota);
  assertErrno("STALE", () => tree.makeDirectory(["a"]));
  assertErrno("STALE", () => tree.makeDirectory(["b"]));
  assertExceeded("fileEntries", 3, () => tree.makeDirectory(["c"]));
});

import { assert, assertEquals } from "@std/assert";
import { MemoryTree } from "../../../runtime/wasi/fs/memory_tree.ts";
import { ALL, assertErrno, get, put, testTree } from "./trees.ts";

const MIB = 2 ** 20;

testTree("MemoryTree", () => new MemoryTree({ symlinks: "within" }));

Deno.test("MemoryTree.fromFiles() and files() copy files in and out", () => {
  const given = new Uint8Array([1, 2]);
  using tree = MemoryTree.fromFiles({ "d/e/f": given, "g": new Uint8Array() });
  given[0] = 9;
  const files = tree.files();
  assertEquals([...files.keys()].sort(), ["d/e/f", "g"]);
  assertEquals([...files.get("d/e/f") ?? []], [1, 2]);
  files.get("d/e/f")?.fill(7);
  assertEquals([...tree.files().get("d/e/f") ?? []], [1, 2]);
  tree.addFile("g", new Uint8Array([5]));
  assertEquals([...tree.files().get("g") ?? []], [5]);
});

Deno.test("MemoryTree.addFile() refuses paths of no file", () => {
  using tree = MemoryTree.fromFiles({ "d/f": new Uint8Array() });
  for (const path of ["../x", "a/../b", ".", "a/", "a/.."]) {
    assertErrno("INVAL", () => tree.addFile(path, new Uint8Array(1)));
  }
  assertErrno("NOTCAPABLE", () => tree.addFile("/x", new Uint8Array()));
  assertErrno("NOTDIR", () => tree.addFile("d/f/g", new Uint8Array()));
  assertErrno("ISDIR", () => tree.addFile("d", new Uint8Array()));
});

Deno.test("MemoryTree.files() copies a file with many names once", () => {
  using tree = MemoryTree.fromFiles({ a: new Uint8Array(MIB) });
  for (let i = 0; i < 1000; i++) tree.link(["a"], [`l${i}`]);
  const copies = new Set(tree.files().values());
  assertEquals(copies.size, 1);
});

Deno.test("MemoryTree holds no more than maxBytes", () => {
  using tree = new MemoryTree({ maxBytes: 100 });
  const a = tree.open(["a"], ALL);
  a.write(new Uint8Array(60), 0);
  const b = tree.open(["b"], ALL);
  assertErrno("NOSPC", () => b.write(new Uint8Array(41), 0));
  assertErrno("NOSPC", () => b.write(new Uint8Array(1), 2 ** 40));
  assertErrno("NOSPC", () => b.truncate(2 ** 40));
  assertEquals(b.stat().size, 0);
  b.write(new Uint8Array(40), 0);
  tree.unlink(["a"]);
  assertErrno("NOSPC", () => b.write(new Uint8Array(1), 40));
  a.close(); // only now is its room free
  b.write(new Uint8Array(60), 40);
  b.truncate(10);
  assertEquals(tree.usedBytes, 10);
  b.close();
  put(tree, "c", "x".repeat(90));
  tree.rename(["c"], ["b"]);
  assertEquals(tree.usedBytes, 90);
});

Deno.test("MemoryTree takes no memory for holes nor for what was cut", () => {
  using tree = new MemoryTree({ maxBytes: 2 ** 45 });
  const before = Deno.memoryUsage().external;
  const files = Array.from({ length: 200 }, (_, i) => {
    const file = tree.open([`f${i}`], ALL);
    file.write(new Uint8Array(1), 2 ** 36);
    file.write(new Uint8Array(4 * MIB), 0);
    file.truncate(1);
    return file;
  });
  for (const file of files) file.close();
  const copies = tree.files();
  assertEquals(copies.get("f0")?.length, 1);
  // garbage may linger, but not the 800 MiB that were written
  const taken = Deno.memoryUsage().external - before;
  assert(taken < 400 * MIB, `${taken}`);
});

Deno.test("MemoryTree grows in linear time", () => {
  using tree = new MemoryTree();
  const file = tree.open(["f"], ALL);
  const chunk = new Uint8Array(MIB).fill(1);
  const start = performance.now();
  for (let i = 0; i < 64; i++) file.write(chunk, i * MIB);
  const whole = performance.now() - start;
  assertErrno("NOSPC", () => file.write(new Uint8Array(1), undefined));
  file.close();
  assert(whole < 2000, `64 MiB took ${whole} ms`);

  using small = new MemoryTree();
  const bytes = small.open(["f"], ALL);
  const one = new Uint8Array(1);
  for (let i = 0; i < 100_000; i++) bytes.write(one, undefined);
  assertEquals(bytes.stat().size, 100_000);
  bytes.close();
});

Deno.test("MemoryTree goes by the clock that it is given", () => {
  let time = 5n;
  using tree = new MemoryTree({ now: () => time });
  put(tree, "a", "x");
  time = 9n;
  assertEquals(tree.lstat(["a"]).mtimeNs, 5n);
  put(tree, "a", "y");
  assertEquals(tree.lstat(["a"]).mtimeNs, 9n);
  assertEquals(tree.lstat(["a"]).atimeNs, 5n);
  assertEquals(get(tree, "a"), "y");
});

Deno.test("MemoryTree makes no links unless it is told to", () => {
  using tree = new MemoryTree();
  assertErrno("PERM", () => tree.symlink("a", ["l"]));
});

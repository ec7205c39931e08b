/** What every file tree does: the same tests for each. */

import { assert, assertEquals } from "@std/assert";
import { type ErrnoName, WasiError } from "../../../runtime/wasi/errno.ts";
import { resolve } from "../../../runtime/wasi/fs/resolver.ts";
import type { FileTree, TreePath } from "../../../runtime/wasi/fs/types.ts";

/** Everything that a file may be opened for. */
export const ALL = Object.freeze({
  read: true,
  write: true,
  create: true,
  exclusive: false,
  truncate: false,
});

/** To read what is there. */
export const READ = Object.freeze({ ...ALL, write: false, create: false });

/** Asserts that a call fails with an errno. */
export function assertErrno(errno: ErrnoName, call: () => unknown): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof WasiError, `no WasiError but ${thrown}`);
  assertEquals(thrown.errno, errno);
}

/** Writes a whole file. */
export function put(tree: FileTree, path: string, text: string): void {
  const file = tree.open(path.split("/"), { ...ALL, truncate: true });
  file.write(new TextEncoder().encode(text), 0);
  file.close();
}

/** Reads a whole file. */
export function get(tree: FileTree, path: string): string {
  const file = tree.open(path.split("/"), READ);
  const bytes = new Uint8Array(file.stat().size);
  assertEquals(file.read(bytes, 0), bytes.length);
  file.close();
  return new TextDecoder().decode(bytes);
}

/** Names in a directory, sorted. */
export function names(tree: FileTree, path: TreePath): string[] {
  return tree.readDirectory(path).map(({ name }) => name).sort();
}

/** Where a path leads, with links followed within the tree. */
export function within(
  tree: FileTree,
  path: string,
  base: TreePath = [],
): string {
  return resolve(tree, base, path, { followLast: true, symlinks: "within" })
    .path.join("/");
}

/**
 * Tests a kind of tree.
 *
 * @param name What it is called.
 * @param make Makes an empty one that lets links be made.
 */
export function testTree(
  name: string,
  make: () => FileTree & Disposable,
): void {
  const test = (does: string, run: (tree: FileTree) => void) =>
    Deno.test(`${name} ${does}`, () => {
      using tree = make();
      run(tree);
    });

  test("reads what was written", (tree) => {
    put(tree, "a", "hello");
    assertEquals(get(tree, "a"), "hello");
    const file = tree.open(["a"], ALL);
    const into = new Uint8Array(3);
    assertEquals(file.read(into, 3), 2);
    assertEquals([...into], [108, 111, 0]);
    assertEquals(file.read(into, 5), 0);
    assertEquals(file.read(into, 2 ** 40), 0);
    assertEquals(file.write(new Uint8Array([33]), undefined), 1);
    assertEquals(file.write(new Uint8Array([72]), 0), 1);
    assertEquals(file.read(new Uint8Array(0), 0), 0);
    file.sync();
    file.close();
    file.close();
    assertEquals(get(tree, "a"), "Hello!");
    assertErrno("BADF", () => file.read(into, 0));
    assertErrno("BADF", () => file.stat());
  });

  test("fills holes with zeros, also where something was cut", (tree) => {
    const file = tree.open(["a"], ALL);
    file.write(new Uint8Array(10).fill(7), 0);
    file.truncate(4);
    file.truncate(8);
    file.write(new Uint8Array([9]), 10);
    const into = new Uint8Array(20).fill(1);
    assertEquals(file.read(into, 0), 11);
    assertEquals([...into.subarray(0, 12)], [
      ...[7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 9, 1],
    ]);
    assertEquals(file.stat().size, 11);
    file.close();
  });

  test("opens as it is told", (tree) => {
    assertErrno("NOENT", () => tree.open(["a"], READ));
    assertErrno("NOENT", () => tree.open(["d", "a"], ALL));
    put(tree, "a", "text");
    assertErrno("EXIST", () => tree.open(["a"], { ...ALL, exclusive: true }));
    assertErrno("NOTDIR", () => tree.open(["a", "b"], ALL));
    tree.open(["a"], { ...READ, truncate: true }).close();
    assertEquals(get(tree, "a"), "text");
    const file = tree.open(["a"], READ);
    assertErrno("BADF", () => file.write(new Uint8Array(1), 0));
    assertErrno("BADF", () => file.truncate(0));
    file.close();
    tree.open(["a"], { ...ALL, truncate: true }).close();
    assertEquals(get(tree, "a"), "");
    tree.makeDirectory(["d"]);
    assertErrno("ISDIR", () => tree.open(["d"], READ));
    assertErrno("ISDIR", () => tree.open([], READ));
    tree.symlink("a", ["l"]);
    assertErrno("LOOP", () => tree.open(["l"], ALL));
    assertErrno("EXIST", () => tree.open(["l"], { ...ALL, exclusive: true }));
  });

  test("refuses lengths that no file has", (tree) => {
    const file = tree.open(["a"], ALL);
    assertErrno("FBIG", () => file.write(new Uint8Array(1), 2 ** 63));
    assertErrno("FBIG", () => file.truncate(2 ** 64));
    assertEquals(file.stat().size, 0);
    file.close();
  });

  test("makes, lists and removes directories", (tree) => {
    tree.makeDirectory(["d"]);
    tree.makeDirectory(["d", "e"]);
    put(tree, "d/f", "x");
    assertEquals(names(tree, ["d"]), ["e", "f"]);
    assertEquals(names(tree, []), ["d"]);
    const [entry] = tree.readDirectory([]);
    assertEquals(entry?.type, "directory");
    assertEquals(entry?.ino, tree.lstat(["d"]).ino);
    assertErrno("EXIST", () => tree.makeDirectory(["d"]));
    assertErrno("EXIST", () => tree.makeDirectory([]));
    assertErrno("NOENT", () => tree.makeDirectory(["x", "y"]));
    assertErrno("NOTEMPTY", () => tree.removeDirectory(["d"]));
    assertErrno("NOTDIR", () => tree.removeDirectory(["d", "f"]));
    assertErrno("NOENT", () => tree.removeDirectory(["x"]));
    assertErrno("BUSY", () => {
      tree.removeDirectory(["d", "e"]);
      tree.unlink(["d", "f"]);
      tree.removeDirectory(["d"]);
      tree.removeDirectory([]);
    });
    assertErrno("NOTDIR", () => {
      put(tree, "f", "x");
      tree.readDirectory(["f"]);
    });
  });

  test("lets unlinked files live as long as they are open", (tree) => {
    put(tree, "a", "alive");
    const file = tree.open(["a"], ALL);
    tree.unlink(["a"]);
    assertErrno("NOENT", () => tree.lstat(["a"]));
    const into = new Uint8Array(5);
    assertEquals(file.read(into, 0), 5);
    file.write(into, 5);
    assertEquals(file.stat().size, 10);
    assertEquals(file.stat().nlink, 0n);
    file.close();
    tree.makeDirectory(["d"]);
    assertErrno("ISDIR", () => tree.unlink(["d"]));
    assertErrno("NOENT", () => tree.unlink(["a"]));
  });

  test("renames as POSIX has it", (tree) => {
    put(tree, "f", "f");
    put(tree, "g", "g");
    for (const path of [["d"], ["e"], ["e", "sub"]]) tree.makeDirectory(path);
    assertErrno("NOENT", () => tree.rename(["x"], ["y"]));
    assertErrno("NOENT", () => tree.rename(["f"], ["x", "y"]));
    assertErrno("ISDIR", () => tree.rename(["f"], ["d"]));
    assertErrno("NOTDIR", () => tree.rename(["d"], ["f"]));
    assertErrno("NOTEMPTY", () => tree.rename(["d"], ["e"]));
    assertErrno("INVAL", () => tree.rename(["e"], ["e", "sub", "x"]));
    assertErrno("BUSY", () => tree.rename([], ["x"]));
    assertErrno("BUSY", () => tree.rename(["d"], []));
    tree.rename(["f"], ["f"]);
    tree.rename(["e"], ["e"]);
    tree.rename(["f"], ["g"]);
    assertEquals(get(tree, "g"), "f");
    tree.rename(["e"], ["d"]);
    assertEquals(names(tree, []), ["d", "g"]);
    assertEquals(names(tree, ["d"]), ["sub"]);
    tree.link(["g"], ["h"]);
    tree.rename(["g"], ["h"]);
    assertEquals(names(tree, []), ["d", "g", "h"]);
  });

  test("gives files further names", (tree) => {
    put(tree, "a", "one");
    tree.makeDirectory(["d"]);
    tree.link(["a"], ["d", "b"]);
    assertEquals(tree.lstat(["a"]), tree.lstat(["d", "b"]));
    assertEquals(tree.lstat(["a"]).nlink, 2n);
    put(tree, "d/b", "two");
    assertEquals(get(tree, "a"), "two");
    assertErrno("EXIST", () => tree.link(["a"], ["d"]));
    assertErrno("EXIST", () => tree.link(["a"], ["a"]));
    assertErrno("PERM", () => tree.link(["d"], ["x"]));
    assertErrno("NOENT", () => tree.link(["x"], ["y"]));
    tree.unlink(["a"]);
    assertEquals(get(tree, "d/b"), "two");
    assertEquals(tree.lstat(["d", "b"]).nlink, 1n);
  });

  test("makes links that stay within", (tree) => {
    tree.makeDirectory(["d"]);
    put(tree, "d/f", "x");
    tree.symlink("d/f", ["l"]);
    tree.symlink("../d", ["d", "up"]);
    assertEquals(tree.lstat(["l"]).type, "symlink");
    assertEquals(tree.readLink(["l"]), "d/f");
    assertEquals(within(tree, "l"), "d/f");
    assertEquals(within(tree, "d/up/up/f"), "d/f");
    assertErrno("INVAL", () => tree.readLink(["d"]));
    assertErrno("EXIST", () => tree.symlink("x", ["d"]));
    assertErrno("NOENT", () => tree.symlink("x", ["y", "z"]));
    for (const target of ["/", "/etc", "..", "../x", "d/../.."]) {
      assertErrno("NOTCAPABLE", () => tree.symlink(target, ["bad"]));
    }
    assertErrno("NOENT", () => tree.symlink("", ["bad"]));
    assertErrno("NAMETOOLONG", () => tree.symlink("x/".repeat(3000), ["bad"]));
    tree.link(["l"], ["l2"]);
    assertEquals(tree.lstat(["l2"]).type, "symlink");
    tree.unlink(["l"]);
    assertEquals(get(tree, "d/f"), "x");
  });

  test("sets times to the nanosecond, of links too", (tree) => {
    put(tree, "f", "x");
    tree.symlink("f", ["l"]);
    const before = tree.lstat(["f"]);
    const mtimeNs = 1_600_000_000_123_456_789n;
    tree.setTimes(["l"], { mtimeNs });
    assertEquals(tree.lstat(["l"]).mtimeNs, mtimeNs);
    assertEquals(tree.lstat(["f"]).mtimeNs, before.mtimeNs);
    tree.setTimes(["f"], { mtimeNs: before.mtimeNs - 100n });
    assertEquals(tree.lstat(["f"]).mtimeNs, before.mtimeNs - 100n);
    assertEquals(tree.lstat(["f"]).atimeNs, before.atimeNs);
    const file = tree.open(["f"], ALL);
    file.setTimes({ atimeNs: 5n });
    assertEquals(file.stat().atimeNs, 5n);
    assertEquals(tree.lstat(["f"]).mtimeNs, before.mtimeNs - 100n);
    file.write(new Uint8Array(1), 0);
    assert(file.stat().mtimeNs >= before.mtimeNs);
    file.close();
    assertErrno("NOENT", () => tree.setTimes(["x"], { mtimeNs }));
  });

  test("tells files apart by number, and by that only", (tree) => {
    for (const path of ["a", "b", "c"]) put(tree, path, "x");
    const numbers = ["a", "b", "c"].map((path) => tree.lstat([path]).ino);
    assertEquals(new Set(numbers).size, 3);
    assert(numbers.every((number) => number < 100n), String(numbers));
  });

  test("takes every name for a name", (tree) => {
    for (
      const name of [
        "__proto__",
        "constructor",
        "..x",
        "a\\b",
        "\ud83d\ude00",
        " ",
      ]
    ) {
      put(tree, name, name);
      assertEquals(get(tree, name), name);
    }
    assertEquals(names(tree, []).length, 6);
  });
}

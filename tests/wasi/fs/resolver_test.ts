import { assert, assertEquals } from "@std/assert";
import type { ErrnoName } from "../../../runtime/wasi/errno.ts";
import { MemoryTree } from "../../../runtime/wasi/fs/memory_tree.ts";
import {
  resolve,
  type ResolveOptions,
} from "../../../runtime/wasi/fs/resolver.ts";
import type { TreePath } from "../../../runtime/wasi/fs/types.ts";
import { assertErrno, get, put, within } from "./trees.ts";

const FOLLOW: ResolveOptions = { followLast: true, symlinks: "within" };
const KEEP: ResolveOptions = { followLast: false, symlinks: "within" };
const REFUSE: ResolveOptions = { followLast: true, symlinks: "refuse" };

/** d/e/f is a file, with some links about. */
function sample(): MemoryTree {
  const tree = new MemoryTree({ symlinks: "within" });
  tree.addFile("d/e/f", new Uint8Array(3));
  tree.symlink("d", ["l"]);
  tree.symlink("e/f", ["d", "lf"]);
  tree.symlink("../d/e/", ["d", "le"]);
  tree.symlink("none", ["dangling"]);
  tree.symlink("loop", ["loop"]);
  tree.symlink(".", ["here"]);
  return tree;
}

Deno.test("resolve() finds what a path names", () => {
  using tree = sample();
  for (
    const [path, found] of [
      ["d/e/f", "d/e/f"],
      [".", ""],
      ["d/..", ""],
      ["d/e/../e/./f", "d/e/f"],
      ["d/.//e/../../d/e/../e///./f", "d/e/f"],
      ["l/e/f", "d/e/f"],
      ["l/lf", "d/e/f"],
      ["l/../l/le/f", "d/e/f"],
      ["here/here/d", "d"],
      ["dangling", "none"],
      ["d/new", "d/new"],
    ] as const
  ) {
    assertEquals(within(tree, path), found, path);
  }
  assertEquals(resolve(tree, [], "d/e/f", FOLLOW).stat?.size, 3);
  assertEquals(resolve(tree, [], ".", REFUSE).stat?.type, "directory");
  assertEquals(resolve(tree, [], "d/new", REFUSE).stat, undefined);
  assertEquals(within(tree, "../d/e/f".slice(3), []), "d/e/f");
  assertEquals(within(tree, "e/f", ["d"]), "d/e/f");
});

Deno.test("resolve() never leads above the directory it starts from", () => {
  using tree = sample();
  for (const base of [[], ["d"], ["d", "e"]] as TreePath[]) {
    for (
      const path of ["..", "../", "../x", "./..", "x/../..", "../../../etc"]
    ) {
      if (path.startsWith("x") && base.length < 2) continue;
      assertErrno(
        path.startsWith("x") ? "NOENT" : "NOTCAPABLE",
        () => resolve(tree, base, path, FOLLOW),
      );
    }
  }
  // by a link, too: it would stay in the tree, but not below `d`
  assertErrno("NOTCAPABLE", () => resolve(tree, ["d"], "le", FOLLOW));
  assertErrno("NOTCAPABLE", () => resolve(tree, ["d"], "le/", KEEP));
  assertEquals(resolve(tree, ["d"], "le", KEEP).stat?.type, "symlink");
});

Deno.test("resolve() refuses what is on no way", () => {
  using tree = sample();
  const cases: [string, ResolveOptions, ErrnoName][] = [
    ["none/x", FOLLOW, "NOENT"],
    ["none/..", FOLLOW, "NOENT"],
    ["none/../d", FOLLOW, "NOENT"],
    ["d/e/f/x", FOLLOW, "NOTDIR"],
    ["d/e/f/..", FOLLOW, "NOTDIR"],
    ["d/e/f/", FOLLOW, "NOTDIR"],
    ["d/e/f/.", FOLLOW, "NOTDIR"],
    ["d/lf/", KEEP, "NOTDIR"],
    ["loop", FOLLOW, "LOOP"],
    ["loop/", KEEP, "LOOP"],
    ["loop/x", KEEP, "LOOP"],
    ["l", REFUSE, "LOOP"],
    ["l/", { ...REFUSE, followLast: false }, "LOOP"],
    ["l/e", REFUSE, "LOOP"],
    ["l/..", REFUSE, "LOOP"],
    ["dangling/", { ...REFUSE, followLast: false }, "LOOP"],
    ["", FOLLOW, "NOENT"],
    ["/d", FOLLOW, "NOTCAPABLE"],
  ];
  for (const [path, options, errno] of cases) {
    assertErrno(errno, () => resolve(tree, [], path, options));
  }
});

Deno.test("resolve() tells whether only a directory will do", () => {
  using tree = sample();
  const cases: [string, boolean][] = [
    ["d", false],
    ["d/", true],
    ["new", false],
    ["new/", true],
    ["dangling/", true],
    ["d/le", true], // its target says so
    ["d/..", true],
  ];
  for (const [path, expected] of cases) {
    const found = resolve(tree, [], path, FOLLOW);
    assertEquals(found.mustBeDirectory, expected, path);
  }
  assertEquals(resolve(tree, [], "d/le", KEEP).mustBeDirectory, false);
});

Deno.test("resolve() finds nothing from a directory that was replaced", () => {
  using tree = sample();
  tree.rename(["d", "e"], ["moved"]);
  assertErrno("NOENT", () => resolve(tree, ["d", "e"], "f", FOLLOW));
  tree.symlink("../moved", ["d", "e"]);
  assertErrno("LOOP", () => resolve(tree, ["d", "e"], "f", FOLLOW));
  tree.unlink(["d", "e"]);
  put(tree, "d/e", "file");
  assertErrno("NOTDIR", () => resolve(tree, ["d", "e"], "f", FOLLOW));
  assertEquals(get(tree, "d/e"), "file");
});

Deno.test("resolve() follows 40 links and no more, and soon gives up", () => {
  using tree = sample();
  tree.symlink("d", ["c0"]);
  for (let i = 1; i < 60; i++) tree.symlink(`c${i - 1}`, [`c${i}`]);
  assertEquals(within(tree, "c39"), "d");
  assertErrno("LOOP", () => within(tree, "c40"));
  // each link leads through the next, twice: 2^40 ways
  tree.symlink("d", ["b0"]);
  for (let i = 1; i < 40; i++) {
    tree.symlink(`b${i - 1}/../b${i - 1}`.replace("/../", "/e/f/"), [`b${i}`]);
  }
  for (let i = 0; i < 30; i++) {
    tree.symlink(`${"here/".repeat(700)}d`, [`h${i}`]);
  }
  const start = performance.now();
  assertErrno("LOOP", () => within(tree, "here/".repeat(41)));
  assertErrno("LOOP", () => within(tree, "h1/../h2"));
  assertErrno("LOOP", () => within(tree, "d/../".repeat(800) + "h1"));
  assert(performance.now() - start < 1000);
});

Deno.test("resolve() refuses paths that lie too deep", () => {
  using tree = new MemoryTree();
  const path: string[] = [];
  for (let i = 0; i < 1024; i++) {
    path.push("d");
    tree.makeDirectory(path);
  }
  assertErrno("NAMETOOLONG", () => resolve(tree, path, "d", FOLLOW));
  assertEquals(resolve(tree, path, ".", FOLLOW).path.length, 1024);
});

Deno.test("resolve() turns only so often in deep directories", () => {
  using tree = new MemoryTree();
  const deep = Array.from({ length: 200 }, () => "a");
  tree.addFile([...deep, "f"].join("/"), new Uint8Array());
  const base = deep.slice(1);
  const turns = (count: number) => `${"a/../".repeat(count)}a/f`;
  assertEquals(resolve(tree, base, turns(50), REFUSE).stat?.type, "file");
  assertErrno("LOOP", () => resolve(tree, base, turns(100), REFUSE));
});

Deno.test("resolve() is certain of the end of a path, and of none on the way", () => {
  const certain: string[] = [];
  class Watched extends MemoryTree {
    override lstat(path: TreePath) {
      certain.push(path.join("/"));
      return super.lstat(path);
    }
  }
  using tree = new Watched({ symlinks: "within" });
  tree.addFile("a/b/c/f", new Uint8Array());
  tree.symlink("b", ["a", "l"]);
  const looks = (path: string, base: TreePath = []) => {
    certain.length = 0;
    try {
      resolve(tree, base, path, FOLLOW);
    } catch {
      // what it was certain of is what counts
    }
    return [...certain];
  };
  assertEquals(looks("a/b/c/f"), ["a/b/c/f"]);
  assertEquals(looks("f", ["a", "b", "c"]), ["a/b/c/f"]);
  assertEquals(looks(".", ["a", "b"]), ["a/b"]);
  // wherever it ends, and where it turns
  assertEquals(looks("a/b/none/f"), ["a/b/none"]);
  assertEquals(looks("a/b/c/f/x"), ["a/b/c/f"]);
  assertEquals(looks("a/l/c/f"), ["a/l", "a/b/c/f"]);
  assertEquals(looks("a/b/../b/c"), ["a/b", "a/b/c"]);
});

import { assertEquals, assertThrows } from "@std/assert";
import { type ErrnoName, WasiError } from "../../../runtime/wasi/errno.ts";
import {
  checkHostName,
  checkLinkTarget,
  parsePath,
} from "../../../runtime/wasi/fs/path.ts";
import { assertErrno } from "./trees.ts";

Deno.test("parsePath() takes a path apart", () => {
  for (
    const [path, names, mustBeDirectory] of [
      ["a", ["a"], false],
      ["a/b", ["a", "b"], false],
      ["./a//./b", ["a", "b"], false],
      ["a/", ["a"], true],
      ["a///", ["a"], true],
      ["a/.", ["a"], true],
      [".", [], true],
      ["..", [".."], true],
      ["a/../b", ["a", "..", "b"], false],
      ["...", ["..."], false],
      ["%2e%2e", ["%2e%2e"], false],
      ["..\\x", ["..\\x"], false],
      ["\ufeff..", ["\ufeff.."], false],
      ["\uff0e\uff0e", ["\uff0e\uff0e"], false],
      ["__proto__", ["__proto__"], false],
      ["ä".repeat(127), ["ä".repeat(127)], false],
    ] as const
  ) {
    assertEquals(parsePath(path), { names: [...names], mustBeDirectory });
  }
});

Deno.test("parsePath() refuses what no path may be", () => {
  const cases: [string, ErrnoName][] = [
    ["", "NOENT"],
    ["/", "NOTCAPABLE"],
    ["/etc/passwd", "NOTCAPABLE"],
    ["//x", "NOTCAPABLE"],
    ["a\0", "INVAL"],
    ["in.txt\0/../../etc/passwd", "INVAL"],
    ["\ud800", "ILSEQ"],
    ["a/\udc00b", "ILSEQ"],
    ["x".repeat(256), "NAMETOOLONG"],
    ["ä".repeat(128), "NAMETOOLONG"],
    ["a/".repeat(2049), "NAMETOOLONG"],
    ["a/".repeat(2 ** 20), "NAMETOOLONG"],
  ];
  for (const [path, errno] of cases) {
    assertErrno(errno, () => parsePath(path));
  }
});

Deno.test("checkHostName() refuses what Windows takes for something else", () => {
  for (
    const name of [
      "CON",
      "con.txt",
      "NUL",
      "COM1",
      "COM\u00b9",
      "lpt\u00b3.x",
      "com0",
      "CONIN$",
      "aux .txt",
      "a:b",
      "a::$DATA",
      "..\\x",
      "C:",
      "a.",
      "a ",
      "a\u0001",
      "a*",
      "?",
    ]
  ) {
    assertThrows(() => checkHostName(name, "windows"), WasiError, "INVAL");
    checkHostName(name, "linux");
  }
  for (const name of ["a", "console", "com", "com10", ".x", "a.b", "nul2"]) {
    checkHostName(name, "windows");
  }
});

Deno.test("checkLinkTarget() lets links lead only where they stay within", () => {
  checkLinkTarget("a", 0);
  checkLinkTarget("a/b/", 0);
  checkLinkTarget("../a", 1);
  checkLinkTarget("../../a", 2);
  checkLinkTarget("..", 1);
  for (
    const [target, depth] of [
      ["..", 0],
      ["../a", 0],
      ["../../a", 1],
      // behind a link, `..` goes up from elsewhere
      ["a/..", 5],
      ["../a/../b", 5],
      ["/etc", 5],
    ] as const
  ) {
    assertErrno("NOTCAPABLE", () => checkLinkTarget(target, depth));
  }
  assertErrno("NOENT", () => checkLinkTarget("", 1));
  assertErrno("INVAL", () => checkLinkTarget("a\0", 1));
});

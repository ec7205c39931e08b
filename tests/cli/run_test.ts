import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { relative } from "node:path";
import { verifyAudit } from "../../security/audit/mod.ts";
import { folder } from "../audit/_events.ts";
import { wat } from "../wasm.ts";
import { run } from "./_run.ts";

/** Runs a module in the text format. */
async function program(text: string, ...args: string[]) {
  return await run(["run", "-", ...args], { stdin: await wat(text) });
}

/** Counts words of its standard input, or of files. */
const WORDFREQ = new URL(
  "../../examples/programs/rust/wordfreq.wasm",
  import.meta.url,
).href;

Deno.test("run calls _initialize or main, the first that there is", async () => {
  const rows: readonly (readonly [string, string | null])[] = [
    [
      '(func (export "main") (unreachable)) (func (export "_initialize"))',
      "_initialize",
    ],
    ['(func (export "main") (result i32) (i32.const 7))', "main"],
    ['(func (export "main") (param i32 i32) (unreachable))', null],
    ['(func (export "other") (unreachable))', null],
  ];
  for (const [body, called] of rows) {
    const { code, stdout } = await program(`(module ${body})`, "--json");
    const { usage, ...rest } = JSON.parse(stdout);
    assertEquals(code, 0);
    assertEquals(rest, {
      export: called,
      result: called === "main" ? 7 : null,
    });
    assertEquals(usage.calls, called === null ? 0 : 1);
  }
});

Deno.test("run prints nothing of its own", async () => {
  const quiet = await program('(module (func (export "_start")))');
  assertEquals([quiet.code, quiet.stdout, quiet.stderr], [0, "", ""]);
  const verbose = await program("(module)", "--verbose");
  assertMatch(verbose.stderr, /^called: nothing\ntime: /);
  assertEquals(verbose.stdout, "");
});

Deno.test("run runs the start function, under the limits", async () => {
  const trap = await program("(module (func $f (unreachable)) (start $f))");
  assertEquals(trap.code, 1);
  const spin = await program(
    "(module (func $f (loop (br 0))) (start $f))",
    "--timeout",
    "50ms",
  );
  assertEquals(spin.code, 4);
  assertStringIncludes(spin.stderr, "hint: --timeout raises this limit");
});

Deno.test("run --export calls what it is told", async () => {
  const text = `(module (func (export "_start") (unreachable))
    (func (export "go")) (func (export "take") (param i32)))`;
  assertEquals((await program(text, "--export", "go")).code, 0);
  const missing = await program(text, "--export", "goo");
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, 'did you mean "go"?');
  const takes = await program(text, "--export", "take");
  assertEquals(takes.code, 2);
  assertStringIncludes(takes.stderr, "it takes parameters, (i32) -> ()");
});

Deno.test("run says what WASI does not have", async () => {
  const { code, stderr } = await program(`(module
    (import "wasi_snapshot_preview1" "proc_fork" (func (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")))`);
  assertEquals(code, 3);
  assertMatch(
    stderr,
    /^error: [^\n]+\nhint: it imports what WASI preview 1 does not have[^\n]+\n$/,
  );
});

Deno.test("run says what a host program must grant", async () => {
  const { code, stderr } = await program(`(module
    (import "env" "log\\0a\\1b[2J" (func (param i32))))`);
  assertEquals(code, 3);
  assertMatch(stderr, /^error: [^\n]+\nhint: [^\n]+\n$/);
  assertStringIncludes(
    stderr,
    'imports: { "env": { "log\\u{a}\\u{1b}[2J": … } }',
  );
});

Deno.test("run passes arguments to WASI programs only, and after --", async () => {
  const { code, stderr } = await program("(module)", "--", "a");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Too many arguments: a");
  for (const args of [["a.txt"], ["--top", "3"]]) {
    const wrong = await run(["run", WORDFREQ, ...args]);
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, "hint: what the program takes goes ");
  }
});

Deno.test("run grants a directory by its relative path, in a process too", async () => {
  const { pathname } = new URL("../../examples/programs/rust", import.meta.url);
  const mount = `/data::./${relative(Deno.cwd(), pathname)}:ro`;
  for (const isolation of ["inline", "process"]) {
    const { code, stdout, stderr } = await run([
      "run",
      WORDFREQ,
      "--dir",
      mount,
      "--isolation",
      isolation,
      "--",
      "/data/wordfreq.rs",
    ]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, '"words":');
  }
});

Deno.test("run refuses two values for one variable", async () => {
  const { code, stderr } = await run(
    ["run", WORDFREQ, "--env", "A=1", "--env", "A=2"],
  );
  assertEquals(code, 2);
  assertStringIncludes(stderr, '"A" is there twice');
});

Deno.test("run --json keeps output that is no text", async () => {
  const bytes = String.raw`\ff\00\ef\bb\bf`;
  const { code, stdout } = await program(
    `(module
      (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00")
      (data (i32.const 16) "${bytes}")
      (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 0) (i32.const 18))
        (i32.store (i32.const 4) (i32.const 3))
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))))`,
    "--json",
  );
  assertEquals(code, 0);
  const { stdout: out, stderr: err } = JSON.parse(stdout);
  assertEquals(out, { base64: "/wDvu78=" });
  assertEquals(err, "\ufeff");
});

Deno.test("run ends in silence if nobody reads its output", async () => {
  const { code, stderr } = await run(["run", WORDFREQ], { isClosed: true });
  assertEquals([code, stderr], [141, ""]);
});

Deno.test("run --audit writes what was decided", async () => {
  await using temp = await folder();
  const path = `${temp.path}/audit.jsonl`;
  const { code, stderr } = await run(
    ["run", WORDFREQ, "--audit", path, "--", "/etc/passwd"],
  );
  assertEquals(code, 1);
  assertStringIncludes(stderr, "cannot read /etc/passwd");
  const all = { requireStart: true, requireClosed: true };
  const { ok, lines } = await verifyAudit([path], all);
  assertEquals(ok, true);
  const text = await Deno.readTextFile(path);
  assertEquals(text.split("\n").length - 1, lines);
  assertStringIncludes(text, '"operation":"process.arguments"');

  // also what was decided before a limit ended the program
  const limit = ["--stderr-size", "1", "--", "/etc/passwd"];
  const ended = await run(["run", WORDFREQ, "--audit", path, ...limit]);
  assertEquals(ended.code, 4);
  assertEquals((await verifyAudit([path], all)).lines > lines, true);

  const wrong = await run(["run", WORDFREQ, "--audit", temp.path]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, 'Option "--audit": ');
});

Deno.test("run says what is wrong with its grants", async () => {
  const rows: readonly (readonly [flag: string, value: string, why: string])[] =
    [
      ["--dir", "/data", "is no mount (write GUEST::HOST"],
      ["--dir", "::.", "is no mount (write GUEST::HOST"],
      ["--env", "=x", "has no name (write NAME=VALUE or NAME)"],
      ["--grant", "clok", 'is not known (did you mean "clock"?)'],
      ["--grant", "__proto__", "is not known (known are clock, "],
      [
        "--isolation",
        "thread",
        "is not known (known are auto, inline, process)",
      ],
    ];
  for (const [flag, value, why] of rows) {
    const { code, stdout, stderr } = await program("(module)", flag, value);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, `Option "${flag}": "${value}" ${why}`);
  }
});

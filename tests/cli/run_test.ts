import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { wat } from "../wasm.ts";
import { run } from "./_run.ts";

/** Runs a module in the text format. */
async function program(text: string, ...args: string[]) {
  return await run(["run", "-", ...args], { stdin: await wat(text) });
}

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

Deno.test("run passes no arguments on", async () => {
  const { code, stderr } = await program("(module)", "--", "a");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Too many arguments: a");
});

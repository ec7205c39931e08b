import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { build, bytes, funcType, wat } from "../wasm.ts";
import { run, TEXT_STATS } from "./_run.ts";

const MODULE = await wat(`(module
  (import "env" "log" (func (param i32 i64)))
  (import "env" "limit" (global i64))
  (memory (export "memory") 1 16)
  (table 4 funcref)
  (func $start) (start $start)
  (func (export "wasm_sandbox_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "answer") (param i32 i32) (result i64) (i64.const 0))
  (func (export "add") (param i32 i32) (result i32) (i32.const 0)))`);

const GC = build({
  types: [funcType(), [0x5f, 0]],
  functions: [0],
  bodies: [[5, 0, 0xfb, 1, 1, 0x1a, 0x0b].with(0, 6)],
});

function inspect(stdin: Uint8Array<ArrayBuffer>, ...args: string[]) {
  return run(["inspect", "-", ...args], { stdin });
}

Deno.test("inspect prints what a module is", async () => {
  const { code, stdout, stderr } = await inspect(MODULE);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout.replace(/size .*/, "size"),
    `module    "-"
size
verdict   accepted
features  none
start     a start function
memory    64 KiB, at most 1 MiB

imports: 2, which a host program must grant
  function  "env"."log"    (i32, i64) -> ()
  global    "env"."limit"

exports: 4
  memory    "memory"
  function  "wasm_sandbox_alloc"  (i32) -> i32       raw
  function  "answer"              (i32, i32) -> i64  message
  function  "add"                 (i32, i32) -> i32  raw
`,
  );
});

Deno.test("inspect --json prints an object of fixed keys", async () => {
  const { stdout } = await inspect(MODULE, "--json");
  const { imports, exports, ...module } = JSON.parse(stdout).module;
  assertEquals(module, {
    complete: true,
    features: [],
    hasStart: true,
    memories: [{
      minPages: 1,
      maxPages: 16,
      minBytes: 65_536,
      maxBytes: 1_048_576,
    }],
  });
  assertEquals(imports, [
    {
      module: "env",
      name: "log",
      kind: "function",
      signature: { params: ["i32", "i64"], results: [] },
      canBeGranted: true,
    },
    { module: "env", name: "limit", kind: "global", canBeGranted: true },
  ]);
  assertEquals(exports[2], {
    name: "answer",
    kind: "function",
    signature: { params: ["i32", "i32"], results: ["i64"] },
    abi: "message",
  });
  const rest = { ...JSON.parse(stdout) };
  delete rest.module;
  assertEquals(rest, {
    source: "-",
    byteLength: MODULE.length,
    accepted: true,
    error: null,
    missingFeatures: [],
  });
});

Deno.test("inspect reads files and URLs", async () => {
  const { code, stdout } = await run(["inspect", TEXT_STATS]);
  assertEquals(code, 0);
  assertMatch(stdout, /"text_stats" +\(i32, i32\) -> i64 +message\n/);
  assertStringIncludes(stdout, "imports: none\n");
});

Deno.test("inspect names the flag of a feature that is off", async () => {
  const two = await wat("(module (memory 1) (memory 2))");
  const off = await inspect(two);
  assertEquals(off.code, 3);
  assertStringIncludes(
    off.stdout,
    "verdict   refused\nbecause   Cannot accept",
  );
  assertStringIncludes(
    off.stdout,
    "hint      --allow-feature multiMemory allows it\n" +
      "needs     --allow-feature multiMemory\nfeatures  multiMemory\n",
  );
  assertStringIncludes(off.stdout, "memory    64 KiB, no maximum\n");
  const on = await inspect(two, "--allow-feature", "multiMemory");
  assertEquals(on.code, 0);
  assertStringIncludes(
    on.stdout,
    "verdict   accepted\nfeatures  multiMemory\n",
  );
});

Deno.test("inspect says which features cannot be allowed", async () => {
  assert(WebAssembly.validate(GC));
  const { code, stdout } = await inspect(GC);
  assertEquals(code, 3);
  assertStringIncludes(stdout, 'hint      no flag allows the feature "gc"');
  assertStringIncludes(stdout, "needs     gc (cannot be allowed)\n");
  const json = JSON.parse((await inspect(GC, "--json")).stdout);
  assertEquals(json.accepted, false);
  assertEquals(json.error.code, "module-refused");
  assertEquals(json.missingFeatures, [{ name: "gc", canBeAllowed: false }]);
  const forced = await inspect(GC, "--allow-feature", "gc");
  assertEquals(forced.code, 2);
  assertStringIncludes(forced.stdout, "because   Cannot");
});

Deno.test("inspect ends with 4 for a module that is over a limit", async () => {
  const large = await wat("(module (memory 2))");
  const { code, stdout } = await inspect(large, "--memory", "64KiB");
  assertEquals(code, 4);
  assertStringIncludes(stdout, "hint      --memory raises this limit");
  assertStringIncludes(stdout, "memory    128 KiB, no maximum\n");
  const long = await inspect(large, "--module-size", "8");
  assertEquals(long.code, 4);
  assertStringIncludes(long.stdout, "hint      --module-size raises");
  assertStringIncludes(long.stdout, "memory    128 KiB");
});

Deno.test("inspect tells what can be read of a module that is invalid", async () => {
  // one function, whose body is an instruction that does not exist
  const unknown = build({
    types: [funcType()],
    functions: [0],
    memories: [[0, 1]],
    bodies: [[3, 0, 0xff, 0x0b]],
  });
  const { code, stdout } = await inspect(unknown);
  assertEquals(code, 3);
  assertStringIncludes(stdout, "features  none (of the declarations");
  assertStringIncludes(stdout, "memory    64 KiB, no maximum\n");
  const text = new TextEncoder().encode("(module)");
  for (const bad of [text, new Uint8Array(), MODULE.slice(0, 40)]) {
    const { code, stdout, stderr } = await inspect(bad);
    assertEquals([code, stderr], [3, ""]);
    assertStringIncludes(stdout, "verdict   refused\nbecause   Cannot");
    assertStringIncludes(stdout, "\nnothing of it could be read\n");
  }
  const component = bytes("00 61 73 6d 0d 00 01 00");
  const { error, module } = JSON.parse(
    (await inspect(component, "--json")).stdout,
  );
  assertEquals([error.code, module], ["module-refused", null]);
});

Deno.test("inspect prints hostile names escaped", async () => {
  const hostile = await wat(`(module
    (import "a\\0averdict   accepted" "\\1b[2J" (func))
    (func (export "x\\0d\\e2\\80\\ae\\c2\\9b1m")))`);
  const { stdout } = await inspect(hostile);
  assertMatch(stdout, /^[\x20-\x7e\n]+$/);
  assertEquals(stdout.match(/^verdict/gm)?.length, 1);
  assertStringIncludes(stdout, '"a\\u{a}verdict   accepted"."\\u{1b}[2J"');
  const json = (await inspect(hostile, "--json")).stdout;
  assertMatch(json, /^[\x20-\x7e]+\n$/);
  assertEquals(
    JSON.parse(json).module.exports[0].name,
    "x\r\u202e\u009b1m",
  );
});

Deno.test("inspect tells WASI programs from others", async () => {
  const { stdout } = await inspect(
    await wat(`(module (import "wasi_snapshot_preview1" "fd_write" (func)))`),
  );
  assertStringIncludes(
    stdout,
    "imports: 1, of a WASI program, which run grants by its flags\n",
  );
});

Deno.test("inspect says what no host can grant", async () => {
  const module = await wat(`(module
    (import "env" "memory" (memory 1))
    (import "env" "take" (func (param externref))))`);
  const { stdout } = await inspect(module);
  assertMatch(stdout, /"env"."memory" +cannot be granted\n/);
  assertMatch(stdout, /"env"."take" +\(other\) -> \(\) +cannot be granted\n/);
  const { code, stderr } = await run(["run", "-"], { stdin: module });
  assertEquals(code, 3);
  assertStringIncludes(stderr, "hint: nothing can grant a memory");
});

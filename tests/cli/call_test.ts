import {
  assert,
  assertEquals,
  assertMatch,
  assertObjectMatch,
  assertStringIncludes,
} from "@std/assert";
import { wat } from "../wasm.ts";
import { PRIMES, run, SLUGIFY, TEXT_STATS } from "./_run.ts";

/** Gives back what it takes, in every type of number, and misbehaves. */
const NUMBERS = await wat(`(module
  (memory (export "memory") 1)
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "two") (result i32 i64) (i32.const 1) (i64.const -2))
  (func (export "none"))
  (func (export "vector") (param v128))
  (func (export "handler") (param i32 i32) (result i64) (i64.const 0))
  (func (export "trap") (unreachable))
  (func (export "spin") (loop (br 0)))
  (func $deep (export "deep") (call $deep))
  (global (export "global") i32 (i32.const 1))
)`);

/** Calls a function of the module above. */
function numbers(...args: string[]) {
  return run(["call", "-", ...args], { stdin: NUMBERS });
}

Deno.test("call prints the results of functions of numbers", async () => {
  const rows: readonly (readonly [string[], string])[] = [
    [["i32", "42"], "42"],
    [["i32", "0xff"], "255"],
    [["i32", "--", "-1"], "-1"],
    [["i32", "4294967295"], "-1"],
    [["i64", "9223372036854775807"], "9223372036854775807"],
    [["i64", "--", "-9223372036854775808"], "-9223372036854775808"],
    [["i64", "1_000"], "1000"],
    [["f32", "0.5"], "0.5"],
    [["f64", "1e-7"], "1e-7"],
    [["f64", "NaN"], "nan"],
    [["f64", "inf"], "inf"],
    [["f64", "--", "-Infinity"], "-inf"],
    [["f64", "--", "-0"], "-0"],
    [["two"], "1 -2"],
  ];
  for (const [args, expected] of rows) {
    const { code, stdout, stderr } = await numbers(...args);
    assertEquals([code, stdout, stderr], [0, `${expected}\n`, ""]);
  }
  assertEquals((await numbers("none")).stdout, "");
});

Deno.test("call takes a negative number where it stands", async () => {
  assertEquals((await numbers("i32", "-5")).stdout, "-5\n");
});

Deno.test("call --json prints what JSON cannot hold as strings", async () => {
  const rows: readonly (readonly [string[], unknown])[] = [
    [["i32", "7"], 7],
    [["i64", "9223372036854775807"], "9223372036854775807"],
    [["f64", "nan"], "nan"],
    [["f64", "inf"], "inf"],
    [["two"], [1, "-2"]],
    [["none"], null],
  ];
  for (const [args, expected] of rows) {
    const { code, stdout } = await numbers(...args, "--json");
    const { result, usage, ...rest } = JSON.parse(stdout);
    assertEquals([code, result, rest], [0, expected, {}]);
    assertEquals(usage.calls, 1);
    assertEquals(usage.limits.memoryBytes, { allowed: 2 ** 26, used: 65_536 });
    assertEquals(typeof usage.elapsedMs, "number");
  }
});

Deno.test("call says which input does not fit", async () => {
  const rows: readonly (readonly [string[], string])[] = [
    [["i32"], 'Cannot call "i32": it takes 1 input (i32), not 0'],
    [["none", "1"], 'Cannot call "none": it takes 0 inputs, not 1'],
    [["i32", "1.5"], 'parameter 1 (i32) is "1.5", not a whole number'],
    [["i32", "x"], "not a whole number such as 42, -1 or 0xff"],
    [["i32", "4294967296"], "not from -2147483648 to 4294967295"],
    [["i32", "--", "-2147483649"], "not from -2147483648 to 4294967295"],
    [["i64", "18446744073709551616"], "not from -9223372036854775808 to"],
    [["i64", "9".repeat(100_000)], "not from -9223372036854775808 to"],
    [["i64", "1n"], 'parameter 1 (i64) is "1n", not a whole number'],
    [["f64", "1,5"], "not a number such as 1.5, -2e10, nan, inf or -inf"],
    [["f32", "1e39"], "beyond the range of f32"],
    [["f64", "1e999"], "beyond the range of f64"],
    [["vector", "1"], "takes or returns vectors or references"],
    [["i32", "1", "--input", "1"], 'Cannot send "i32" a message'],
    [["handler", "--input", "1"], 'exports "wasm_sandbox_alloc"'],
    [["handler", "--bytes", "--alloc", "a"], 'exports "a"'],
  ];
  for (const [args, expected] of rows) {
    const { code, stdout, stderr } = await numbers(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, expected);
    assertMatch(stderr, /^error: [^\n]+\n$/);
  }
});

Deno.test("call suggests the export that was meant", async () => {
  const typo = await run(["call", TEXT_STATS, "text_stat", "1"]);
  assertEquals(typo.code, 2);
  assertStringIncludes(typo.stderr, 'did you mean "text_stats"?');
  assertStringIncludes(typo.stderr, "\nhint: the command inspect lists");
  const global = await numbers("global");
  assertEquals(global.code, 2);
  assertStringIncludes(global.stderr, "it is a global, not a function");
});

Deno.test("call sends JSON from a flag, a file and the standard input", async () => {
  const input = '{"text":"a bb"}';
  const expected = '{"words":2,"lines":1,"bytes":4,"longest":"bb"}\n';
  const rows: readonly (readonly [string[], string])[] = [
    [["--input", input], ""],
    [["--input-file", "in.json"], ""],
    [["--input-file", "-"], input],
    [["-"], input],
  ];
  for (const [args, stdin] of rows) {
    const { code, stdout, stderr } = await run(
      ["call", TEXT_STATS, "text_stats", ...args],
      { stdin, files: { "in.json": input } },
    );
    assertEquals([code, stdout, stderr], [0, expected, ""]);
  }
});

Deno.test("call speaks JSON with guests of other languages", async () => {
  const slug = await run(["call", SLUGIFY, "slugify", "--input", '"Ça va?"']);
  assertEquals(slug.stdout, '"ca-va"\n');
  const sum = await run(["call", SLUGIFY, "sum", "--input", "[1,2.5]"]);
  assertEquals(sum.stdout, "3.5\n");
  const primes = await run(["call", PRIMES, "histogram", "--input", "[1,1]"]);
  assertEquals(primes.stdout, '{"1":2}\n');
  const fib = await run(["call", PRIMES, "fib", "50"]);
  assertEquals(fib.stdout, "12586269025\n");
});

Deno.test("call --json holds the reply", async () => {
  const { stdout } = await run(
    ["call", SLUGIFY, "slugify", "--input", '"A b"', "--json"],
  );
  assertEquals(JSON.parse(stdout).result, "a-b");
});

Deno.test("call --bytes passes bytes through", async () => {
  const args = ["call", TEXT_STATS, "reverse", "--bytes"];
  const stdin = Uint8Array.of(0, 255, 10, 27);
  const piped = await run([...args, "-"], { stdin });
  assertEquals([piped.code, piped.bytes], [0, [27, 10, 255, 0]]);
  const json = await run([...args, "-", "--json"], { stdin });
  assertEquals(JSON.parse(json.stdout).result, { base64: "Gwr/AA==" });
  const text = await run([...args, "--input", "abc"]);
  assertEquals(text.stdout, "cba");
  const nothing = await run(args);
  assertEquals([nothing.code, nothing.bytes], [0, []]);
});

Deno.test("call --bytes escapes what a terminal would obey", async () => {
  const { stdout } = await run(
    ["call", TEXT_STATS, "reverse", "--bytes", "--input", "J2[\x1b\nok"],
    { isTerminal: true },
  );
  assertEquals(stdout, "ko\n\\u{1b}[2J\n");
});

Deno.test("call escapes what a guest replies, and it stays JSON", async () => {
  const text = "a\u202e\u009b2J\u2028\x1b[2J";
  const { stdout } = await run(
    ["call", TEXT_STATS, "text_stats", "--input", JSON.stringify({ text })],
  );
  assertEquals(JSON.parse(stdout).longest, text);
  assertMatch(stdout, /^[\x20-\x7e]+\n$/);
});

Deno.test("call refuses messages that are none", async () => {
  const rows: readonly (readonly [string[], string])[] = [
    [["--input", "{"], "The input is not JSON"],
    [["--input-file", "gone"], 'Cannot read the input "gone": it does not'],
    [["--input", "1", "-"], "it takes one message, not numbers"],
    [["1", "2"], "it takes one message, not numbers"],
    [["--", "--input"], "it takes one message, not numbers"],
  ];
  for (const [args, expected] of rows) {
    const { code, stderr } = await run(
      ["call", TEXT_STATS, "text_stats", ...args],
    );
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(stderr, expected);
  }
  const both = await run(["call", "-", "f", "-"]);
  assertEquals(both.code, 2);
  assertStringIncludes(both.stderr, "both the module and the input");
});

Deno.test("call ends with 1 if the guest traps or lies", async () => {
  const trap = await numbers("trap");
  assertEquals([trap.code, trap.stdout], [1, ""]);
  assertMatch(trap.stderr, /^error: Cannot complete "trap": [^\n]+\n$/);
  const panic = await run(["call", SLUGIFY, "fail", "--input", "1"]);
  assertEquals(panic.code, 1);
  const liar = await wat(`(module
    (memory (export "memory") 1)
    (func (export "wasm_sandbox_alloc") (param i32) (result i32) (i32.const 8))
    (func (export "lie") (param i32 i32) (result i64) (i64.const -1)))`);
  const lie = await run(["call", "-", "lie"], { stdin: liar });
  assertEquals(lie.code, 1);
  assertStringIncludes(lie.stderr, "lies outside of its memory");
});

Deno.test("call does not fall over a reply that nests too deep", async () => {
  // {"1":{"1":… 50,000 deep, which the engine can parse but not write again
  const nested = await wat(`(module
    (memory (export "memory") 16)
    (data (i32.const 0) "{\\"1\\":")
    (func (export "wasm_sandbox_alloc") (param i32) (result i32)
      (i32.const 900000))
    (func (export "nest") (param i32 i32) (result i64)
      (local.set 0 (i32.const 5))
      (loop
        (memory.copy (local.get 0) (i32.const 0) (i32.const 5))
        (local.set 0 (i32.add (local.get 0) (i32.const 5)))
        (br_if 0 (i32.lt_u (local.get 0) (i32.const 250000))))
      (i32.store8 (i32.const 250000) (i32.const 0x31))
      (memory.fill (i32.const 250001) (i32.const 0x7d) (i32.const 50000))
      (i64.const 300001)))`);
  const { code, stdout, stderr } = await run(["call", "-", "nest"], {
    stdin: nested,
  });
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, "nests too deep");
});

Deno.test("call ends with 4 at a limit, and names the flag", async () => {
  const rows: readonly (readonly [string[], string | undefined])[] = [
    [["spin", "--timeout", "50ms"], "--timeout raises this limit; it is 50 ms"],
    [["spin", "--fuel", "10k"], "--fuel raises this limit; it is 10,000 now"],
    [["none", "--memory", "0"], "--memory raises this limit; it is 0 B now"],
    [["none", "--module-size", "8B"], "--module-size raises this limit"],
    [["none", "--function-size", "1"], "--function-size raises this limit"],
    [["deep"], undefined],
  ];
  for (const [args, hint] of rows) {
    const { code, stderr } = await numbers(...args);
    assertEquals(code, 4, stderr);
    if (hint === undefined) assertMatch(stderr, /^error: [^\n]+\n$/);
    else assertStringIncludes(stderr, `\nhint: ${hint}`);
  }
  const long = await run(
    ["call", TEXT_STATS, "reverse", "--bytes", "--message", "2", "-"],
    { stdin: "abc" },
  );
  assertEquals(long.code, 4);
  assertStringIncludes(long.stderr, "\nhint: --message raises this limit");
});

Deno.test("call --verbose prints what was used, also after a failure", async () => {
  const well = await numbers("i32", "1", "--fuel", "1000", "--verbose");
  assertMatch(
    well.stderr,
    /^time: [\d.]+ m?s\nmemory: 64 KiB of 64 MiB\ntable elements: 0 of 100,000\nfuel: \d+ of 1,000\n$/,
  );
  const ill = await numbers("trap", "--verbose");
  assertMatch(ill.stderr, /^time: .*\nmemory: .*\n.*\nerror: .*\n$/);
});

Deno.test("call --json prints errors as JSON", async () => {
  const trap = await numbers("trap", "--json");
  assertEquals([trap.code, trap.stdout], [1, ""]);
  assertObjectMatch(JSON.parse(trap.stderr), {
    error: {
      name: "SandboxError",
      code: "trap",
      details: { export: "trap", kind: "trap" },
    },
  });
  const usage = await numbers("i32", "--json");
  assertEquals(JSON.parse(usage.stderr), {
    error: {
      name: "UsageError",
      message: 'Cannot call "i32": it takes 1 input (i32), not 0',
    },
  });
});

Deno.test("call finds memory functions by the names it is given", async () => {
  const renamed = await wat(`(module
    (memory (export "memory") 1)
    (data (i32.const 0) "[7]")
    (func (export "get") (param i32) (result i32) (i32.const 64))
    (func (export "seven") (param i32 i32) (result i64) (i64.const 3)))`);
  const { code, stdout } = await run(
    ["call", "-", "seven", "--alloc", "get", "--free", "put"],
    { stdin: renamed },
  );
  assertEquals([code, stdout], [0, "[7]\n"]);
});

Deno.test("call grants a library of WASI what the flags say", async () => {
  const folder = await Deno.makeTempDir();
  const save = (...flags: string[]) =>
    run([
      "call",
      new URL("../../examples/programs/c/ledger.wasm", import.meta.url).href,
      "save",
      "--input",
      '{"path":"/books/ledger.csv"}',
      ...flags,
    ]);
  try {
    const denied = await save();
    assertStringIncludes(denied.stdout, "error");
    const allowed = await save("--dir", `/books::${folder}`);
    assertEquals(allowed.code, 0, allowed.stderr);
    assertEquals(JSON.parse(allowed.stdout).saved, 0);
    assert((await Deno.stat(`${folder}/ledger.csv`)).isFile);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

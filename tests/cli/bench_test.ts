import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { rawCall } from "../../cli/bench/raw.ts";
import { interleave, ratio, summarize } from "../../cli/bench/measure.ts";
import { wat } from "../wasm.ts";
import { PRIMES, run, TEXT_STATS } from "./_run.ts";

/** Quick, and without what takes a process or an engine. */
const QUICK = ["--time", "20ms", "--skip", "process", "--skip", "wasmtime"];

/** When the guest that never returns has begun. */
const LATE_MS = 3_000;

interface Side {
  name: string;
  calls: number;
  call: { median: number; low: number; high: number };
  ratio: { median: number };
  first: { median: number };
}

Deno.test("bench compares a call by numbers, with medians and ratios", async () => {
  const { code, stdout, stderr } = await run(
    ["bench", TEXT_STATS, "--call", "add", "2", "3", ...QUICK, "--json"],
  );
  assertEquals([code, stderr], [0, ""]);
  const { result, rounds, sides, skipped, disagreeing } = JSON.parse(stdout);
  assertEquals([result, skipped, disagreeing], [5, [], []]);
  assert(rounds >= 3);
  assertEquals(
    sides.map(({ name }: Side) => name),
    ["raw", "sync", "inline"],
  );
  for (const { calls, call, ratio, first } of sides as Side[]) {
    assert(calls > 1 && call.low <= call.median && call.median <= call.high);
    // a call takes less than the way to the first one
    assert(call.median < first.median && ratio.median > 0);
  }
  assertEquals(sides[0].ratio.median, 1);
});

Deno.test("bench compares processes, and says what is left out", async () => {
  const { code, stdout } = await run(
    ["bench", PRIMES, "--call", "fib", "20", "--time", "20ms"],
  );
  assertEquals(code, 0);
  assertStringIncludes(stdout, '"fib" of ');
  assertStringIncludes(stdout, 'result: "6765"\n');
  for (
    const side of ["V8 alone, no limits", "inline, call ", "process, call"]
  ) {
    assertMatch(stdout, new RegExp(`^${side} .* (?:ns|µs|ms|s)$`, "m"));
  }
  // where it is installed it is a side, and a note otherwise
  assertMatch(stdout, /^(?:Left out: )?Wasmtime, call/m);
  assert(stdout.split("\n").every((line) => !line.endsWith(" ")));
});

Deno.test("bench sends messages", async () => {
  const common = ["bench", TEXT_STATS, ...QUICK, "--skip", "sync", "--json"];
  const json = await run(
    [...common, "--call", "text_stats", "--input", '{"text":"a b"}'],
  );
  assertEquals(json.code, 0, json.stderr);
  assertEquals(JSON.parse(json.stdout).result.words, 2);
  const bytes = await run(
    [...common, "--call", "reverse", "--bytes", "--input", "abc"],
  );
  assertEquals(bytes.code, 0, bytes.stderr);
  const { result, sides } = JSON.parse(bytes.stdout);
  assertEquals([result, sides.length], [btoa("cba"), 2]);
});

Deno.test("bench leaves V8 alone out for a module with imports", async () => {
  const stdin = await wat(`(module
    (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
    (memory (export "memory") 1)
    (func (export "yield") (result i32) (call 0)))`);
  const { code, stdout, stderr } = await run(
    ["bench", "-", "--call", "yield", ...QUICK],
    { stdin },
  );
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "result: 0\n");
  assertStringIncludes(stdout, "Left out: V8 alone, no limits: the module imp");
});

Deno.test("bench fails as the call does, and before V8 alone runs it", async () => {
  const stdin = await wat(`(module (func (export "spin") (loop (br 0))))`);
  const { code, stderr } = await run(
    ["bench", "-", "--call", "spin", "--timeout", "50ms", ...QUICK],
    { stdin },
  );
  assertEquals(code, 4, stderr);
  assertStringIncludes(stderr, "--timeout raises this limit");
});

Deno.test("bench refuses wrong usage", async () => {
  const rows: readonly (readonly [string[], RegExp])[] = [
    [[], /--call names the export \(there are: .*"add"/],
    [["--call", "ad", "1", "2"], /there is no such function/],
    [["--call", "add", "1"], /it takes 2 inputs/],
    [["--call", "add", "1", "2", "--bytes"], /it takes numbers/],
    [["--call", "add", "1", "2", "--skip", "rw"], /did you mean "raw"\?/],
    [["--call", "add", "1", "2", "--time", "2"], /write it like 500ms/],
  ];
  for (const [args, expected] of rows) {
    const { code, stdout, stderr } = await run(["bench", TEXT_STATS, ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, expected);
  }
});

Deno.test({
  name: "bench ends at Ctrl-C, even where V8 alone runs what never returns",
  ignore: Deno.build.os === "windows",
  async fn() {
    // returns at first, when it is called within its limits
    const guest = await wat(`(module
      (global $calls (mut i32) (i32.const 0))
      (func (export "f")
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (loop (br_if 0 (i32.gt_u (global.get $calls) (i32.const 2))))))`);
    const skip = ["sync", "inline", "process", "wasmtime"]
      .flatMap((side) => ["--skip", side]);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "cli.ts", "bench", "-", "--call", "f", ...skip],
      cwd: new URL("../../", import.meta.url),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    await ReadableStream.from([guest]).pipeTo(child.stdin);
    const ended = child.output();
    // long enough to measure what returns, five times over
    await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    assertEquals([code, stdout.length], [130, 0]);
  },
});

Deno.test("rawCall() calls an export without a sandbox", async () => {
  const module = await WebAssembly.compile(
    await Deno.readFile(new URL(TEXT_STATS)),
  );
  const bytes = new TextEncoder().encode("abc");
  const input = { kind: "bytes", bytes } as const;
  const call = await rawCall(module, "reverse", input, {});
  assertEquals(call(), new TextEncoder().encode("cba"));
});

Deno.test("interleave() takes turns, and ratio() compares round by round", async () => {
  const order: string[] = [];
  const done: number[] = [];
  const side = (name: string) => ({ name, run: () => void order.push(name) });
  const times = await interleave([side("a"), side("b")], {
    rounds: 2,
    warmup: 0,
    onRound: (part) => done.push(part),
  });
  assertEquals(order, ["a", "b", "b", "a"]);
  assertEquals(done, [0.5, 1]);
  assertEquals(times.map(({ length }) => length), [2, 2]);
  assertEquals(ratio([2, 6], [1, 2]).median, 2.5);
  assertEquals(summarize([3, 1, 2]).median, 2);
});

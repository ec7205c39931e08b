import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  Sandbox,
  type SandboxCallOptions,
  SandboxError,
  type SandboxOptions,
  V8Runtime,
} from "../mod.ts";
import { realm } from "../runtime/v8/realm.ts";
import { wat } from "./wasm.ts";

const GUESTS = new URL("../examples/guests/", import.meta.url);
const TEXT_STATS = new URL("c/text_stats.wasm", GUESTS);
const SLUGIFY = new URL("rust/slugify.wasm", GUESTS);
const PRIMES = new URL("assemblyscript/primes.wasm", GUESTS);

const COUNTER = await wat(`(module
  (memory (export "memory") 1)
  (global $n (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (global.get $n))
  (func (export "two") (result i32 i64) (i32.const 1) (i64.const -2))
  (func (export "nothing"))
  (func (export "id64") (param i64) (result i64) (local.get 0))
  (func (export "idf") (param f32 f64) (result f64)
    (f64.add (f64.promote_f32 (local.get 0)) (local.get 1)))
  (func (export "trap") (unreachable))
  (func (export "spin") (loop (br 0)))
  (func (export "grow") (param i32) (result i32)
    (memory.grow (local.get 0))))`);

function create(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  return Sandbox.create({ module: COUNTER, ...options });
}

Deno.test("Sandbox.call() passes numbers of every type", async () => {
  await using sandbox = await create();
  assertEquals(await sandbox.call("nothing"), undefined);
  assertEquals(await sandbox.call("two"), [1, -2n]);
  assertEquals(await sandbox.call("id64", [2n ** 64n - 1n]), -1n);
  assertEquals(await sandbox.call("idf", [0.5, 0.25]), 0.75);
  assert(Number.isNaN(await sandbox.call("idf", [NaN, 1])));
  assertEquals(sandbox.callSync("grow", [0]), 1);
});

Deno.test("Sandbox.call() passes JSON and bytes to guests from C, Rust and AssemblyScript", async () => {
  await using c = await Sandbox.create({ module: TEXT_STATS });
  const text = 'Zwölf Boxkämpfer "jagen"\nEva 🤼 quer';
  assertEquals(await c.call("text_stats", { text }), {
    words: 6,
    lines: 2,
    bytes: new TextEncoder().encode(text).length,
    longest: "Boxkämpfer",
  });
  assertEquals(
    await c.call("reverse", Uint8Array.of(1, 2, 3)),
    Uint8Array.of(3, 2, 1),
  );
  assertEquals(await c.call("reverse", new Uint8Array()), new Uint8Array());
  assertEquals(await c.call("add", [2, 3]), 5);

  await using rust = await Sandbox.create({ module: SLUGIFY });
  assertEquals(await rust.call("slugify", "Hello, World!"), "hello-world");
  assertEquals(await rust.call("sum", [1, 2.5, -4]), -0.5);

  await using script = await Sandbox.create({ module: PRIMES });
  assertEquals(await script.call("countPrimes", [100]), 25);
  assertEquals(await script.call("fib", [50]), 12586269025n);
  assertEquals(await script.call("histogram", [3, 1, 3]), { 1: 1, 3: 2 });
});

Deno.test("Sandbox.call() does what the option abi says", async () => {
  await using sandbox = await Sandbox.create({ module: TEXT_STATS });
  const reply = await sandbox.call(
    "text_stats",
    new TextEncoder().encode("{}"),
    {
      abi: "bytes",
    },
  );
  assert(reply instanceof Uint8Array);
  const pointer = sandbox.callSync("wasm_sandbox_alloc", [16]);
  assert(typeof pointer === "number" && pointer > 0);
  const packed = sandbox.callSync("reverse", [pointer, 0], { abi: "raw" });
  assert(typeof packed === "bigint");
  await assertRejects(
    () => sandbox.call("reverse", "x", { abi: "bytes" }),
    TypeError,
  );
  await assertRejects(() => sandbox.call("add", {}), TypeError);
});

Deno.test("Sandbox keeps state with reuse and drops it with fresh", async () => {
  await using reuse = await create();
  assertEquals(await reuse.call("next"), 1);
  assertEquals(await reuse.call("next"), 2);
  await reuse.reset();
  assertEquals(await reuse.call("next"), 1);

  await using fresh = await create({ instance: "fresh" });
  assertEquals(await fresh.call("next"), 1);
  assertEquals(await fresh.call("next"), 1);
  assertEquals(await Promise.all([fresh.call("next"), fresh.call("next")]), [
    1,
    1,
  ]);
  const error = assertThrows(() => fresh.callSync("next"), SandboxError);
  assert(SandboxError.is(error, "unsupported"));
});

Deno.test("Sandbox with fresh goes on after a limit and a trap", async () => {
  await using sandbox = await create({
    instance: "fresh",
    limits: { timeoutMs: 30 },
  });
  await assertRejects(() => sandbox.call("spin"), SandboxError, "timeoutMs");
  await assertRejects(() => sandbox.call("trap"), SandboxError, "trapped");
  assertEquals(await sandbox.call("next"), 1);
});

Deno.test("Sandbox with reuse is dead after a trap, says so, and can be reset", async () => {
  await using sandbox = await create();
  await assertRejects(() => sandbox.call("trap"), SandboxError, "unreachable");
  assert(SandboxError.is(sandbox.failure, "trap"));
  for (let time = 0; time < 2; time++) {
    const error = await assertRejects(() => sandbox.call("next"), SandboxError);
    assert(SandboxError.is(error, "instance-dead"));
    assertEquals(error.details.reason, "trap");
    assert(SandboxError.is(error.cause, "trap"));
  }
  await sandbox.reset();
  assertEquals(await sandbox.call("next"), 1);
});

Deno.test("Sandbox counts fuel exactly, refuses when it is gone, and takes more", async () => {
  await using sandbox = await create({ limits: { fuel: 1000 } });
  const fuel = () => sandbox.usage().limits.fuel;
  assertEquals(fuel(), { allowed: 1000, used: 0 });
  await sandbox.call("next");
  // entry 1, and five instructions
  assertEquals(fuel(), { allowed: 1000, used: 6 });
  const error = await assertRejects(() => sandbox.call("spin"), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "fuel");
  sandbox.addFuel(100);
  await sandbox.reset();
  await sandbox.call("next");
  assertEquals(fuel()?.allowed, 1100);
  assertThrows(() => sandbox.addFuel(-1), TypeError);
  assertThrows(() => sandbox.addFuel(0.5), TypeError);
  await using uncounted = await create();
  assertThrows(() => uncounted.addFuel(1), TypeError);
});

Deno.test("Sandbox with fresh takes fuel from one tank", async () => {
  await using sandbox = await create({
    instance: "fresh",
    limits: { fuel: 13 },
  });
  await Promise.all([sandbox.call("next"), sandbox.call("next")]);
  assertEquals(sandbox.usage().limits.fuel?.used, 12);
  await assertRejects(() => sandbox.call("next"), SandboxError, "fuel");
});

Deno.test("Sandbox.usage() shows memory, and enforcement() who enforces", async () => {
  await using sandbox = await create({ limits: { memoryBytes: 4 * 65_536 } });
  assertEquals(sandbox.callSync("grow", [2]), 1);
  assertEquals(sandbox.callSync("grow", [2]), -1);
  assertEquals(sandbox.usage().limits.memoryBytes, {
    allowed: 4 * 65_536,
    used: 3 * 65_536,
  });
  assertEquals(sandbox.usage().calls, 2);
  const { isolation, runtime, limits, unprotected } = sandbox.enforcement();
  assertEquals([isolation, runtime], ["inline", "v8"]);
  assertEquals(limits.memoryBytes?.level, "hard");
  assertEquals(limits.memoryBytes?.allowed, 4 * 65_536);
  assertFalse("fuel" in limits);
  assert(unprotected.length > 0);
});

Deno.test("Sandbox.call() keeps to the shorter of two deadlines", async () => {
  await using sandbox = await create({ limits: { timeoutMs: 60_000 } });
  const start = performance.now();
  await assertRejects(
    () => sandbox.call("spin", [], { timeoutMs: 20 }),
    SandboxError,
    "timeoutMs",
  );
  assert(performance.now() - start < 5_000);
  await using short = await create({ limits: { timeoutMs: 20 } });
  await assertRejects(
    () => short.call("spin", [], { timeoutMs: 1e9 }),
    SandboxError,
  );
  for (const timeoutMs of [0, -1, NaN]) {
    await using other = await create();
    await assertRejects(() => other.call("next", [], { timeoutMs }), TypeError);
    assertEquals(await other.call("next"), 1);
  }
});

Deno.test("Sandbox is cancelled with the caller's own reason", async () => {
  const reason = new Error("changed my mind");
  const signal = AbortSignal.abort(reason);
  const thrown = await assertRejects(() =>
    Sandbox.create({ module: COUNTER }, { signal })
  );
  assert(thrown === reason);
  await using sandbox = await create();
  const late = await assertRejects(() => sandbox.call("next", [], { signal }));
  assert(late === reason);
  assertEquals(await sandbox.call("next"), 1);
});

Deno.test("Sandbox takes resets and fresh calls in turn, and none after its disposal", async () => {
  const before = realm.instances;
  const sandbox = await create({ limits: { fuel: 1000 } });
  await Promise.all([sandbox.reset(), sandbox.reset(), sandbox.reset()]);
  assertEquals(realm.instances, before + 1);
  await using runtime = new V8Runtime();
  const fresh = await create({ runtime, instance: "fresh" });
  const waiting = [1, 2, 3].map(() => fresh.call("next"));
  const results = Promise.allSettled([...waiting, sandbox.reset()]);
  await Promise.all([
    fresh[Symbol.asyncDispose](),
    sandbox[Symbol.asyncDispose](),
  ]);
  assertEquals(realm.instances, before);
  const late = (await results).slice(1);
  for (const result of late) {
    assert(result.status === "rejected");
    assert(SandboxError.is(result.reason, "disposed"));
  }
});

Deno.test("Sandbox.call() refuses options that it does not know", async () => {
  await using sandbox = await create();
  const bad: unknown[] = [{ timeout: 5 }, { abi: "xml" }, { timeoutMs: "5" }];
  for (const options of bad) {
    await assertRejects(
      () => sandbox.call("next", [], options as SandboxCallOptions),
      TypeError,
    );
  }
  await using endless = await create({
    limits: { fuel: 1000, timeoutMs: Infinity },
  });
  await assertRejects(
    () => endless.call("next", [], { timeoutMs: 5 }),
    TypeError,
  );
  assertEquals(await endless.call("next"), 1);
});

Deno.test("Sandbox is refused after its disposal, which may be repeated", async () => {
  const sandbox = await create();
  await sandbox[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  const uses = [
    () => sandbox.call("next"),
    () => sandbox.reset(),
    () => Promise.resolve().then(() => sandbox.callSync("next")),
    () => Promise.resolve().then(() => sandbox.addFuel(1)),
  ];
  for (const use of uses) {
    const error = await assertRejects(use, SandboxError);
    assert(SandboxError.is(error, "disposed"));
  }
});

Deno.test("Sandbox.builder() is immutable and ends in the same sandbox", async () => {
  const base = Sandbox.builder().module(COUNTER).memoryLimit(2 * 65_536);
  await using small = await base.timeout(1000).fuel(50).build();
  await using other = await base.memoryLimit(3 * 65_536).build();
  assertEquals(small.limits.memoryBytes, 2 * 65_536);
  assertEquals(small.limits.fuel, 50);
  assertEquals(other.limits.memoryBytes, 3 * 65_536);
  assertEquals(other.limits.fuel, undefined);
  assertEquals(small.callSync("next"), 1);
});

Deno.test("Sandbox.builder() reports everything that is wrong at once", async () => {
  const builder = Sandbox.builder()
    .memoryLimit(-1)
    .timeout(0.5)
    .features({ warp: true } as Record<string, boolean>)
    .instancePolicy("sometimes" as "fresh");
  const { message } = await assertRejects(() => builder.build(), TypeError);
  for (
    const word of ["no module", "memoryBytes", "timeoutMs", "warp", "sometimes"]
  ) {
    assert(message.includes(word), `${word} is missing in: ${message}`);
  }
});

Deno.test("Sandbox leaves a runtime that it was given alive", async () => {
  await using runtime = new V8Runtime();
  {
    await using sandbox = await create({ runtime });
    assertEquals(sandbox.callSync("next"), 1);
  }
  await using sandbox = await create({ runtime });
  assertEquals(sandbox.callSync("next"), 1);
  await runtime[Symbol.asyncDispose]();
  assertThrows(() => sandbox.callSync("next"), SandboxError, "disposed");
});

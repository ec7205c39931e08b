import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import process from "node:process";
import {
  type ResourceLimits,
  Sandbox,
  SandboxError,
  type SandboxErrorCode,
} from "../mod.ts";
import { wat } from "./wasm.ts";

/** Windows in which the process must once be idle after a guest was stopped. */
const WINDOW_MS = 50;
const WINDOWS = 40;

/** The host serves on, and nothing of the guest still runs. */
async function hostStands(): Promise<void> {
  await using sandbox = await Sandbox.create({ module: await ANSWER });
  assertEquals(sandbox.callSync("answer"), 42);
  // the engine may compile and collect for a while; a guest would never end
  for (let window = 0; window < WINDOWS; window++) {
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 < WINDOW_MS / 3) return;
  }
  assert(false, "something still burns CPU");
}

const ANSWER = wat(
  `(module (func (export "answer") (result i32) (i32.const 42)))`,
);

const ENDLESS: Record<string, string> = {
  "loop": `(func (export "run") (loop (br 0)))`,
  "loop in a block with a value":
    `(func (export "run") (param i32) (drop (block (result i32)
      (loop (result i32) (br_if 1 (i32.const 7) (i32.const 0)) (br 0)))))`,
  "counted loop": `(func (export "run") (local i64)
    (loop (br_if 0 (i64.ne (local.tee 0
      (i64.add (local.get 0) (i64.const 1))) (i64.const -1)))))`,
  "tail calls": `(func $a (export "run") (return_call $b))
    (func $b (return_call $a))`,
  "indirect tail calls": `(type $t (func)) (table funcref (elem $a $b))
    (func $a (export "run") (return_call_indirect (type $t) (i32.const 1)))
    (func $b (return_call_indirect (type $t) (i32.const 0)))`,
  "tree of calls": `(func $t (export "run") (param i32)
    (if (local.get 0) (then
      (call $t (i32.sub (local.get 0) (i32.const 1)))
      (call $t (i32.sub (local.get 0) (i32.const 1))))))`,
  "tower of calls without a loop": Array.from(
    { length: 64 },
    (_, index) =>
      index === 63
        ? `(func $f63 (call $leaf)) (func $leaf)`
        : `(func $f${index} ${index === 0 ? '(export "run")' : ""}
           (call $f${index + 1}) (call $f${index + 1}))`,
  ).join(" "),
  "chain of memory.fill": `(memory 512)
    (func (export "run") (loop ${
    "(memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432))".repeat(50)
  } (br 0)))`,
  "memory.copy over itself": `(memory 512)
    (func (export "run") (loop
      (memory.copy (i32.const 1) (i32.const 0) (i32.const 33554431)) (br 0)))`,
  "memory.grow": `(memory 1) (func (export "run")
    (loop (drop (memory.grow (i32.const 1))) (br 0)))`,
  "table.fill": `(table 90000 externref) (func (export "run")
    (loop (table.fill (i32.const 0) (ref.null extern) (i32.const 90000))
      (br 0)))`,
  "br_table machine": `(func (export "run") (local i32) (loop $l
    (block $a (block $b (block $c
      (br_table $a $b $c (local.get 0)))
      (local.set 0 (i32.const 0)) (br $l))
      (local.set 0 (i32.const 2)) (br $l))
      (local.set 0 (i32.const 1)) (br $l)))`,
  "catch_all": `(func $spin (loop (br 0)))
    (func (export "run") (loop (try (do (call $spin)) (catch_all)) (br 0)))`,
  "catch_all_ref": `(func $spin (loop (br 0)))
    (func (export "run") (loop
      (block (result exnref)
        (try_table (catch_all_ref 0) (call $spin))
        (unreachable))
      (drop) (br 0)))`,
  "throw and catch": `(tag $e) (func (export "run") (loop
    (block $h (try_table (catch $e $h) (throw $e))) (br 0)))`,
  "rethrow": `(tag $e) (func (export "run") (loop
    (try (do (try $t (do (throw $e)) (catch_all (rethrow $t)))) (catch_all))
    (br 0)))`,
  "delegate": `(tag $e) (func (export "run") (loop
    (try $o (do (try (do (throw $e)) (delegate $o))) (catch_all)) (br 0)))`,
  "start function": `(start 0) (func (loop (br 0))) (func (export "run"))`,
};

async function stopped(text: string, limits: ResourceLimits): Promise<void> {
  const module = await wat(`(module ${text})`);
  const start = performance.now();
  const error = await assertRejects(async () => {
    await using sandbox = await Sandbox.create({ module, limits });
    const takes = sandbox.exports[0]?.signature?.params.length ?? 0;
    await sandbox.call("run", takes === 1 ? [64] : []);
  }, SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"), error.message);
  assertEquals(error.details.limit, limits.fuel ? "fuel" : "timeoutMs");
  assert(performance.now() - start < 10_000);
  await hostStands();
}

for (const [name, text] of Object.entries(ENDLESS)) {
  Deno.test(`a deadline stops ${name}`, async () => {
    await stopped(text, { timeoutMs: 50 });
  });
  Deno.test(`fuel stops ${name}`, async () => {
    await stopped(text, { fuel: 5_000_000, timeoutMs: Infinity });
  });
  Deno.test(`a deadline and fuel together stop ${name}`, async () => {
    await stopped(text, { fuel: 1_000_000, timeoutMs: 60_000 });
  });
}

Deno.test("fuel ends at the same count each time", async () => {
  const module = await wat(`(module (memory 1)
    (func $f (param i32) (result i32) (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1)
        (call $f (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
    (func (export "run") (loop
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 6400))
      (drop (call $f (i32.const 9))) (br 0))))`);
  const counts = new Set<number>();
  for (let time = 0; time < 5; time++) {
    await using sandbox = await Sandbox.create({
      module,
      limits: { fuel: 1_000_000 },
    });
    await assertRejects(() => sandbox.call("run"), SandboxError, "fuel");
    counts.add(sandbox.usage().limits.fuel?.used ?? -1);
  }
  assertEquals(counts.size, 1);
});

Deno.test("a trap after much work does not hide it from the fuel", async () => {
  const module = await wat(`(module (memory 1)
    (func (export "div") (local i32) (loop (br_if 0 (i32.lt_u
      (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 100000))))
      (drop (i32.div_u (i32.const 1) (i32.const 0))))
    (func (export "abort") (local i32) (loop (br_if 0 (i32.lt_u
      (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000))))
      (unreachable)))`);
  const limits = { fuel: 10_000_000 };
  await using sandbox = await Sandbox.create({ module, limits });
  await assertRejects(() => sandbox.call("div"), SandboxError, "divide");
  assertEquals(sandbox.usage().limits.fuel?.used, 10_000_000);
  await using other = await Sandbox.create({ module, limits });
  await assertRejects(() => other.call("abort"), SandboxError, "unreachable");
  // entry 1, and seven instructions that cost in each of 1000 turns
  assertEquals(other.usage().limits.fuel?.used, 1 + 7 * 1000);
});

Deno.test("endless recursion exhausts the stack and nothing else", async () => {
  const module = await wat(`(module (func $f (export "run") (call $f))
    (func (export "caught") (try (do (call $f)) (catch_all))))`);
  for (const name of ["run", "caught"]) {
    await using sandbox = await Sandbox.create({ module });
    const error = await assertRejects(() => sandbox.call(name), SandboxError);
    assert(SandboxError.is(error, "limit-exceeded"));
    assertEquals(error.details.limit, "stack");
  }
  await hostStands();
});

Deno.test("recursion through a host function ends in a limit", async () => {
  const module = await wat(`(module (import "env" "call" (func $c))
    (func (export "run") (try (do (call $c)) (catch_all (call $c)))))`);
  const again = (): void => {
    sandbox.callSync("run");
  };
  await using sandbox: Sandbox = await Sandbox.create({
    module,
    imports: { env: { call: again } },
  });
  const error = await assertRejects(() => sandbox.call("run"), SandboxError);
  assert(SandboxError.is(error, "host-function-failed"));
  assert(SandboxError.is(error.cause, "instance-busy"));
});

Deno.test("a host function may dispose its own sandbox, which stays so", async () => {
  const module = await wat(`(module (import "env" "end" (func $e))
    (func (export "run") (result i32) (call $e) (i32.const 7)))`);
  const end = (): void => {
    sandbox[Symbol.asyncDispose]();
  };
  await using sandbox: Sandbox = await Sandbox.create({
    module,
    imports: { env: { end } },
  });
  assertEquals(sandbox.callSync("run"), 7);
  assertThrows(() => sandbox.callSync("run"), SandboxError, "disposed");
});

Deno.test("what a host function throws cannot be caught by the guest", async () => {
  const handlers = [
    `(try (result i32) (do (call $f)) (catch_all (i32.const 7)))`,
    `(block (try_table (catch_all 0) (return (call $f)))) (i32.const 7)`,
  ];
  const modules = await Promise.all(
    handlers.map((body) =>
      wat(`(module (import "env" "f" (func $f (result i32)))
      (func (export "run") (result i32) ${body}))`)
    ),
  );
  const results: (() => unknown)[] = [
    () => {
      throw new Error("no\u001b[31m");
    },
    () => "text",
    () => 5n,
    () => Promise.resolve(5),
    () => ({ valueOf: () => 5 }),
    () => {
      // deno-lint-ignore no-throw-literal -- what a careless host does
      throw undefined;
    },
  ];
  for (const f of results) {
    for (const module of modules) {
      const imports = { env: { f: f as () => number } };
      await using sandbox = await Sandbox.create({ module, imports });
      const error = await assertRejects(
        () => sandbox.call("run"),
        SandboxError,
      );
      assert(SandboxError.is(error, "host-function-failed"), error.message);
      assertEquals(error.details.import, { module: "env", name: "f" });
      assert(!error.message.includes("\u001b"));
    }
  }
});

Deno.test("a host function that blocks does not outlast the deadline unseen", async () => {
  const module = await wat(`(module (import "env" "wait" (func $w))
    (func (export "once") (call $w)))`);
  const wait = () => {
    const end = performance.now() + 60;
    while (performance.now() < end);
  };
  await using sandbox = await Sandbox.create({
    module,
    imports: { env: { wait } },
    limits: { timeoutMs: 20 },
  });
  await assertRejects(() => sandbox.call("once"), SandboxError, "timeoutMs");
});

Deno.test("host functions are not called after the deadline or without fuel", async () => {
  const row = "(call $f)".repeat(400);
  const module = await wat(`(module (import "env" "f" (func $f))
    (func (export "run") ${row}))`);
  let calls = 0;
  const f = () => {
    calls++;
    const end = performance.now() + 2;
    while (performance.now() < end);
  };
  const cases: [ResourceLimits, most: number][] = [
    [{ timeoutMs: 20 }, 200],
    [{ fuel: 5 }, 0],
  ];
  for (const [limits, most] of cases) {
    calls = 0;
    const imports = { env: { f } };
    await using sandbox = await Sandbox.create({ module, imports, limits });
    const error = await assertRejects(() => sandbox.call("run"), SandboxError);
    assert(SandboxError.is(error, "limit-exceeded"));
    assert(calls <= most, `${calls} calls`);
  }
});

Deno.test("a row of calls is checked, however the checks are skipped", async () => {
  // each costs some microseconds: a walk over four pages of memory
  const leaf = `(func $leaf (local i32) (local i32) (loop
    (local.set 1 (i32.add (local.get 1) (i32.load (local.get 0))))
    (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 4096)))
      (i32.const 65536)))))`;
  const brief = "(drop (f64.sqrt (f64.const 2)))".repeat(8);
  const rows: Record<string, string> = {
    "straight": "(call $brief)".repeat(60_000),
    "in dead code": `${"(call $brief)".repeat(1000)}
      (block (br 0) ${"(call $brief)".repeat(24)})`.repeat(60),
    "in branches not taken": `${"(call $brief)".repeat(1000)}
      (if (i32.const 0) (then ${"(call $brief)".repeat(24)}))`.repeat(60),
  };
  for (const [name, row] of Object.entries(rows)) {
    const module = await wat(`(module (memory 1) ${leaf}
      (func $brief ${brief}) (func (export "run") ${row}))`);
    await using sandbox = await Sandbox.create({
      module,
      limits: { fuel: 10, functionBytes: 2 ** 20 },
    });
    await assertRejects(() => sandbox.call("run"), SandboxError, "fuel");
    const used = sandbox.usage().limits.fuel?.used ?? 0;
    // 1,024 calls, and the straight line that is charged at once
    assert(used < 150_000, `${name}: ${used}`);
  }
});

Deno.test("the deadline of an outer call stops the inner one too", async () => {
  const inner = await wat(`(module (func (export "run") (loop (br 0))))`);
  const outer = await wat(`(module (import "env" "inner" (func $i))
    (func (export "run") (loop (call $i) (br 0))))`);
  await using guest = await Sandbox.create({
    module: inner,
    limits: { timeoutMs: 60_000 },
  });
  const seen: SandboxErrorCode[] = [];
  const call = () => {
    try {
      guest.callSync("run");
    } catch (error) {
      if (SandboxError.is(error)) seen.push(error.code);
    }
  };
  await using host = await Sandbox.create({
    module: outer,
    imports: { env: { inner: call } },
    limits: { timeoutMs: 50 },
  });
  const error = await assertRejects(() => host.call("run"), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"), error.message);
  assertEquals(seen[0], "limit-exceeded");
  await hostStands();
});

Deno.test("a guest cannot lie about the memory of its messages", async () => {
  const lies: Record<string, string> = {
    "alloc near 4 GiB": "(i32.const -16) | (i64.const 0)",
    "alloc past the end": "(i32.const 65530) | (i64.const 0)",
    "alloc gives null": "(i32.const 0) | (i64.const 0)",
    "reply past the end": "(i32.const 8) | (i64.const 0x0000ffff00000002)",
    "reply near 4 GiB": "(i32.const 8) | (i64.const -1)",
    "reply of 512 MiB": "(i32.const 8) | (i64.const 0x20000000)",
    "reply that is no JSON": "(i32.const 8) | (i64.const 0x0000000800000001)",
  };
  for (const [name, lie] of Object.entries(lies)) {
    const [pointer, reply] = lie.split(" | ");
    const module = await wat(`(module (memory (export "memory") 1)
      (data (i32.const 8) "\\ff\\ff")
      (func (export "wasm_sandbox_alloc") (param i32) (result i32) ${pointer})
      (func (export "run") (param i32 i32) (result i64) ${reply}))`);
    await using sandbox = await Sandbox.create({ module });
    const error = await assertRejects(
      () => sandbox.call("run", { x: 1 }),
      SandboxError,
    );
    assertEquals(error.code, "guest-protocol", name);
  }
  await hostStands();
});

Deno.test("exports named like members of objects are only names", async () => {
  const names = ["then", "toJSON", "__proto__", "constructor", "valueOf", ""];
  const module = await wat(`(module
    (table (export "stolen") 2 externref)
    ${
    names.map((name, index) =>
      `(func (export "${name}") (result i32) (i32.const ${index}))`
    ).join(" ")
  })`);
  await using sandbox = await Sandbox.create({ module });
  for (const [index, name] of names.entries()) {
    assertEquals(await sandbox.call(name), index);
  }
});

Deno.test("a guest's long names do not swell an error's stack", async () => {
  const name = "n".repeat(100_000);
  const module = await wat(`(module
    (func $${name} (export "run") (unreachable)))`);
  await using sandbox = await Sandbox.create({ module });
  const error = await assertRejects(() => sandbox.call("run"), SandboxError);
  assert(Deno.inspect(error).length < 5_000);
});

Deno.test("a guest's names cannot forge a line of an error's stack", async () => {
  const module = await wat(`(module
    (func $evil (export "run") (unreachable)))`);
  const forged = new TextDecoder("latin1").decode(module)
    .replace("evil", "\n\u001b[3");
  const bytes = Uint8Array.from(forged, (char) => char.charCodeAt(0));
  await using sandbox = await Sandbox.create({ module: bytes });
  const error = await assertRejects(() => sandbox.call("run"), SandboxError);
  const stack = error.cause instanceof Error ? error.cause.stack ?? "" : "";
  assert(stack.includes("??[3"), stack);
  assert(!stack.includes("\u001b"));
});

Deno.test("a host function may throw anything, and it is told as its failure", async () => {
  const odd: unknown[] = [
    undefined,
    null,
    Object.create(null),
    Symbol("odd"),
    {
      toString: () => {
        throw new Error("again");
      },
    },
    Object.defineProperty(new Error(), "message", {
      get: () => {
        throw new Error("again");
      },
    }),
    Object.assign(new RangeError(), { message: Symbol("odd") }),
  ];
  const module = await wat(`(module (import "h" "f" (func $f))
    (func (export "run") (call $f)))`);
  for (const thrown of odd) {
    await using sandbox = await Sandbox.create({
      module,
      imports: {
        h: {
          f: () => {
            throw thrown;
          },
        },
      },
    });
    const error = await assertRejects(() => sandbox.call("run"));
    assert(SandboxError.is(error, "host-function-failed"), String(error));
  }
});

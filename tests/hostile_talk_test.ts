/** Guests that talk where they should not, and hosts that let calls overlap. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Capabilities,
  Sandbox,
  SandboxError,
  type SandboxOptions,
} from "../mod.ts";
import { wat } from "./wasm.ts";

const MODULE = await wat(`(module
  (import "wasm_sandbox" "call"
    (func $call (param i32 i32 i32 i32) (result i64)))
  (import "wasm_sandbox" "read" (func $read (param i32 i32) (result i32)))
  (import "wasm_sandbox" "write" (func $write (param i32 i32) (result i32)))
  (import "wasm_sandbox" "fail" (func $fail (param i32 i32)))
  (memory (export "memory") 4)
  (data (i32.const 0) "slow")
  (data (i32.const 16) "null")
  (func (export "slow") (result i64)
    (call $call (i32.const 0) (i32.const 4) (i32.const 16) (i32.const 4)))
  (func (export "chain") (loop
    (drop (call $call (i32.const 0) (i32.const 4) (i32.const 16) (i32.const 4)))
    (br 0)))
  (func (export "write") (result i32)
    (call $write (i32.const 16) (i32.const 4)))
  (func (export "drain") (local $n i32) (loop
    (br_if 0 (i32.gt_s
      (call $read (i32.const 1024) (i32.const 65536)) (i32.const 0)))))
  (func (export "fail") (result i32)
    (call $fail (i32.const 16) (i32.const 4)) (i32.const 1))
  (func (export "ok") (result i32) (i32.const 7)))`);

type Isolation = "inline" | "process";

function create(
  isolation: Isolation,
  options: Partial<SandboxOptions> = {},
): Promise<Sandbox> {
  return Sandbox.create({
    module: MODULE,
    isolation,
    limits: { timeoutMs: 5_000 },
    hostFunctions: { slow: () => pause(30) },
    ...options,
  });
}

function pause(ms: number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(ms), ms));
}

/** Streams that note how they end. */
class Ends {
  readonly log: string[] = [];
  readonly source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(3)),
    cancel: (reason) => void this.log.push(`cancelled ${nameOf(reason)}`),
  }, { highWaterMark: 0 });
  readonly sink = new WritableStream<Uint8Array>({
    write: ({ length }) => void this.log.push(`wrote ${length}`),
    close: () => void this.log.push("closed"),
    abort: (reason) => void this.log.push(`aborted ${nameOf(reason)}`),
  });
}

function nameOf(reason: unknown): unknown {
  return SandboxError.is(reason) ? reason.code : (reason as Error)?.name;
}

/** A sink that never takes what it is given. */
function stuck(): WritableStream<Uint8Array> {
  return new WritableStream({ write: () => new Promise(() => {}) });
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return nameOf(await assertRejects(() => promise));
}

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`Sandbox.call keeps calls that overlap apart, ${isolation}`, async () => {
    await using sandbox = await create(isolation);
    const [first, second] = [new Ends(), new Ends()];
    const calls = [
      sandbox.call("write", [], { sink: first.sink }),
      sandbox.call("write", [], { sink: second.sink }),
      sandbox.call("fail"),
    ] as const;
    const busy = [codeOf(calls[1]), codeOf(calls[2])];
    // the first has only its own stream, and nobody else's failure
    assertEquals(await calls[0], 4);
    assertEquals(await Promise.all(busy), ["instance-busy", "instance-busy"]);
    assertEquals(first.log, ["wrote 4", "closed"]);
    assertEquals(second.log, ["aborted instance-busy"]);
    assertEquals(await codeOf(sandbox.call("fail")), "guest-error");
    assertEquals(await sandbox.call("ok"), 7);
  });

  Deno.test(`Sandbox.call lets go of the streams of calls that are refused, ${isolation}`, async () => {
    await using sandbox = await create(isolation);
    const refused = async (name: string, input: unknown, more: object) => {
      const { log, source, sink } = new Ends();
      const call = sandbox.call(name, input, { source, sink, ...more });
      const code = await codeOf(call);
      assertEquals(log.toSorted(), [`aborted ${code}`, `cancelled ${code}`]);
      assertEquals([source.locked, sink.locked], [false, false]);
      return code;
    };
    const waiting = sandbox.call("slow");
    assertEquals(await refused("drain", [], {}), "instance-busy");
    await waiting;
    assertEquals(await refused("drain", [], { other: 1 }), "TypeError");
    assertEquals(await refused("drain", 5, {}), "TypeError");
    assertEquals(await refused("nothing", [], {}), "export-not-found");
    await sandbox[Symbol.asyncDispose]();
    assertEquals(await refused("drain", [], {}), "disposed");
  });

  Deno.test(`Sandbox.transform fails at both ends if its call is refused, ${isolation}`, async () => {
    for (const instance of ["reuse", "fresh"] as const) {
      await using sandbox = await create(isolation, { instance });
      const reason = new DOMException("no", "AbortError");
      const { writable, readable, result } = sandbox.transform("drain", [], {
        signal: AbortSignal.abort(reason),
      });
      const writer = writable.getWriter();
      const written = codeOf(writer.write(new Uint8Array(1)));
      const read = codeOf(readable.getReader().read());
      assertEquals(
        await Promise.all([codeOf(result), written, read]),
        Array(3).fill("AbortError"),
      );
    }
  });

  Deno.test(`Sandbox.call waits for its sink no longer than it may, ${isolation}`, async () => {
    await using sandbox = await create(isolation);
    const start = performance.now();
    for (
      const [optionsOf, code] of [
        [() => ({ timeoutMs: 300 }), "limit-exceeded"],
        [() => ({ signal: AbortSignal.timeout(300) }), "TimeoutError"],
      ] as const
    ) {
      const sink = stuck();
      const call = sandbox.call("write", [], { sink, ...optionsOf() });
      assertEquals(await codeOf(call), code);
      assert(!sink.locked);
    }
    assert(performance.now() - start < 2_000);
    // the guest itself had returned
    assertEquals(await sandbox.call("ok"), 7);
    const sink = stuck();
    const ended = codeOf(sandbox.call("write", [], { sink }));
    await pause(100);
    await sandbox[Symbol.asyncDispose]();
    assertEquals(await ended, "disposed");
    assert(performance.now() - start < 3_000);
    assert(!sink.locked);
  });

  Deno.test(`Sandbox.call ends in time whatever is always ready, ${isolation}`, async () => {
    await using sandbox = await create(isolation, {
      hostFunctions: { slow: () => Promise.resolve(1) },
      instance: "fresh",
    });
    const empty = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array()),
      });
    const start = performance.now();
    for (
      const [name, streams] of [
        ["chain", {}],
        ["drain", { source: empty() }],
        ["drain", { source: new Ends().source }],
      ] as const
    ) {
      const call = sandbox.call(name, [], { timeoutMs: 200, ...streams });
      assertEquals(await codeOf(call), "limit-exceeded");
    }
    assert(performance.now() - start < 4_000);
  });
}

Deno.test("Sandbox.callSync is refused while a call is not over", async () => {
  await using sandbox = await create("inline");
  const call = sandbox.call("ok");
  assertThrows(() => sandbox.callSync("fail"), SandboxError, "one call");
  assertEquals(await call, 7);
  assertEquals(sandbox.callSync("ok"), 7);
});

Deno.test("Sandbox.create refuses linked modules whose name is taken, and no other", async () => {
  const library = await wat(
    `(module (func (export "f") (result i32) (i32.const 5)))`,
  );
  for (const isolation of ["inline", "process"] as const) {
    const call = async (name: string) => {
      const module = await wat(`(module
        (import "${name}" "f" (func $f (result i32)))
        (func (export "go") (result i32) (call $f)))`);
      await using sandbox = await Sandbox.create({
        module,
        isolation,
        linked: Object.fromEntries([[name, library]]),
      });
      return await sandbox.call("go");
    };
    for (const name of ["main", "wasm_sandbox", "wasi_snapshot_preview1"]) {
      await assertRejects(() => call(name), TypeError, "which is taken");
    }
    assertEquals(await call("__proto__"), 5);
    assertEquals(await call("constructor"), 5);
  }
});

Deno.test("linked modules do not replace a function of the host that is denied", async () => {
  const module = await wat(`(module
    (import "env" "f" (func $f (result i32)))
    (func (export "go") (result i32) (call $f)))`);
  const library = await wat(
    `(module (func (export "f") (result i32) (i32.const 5)))`,
  );
  for (const isolation of ["inline", "process"] as const) {
    await using sandbox = await Sandbox.create({
      module,
      isolation,
      linked: { env: library },
      imports: { env: { f: () => 9 } },
      policy: [Capabilities.hostFunctions(["env.g"])],
    });
    assertEquals(await codeOf(sandbox.call("go")), "access-denied");
  }
});

Deno.test("a guest that waits for a guest that spins is ended with its own deadline", async () => {
  await using inner = await create("inline", { instance: "fresh" });
  await using outer = await create("inline", {
    limits: { timeoutMs: 100 },
    hostFunctions: {
      slow: () => inner.call("drain", [], { source: new Ends().source }),
    },
  });
  const start = performance.now();
  assertEquals(await codeOf(outer.call("chain")), "limit-exceeded");
  assert(performance.now() - start < 1_000);
});

Deno.test("Sandbox.enforcement says that stacks of guests that wait are not counted", async () => {
  await using sandbox = await create("inline");
  const { unprotected } = sandbox.enforcement();
  assert(unprotected.some((text) => text.startsWith("memory of stacks: ")));
});

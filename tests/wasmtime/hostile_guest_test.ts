import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Sandbox, SandboxError } from "../../mod.ts";
import type { Instance } from "../../runtime/types.ts";
import { WasmtimeRuntime } from "../../runtime/wasmtime/mod.ts";
import { wasmtimeTest } from "../_wasmtime.ts";
import { build, bytes, leb, name, wat } from "../wasm.ts";

const INLINE = { runtime: "wasmtime", isolation: "inline" } as const;

/** A thousand units of fuel in a function that then throws. */
const THROWS = await wat(`(module (tag $t)
  (func $burn (local $i i32)
    (loop $on (br_if $on (i32.lt_u
      (local.tee $i (i32.add (local.get $i) (i32.const 1)))
      (i32.const 1000))))
    (throw $t))
  (func (export "f") (param i32)
    (loop $on
      (block $caught (try_table (catch $t $caught) (call $burn)))
      (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`);

/** The same in a function that is called by reference. */
const BY_REFERENCE = build({
  types: [bytes("60 00 00"), bytes("60 01 7f 00")],
  functions: [0, 1],
  exports: [[...name("f"), 0, 1]],
  elements: [bytes("03 00 01 00")],
  bodies: [
    bytes("14 01 01 7f 03 40 20 00 41 01 6a 22 00 41 e8 07 49 0d 00 0b 0b"),
    bytes("12 00 03 40 d2 00 14 00 20 00 41 01 6b 22 00 0d 00 0b 0b"),
  ],
});

wasmtimeTest(
  "Wasmtime refuses fuel that a guest could get back",
  async (_, t) => {
    const cases = {
      exceptions: THROWS,
      functionReferences: BY_REFERENCE,
    } as const;
    for (const [feature, module] of Object.entries(cases)) {
      const options = { ...INLINE, module, features: { [feature]: true } };
      await t.step(`${feature} with fuel are refused`, async () => {
        for (const timeoutMs of [1000, Infinity]) {
          const limits = { fuel: 1_000_000, timeoutMs };
          const error = await assertRejects(() =>
            Sandbox.create({ ...options, limits })
          );
          assert(SandboxError.is(error, "unsupported"), String(error));
        }
      });
      await t.step(`${feature} without fuel end at the deadline`, async () => {
        const limits = { timeoutMs: 100 };
        await using sandbox = await Sandbox.create({ ...options, limits });
        await sandbox.call("f", [3]);
        const error = await assertRejects(() => sandbox.call("f", [-1]));
        assert(SandboxError.is(error, "limit-exceeded"), String(error));
        assertEquals(error.details.limit, "timeoutMs");
      });
    }
  },
);

const ASKS = await wat(`(module
  (import "host" "ask" (func $ask (result i32)))
  (memory (export "memory") 1)
  (func (export "many") (param $n i32) (result i32) (local $sum i32)
    (loop $on
      (local.set $sum (i32.add (local.get $sum) (call $ask)))
      (br_if $on (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func $deep (export "deep") (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add
        (call $deep (i32.sub (local.get $n) (i32.const 1)))
        (call $ask)))
      (else (i32.const 0)))))`);

wasmtimeTest(
  "Wasmtime lets go of an instance that a host function disposes",
  async (_library, t) => {
    await t.step("of its sandbox", async () => {
      const ask = () => (void sandbox[Symbol.asyncDispose](), 1);
      const sandbox = await Sandbox.create({
        ...INLINE,
        module: ASKS,
        imports: { host: { ask } },
      });
      await sandbox.call("many", [3]).catch(() => {});
      await assertRejects(() => sandbox.call("many", [3]));
    });
    await t.step("of its runtime, also at the start", async () => {
      const starts = await wat(`(module (import "host" "ask" (func $ask))
        (memory (export "memory") 1) (func $f (call $ask) (call $ask)
          (i32.store (i32.const 0) (i32.const 7)))
        (start $f) (func (export "f") (call $f)))`);
      const runtime = await WasmtimeRuntime.open();
      const views: Uint8Array[] = [];
      const module = await runtime.compile(starts);
      await runtime.instantiate(module, {
        hostModules: [{
          name: "host",
          signatures: { ask: { params: [], results: [] } },
          link: (guest) => ({
            ask: () => {
              views.push(guest.memory());
              void runtime[Symbol.asyncDispose]();
            },
          }),
        }],
      }).catch(() => {});
      await runtime[Symbol.asyncDispose]();
      assert(views.length > 0);
      // nothing is left to read where the memory was
      for (const view of views) assertEquals(view.byteLength, 0);
    });
  },
);

wasmtimeTest(
  "Wasmtime counts each call of the host, however short the stack is",
  async () => {
    let calls = 0;
    await using runtime = await WasmtimeRuntime.open();
    const module = await runtime.compile(ASKS);
    const imports = { host: { ask: () => (calls++, 1) } };
    const outcomes = new Set<string>();
    /** Calls a guest at the end of the stack, and on the way back from it. */
    const descend = async (instances: number) => {
      const guests: Instance[] = [];
      for (let index = 0; index < instances; index++) {
        guests.push(await runtime.instantiate(module, { imports }));
      }
      const attempt = () => {
        const guest = guests.pop();
        if (guest === undefined) return;
        calls = 0;
        try {
          assertEquals(guest.callSync("many", [10]), 10);
          assertEquals(calls, 10);
          outcomes.add("called");
        } catch (error) {
          if (error instanceof Error && error.name === "AssertionError") {
            throw error;
          }
          outcomes.add("failed");
        }
      };
      const dive = (): void => {
        try {
          dive();
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
        attempt();
      };
      dive();
    };
    await descend(200);
    assert(outcomes.has("called"));
  },
);

wasmtimeTest("Wasmtime survives guests within guests", async () => {
  await using runtime = await WasmtimeRuntime.open();
  const module = await runtime.compile(ASKS);
  const guests: Instance[] = [];
  let at = 0;
  let deepest = 0;
  const ask = () => {
    const next = guests[++at];
    deepest = Math.max(deepest, at);
    return next === undefined ? 1 : next.callSync("deep", [2000]) as number;
  };
  for (let index = 0; index < 200; index++) {
    guests.push(
      await runtime.instantiate(module, { imports: { host: { ask } } }),
    );
  }
  const error = assertThrows(() => guests[0]?.callSync("deep", [2000]));
  assert(error instanceof Error);
  assert(deepest > 1);
  // and the process goes on
  at = 1000;
  const fresh = await runtime.instantiate(module, {
    imports: { host: { ask } },
  });
  assertEquals(fresh.callSync("many", [5]), 5);
});

wasmtimeTest("Wasmtime takes names of any length and kind", async () => {
  const names = [
    "",
    "\0",
    "a\0b",
    "\u{10ffff}\u{202e}",
    "n".repeat(100_000),
    "__proto__",
    "constructor",
  ];
  const module = build({
    types: [bytes("60 00 01 7f")],
    imports: names.map((each) => [...name(each), ...name(each), 0, 0]),
    functions: [0],
    exports: names.map((each, index) => [...name(each), 0, ...leb(index)]),
    bodies: [bytes("04 00 41 07 0b")],
  });
  const imports = Object.fromEntries(
    names.map((
      each,
      index,
    ) => [each, Object.fromEntries([[each, () => index]])]),
  );
  await using sandbox = await Sandbox.create({ ...INLINE, module, imports });
  for (const [index, each] of names.entries()) {
    assertEquals(await sandbox.call(each, []), index);
  }
  const error = await assertRejects(() =>
    Sandbox.create({ ...INLINE, module })
  );
  assert(SandboxError.is(error, "import-not-granted"), String(error));
});

wasmtimeTest("Wasmtime and V8 each get their own faults", async () => {
  const module = await wat(`(module (memory (export "memory") 1)
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "divide") (param i32) (result i32)
      (i32.div_u (i32.const 7) (local.get 0)))
    (func $deep (export "deep") (param i32) (result i32)
      (i32.add (i32.const 1) (call $deep (local.get 0)))))`);
  for (let round = 0; round < 20; round++) {
    for (const runtime of ["v8", "wasmtime"]) {
      for (
        const [name, arg] of [["load", -1], ["divide", 0], ["deep", 0]] as const
      ) {
        await using sandbox = await Sandbox.create({
          runtime,
          isolation: "inline",
          module,
        });
        assertEquals(await sandbox.call("load", [4]), 0);
        const error = await assertRejects(() => sandbox.call(name, [arg]));
        assert(error instanceof SandboxError);
      }
    }
  }
});

wasmtimeTest("Wasmtime gives back what exceptions take", async () => {
  const module = await wat(`(module (tag $t (param i64 i64 i64 i64))
    (func (export "f") (param i32)
      (loop $on
        (block $caught (try_table (catch_all $caught)
          (throw $t (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1))))
        (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`);
  const round = async () => {
    await using sandbox = await Sandbox.create({
      ...INLINE,
      module,
      features: { exceptions: true },
      limits: { memoryBytes: 2 ** 20, timeoutMs: 10_000 },
    });
    await sandbox.call("f", [1_000_000]);
  };
  await round();
  const before = Deno.memoryUsage().rss;
  for (let count = 0; count < 5; count++) await round();
  assert(Deno.memoryUsage().rss - before < 64 * 2 ** 20);
});

wasmtimeTest(
  "Wasmtime refuses a deadline that one bulk operation could outrun",
  async () => {
    const bulk = await wat(`(module (memory 1 65536)
    (func (export "f") (param i32)
      (memory.fill (i32.const 0) (i32.const 1) (local.get 0))))`);
    const plain = await wat("(module (memory 1 65536))");
    const limits = { memoryBytes: 257 * 2 ** 20, timeoutMs: 1_000 };
    const error = await assertRejects(
      () => Sandbox.create({ ...INLINE, module: bulk, limits }),
      SandboxError,
      "bulk operations",
    );
    assert(SandboxError.is(error, "unsupported"));
    // no such operation, less memory, or no deadline
    await using _plain = await Sandbox.create({
      ...INLINE,
      module: plain,
      limits,
    });
    await using less = await Sandbox.create({
      ...INLINE,
      module: bulk,
      limits: { ...limits, memoryBytes: 256 * 2 ** 20 },
    });
    assertEquals(less.callSync("f", [65_536]), undefined);
    await using _fuel = await Sandbox.create({
      ...INLINE,
      module: bulk,
      limits: { ...limits, timeoutMs: Infinity, fuel: 1_000 },
    });
  },
);

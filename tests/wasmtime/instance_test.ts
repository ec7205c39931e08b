import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type ImportName, SandboxError } from "../../errors.ts";
import { V8Runtime } from "../../runtime/mod.ts";
import type {
  HostModule,
  Instance,
  InstantiateOptions,
  ModuleFeatures,
} from "../../mod.ts";
import type { GuestAccess } from "../../runtime/types.ts";
import { wat } from "../wasm.ts";
import { open, testOnWasmtime } from "./_wasmtime.ts";
import { soakWasmtime } from "./soak.ts";
import { codeOf, make } from "./_instances.ts";

testOnWasmtime(
  "WasmtimeRuntime passes numbers of every type both ways",
  async () => {
    await using runtime = await open();
    const seen: unknown[] = [];
    const imports = {
      h: {
        swap: (a: number, b: bigint, c: number, d: number) => {
          seen.push([a, b, c, d]);
          return [d, c, b, a];
        },
        c32: -1,
        c64: -(2n ** 63n),
        f: 0.1,
        d: -0.1,
      },
    };
    await using instance = await make(
      runtime,
      `(module
    (import "h" "swap" (func $swap (param i32 i64 f32 f64) (result f64 f32 i64 i32)))
    (import "h" "c32" (global $c32 i32))
    (import "h" "c64" (global $c64 i64))
    (import "h" "f" (global $f f32))
    (import "h" "d" (global $d f64))
    (func (export "swap") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
      (call $swap (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
    (func (export "constants") (result i32 i64 f32 f64)
      (global.get $c32) (global.get $c64) (global.get $f) (global.get $d))
    (func (export "v128") (param v128)))`,
      { imports },
    );
    assertEquals(
      await instance.call("swap", [2 ** 32 - 1, 2n ** 64n - 1n, 0.5, 1e300]),
      [1e300, 0.5, -1n, -1],
    );
    assertEquals(seen, [[-1, -1n, 0.5, 1e300]]);
    assertEquals(await instance.call("constants", []), [
      -1,
      -(2n ** 63n),
      Math.fround(0.1),
      -0.1,
    ]);
    assertThrows(() => instance.callSync("v128", [1]), TypeError, "vector");
    assertThrows(
      () => instance.callSync("swap", [1]),
      TypeError,
      "4 arguments",
    );
  },
);

const TRAPS: Readonly<Record<string, string>> = {
  "unreachable": "(unreachable)",
  "zero": "(drop (i32.div_u (i32.const 1) (global.get $zero)))",
  "overflow": "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
  "conversion": "(drop (i32.trunc_f32_s (f32.const nan)))",
  "memory": "(drop (i32.load (i32.const 65533)))",
  "far memory": "(drop (i64.load offset=0xffffffff (i32.const -1)))",
  "fill": "(memory.fill (i32.const 1) (i32.const 0) (i32.const 65536))",
  "null": "(call_indirect (type $t) (i32.const 0))",
  "table": "(call_indirect (type $t) (i32.const 9))",
  "type": "(call_indirect (type $u) (i32.const 1) (i32.const 1))",
};

testOnWasmtime("WasmtimeRuntime tells traps as V8 does", async (t) => {
  await using runtime = await open();
  await using v8 = new V8Runtime();
  for (const [name, body] of Object.entries(TRAPS)) {
    await t.step(name, async () => {
      const text = `(module (type $t (func)) (type $u (func (param i32)))
        (memory 1 1) (table 2 2 funcref) (global $zero (mut i32) (i32.const 0))
        (func $f) (elem (i32.const 1) $f)
        (func (export "run") ${body}) (func (export "again")))`;
      const messages: string[] = [];
      for (const each of [runtime, v8]) {
        await using instance = await make(each, text);
        const error = await assertRejects(() => instance.call("run", []));
        assertEquals(codeOf(error), "trap");
        messages.push(error instanceof Error ? error.message : "");
        const dead = await assertRejects(() => instance.call("again", []));
        assertEquals(codeOf(dead), "instance-dead");
        assertEquals(instance.usage().memoryBytes, 65_536);
      }
      assertEquals(messages[0], messages[1]);
    });
  }
});

testOnWasmtime(
  "WasmtimeRuntime ends endless recursion, with and without the host on its way",
  async () => {
    await using runtime = await open();
    const text = `(module (import "h" "f" (func $f (param i32) (result i32)))
    (func $plain (export "plain") (param i32) (result i32)
      (i32.add (i32.const 1) (call $plain (local.get 0))))
    (func $deep (export "deep") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (call $f (i32.const 1))
          (call $deep (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 0)))))`;
    const imports = { h: { f: (n: number) => n } };
    for (const [name, arg] of [["plain", 0], ["deep", 10 ** 6]] as const) {
      await using instance = await make(runtime, text, { imports });
      const error = await assertRejects(() => instance.call(name, [arg]));
      assert(SandboxError.is(error, "limit-exceeded"), String(error));
      assertEquals(error.details.limit, "stack");
    }
    await using instance = await make(runtime, text, { imports });
    assertEquals(await instance.call("deep", [500]), 500);
  },
);

testOnWasmtime(
  "WasmtimeRuntime refuses guests within guests before the stack ends",
  async () => {
    await using runtime = await open();
    const text = `(module (import "h" "f" (func $f (param i32) (result i32)))
    (func (export "run") (param i32) (result i32)
      (i32.add (i32.const 1) (call $f (local.get 0)))))`;
    const module = await runtime.compile(await wat(text));
    const guests: Instance[] = [];
    let deepest = 0;
    const f = (depth: number): number => {
      deepest = Math.max(deepest, depth);
      const next = guests[depth + 1];
      return next === undefined
        ? 0
        : next.callSync("run", [depth + 1]) as number;
    };
    for (let index = 0; index < 3000; index++) {
      guests.push(await runtime.instantiate(module, { imports: { h: { f } } }));
    }
    const error = assertThrows(() => guests[0]?.callSync("run", [0]));
    assert(error instanceof Error);
    assert(deepest > 20, String(deepest));
    // those that were not reached are well, and so is the host
    const last = guests.at(-1);
    assertEquals(last?.callSync("run", [guests.length - 1]), 1);
  },
);

testOnWasmtime(
  "WasmtimeRuntime contains host functions that fail",
  async (t) => {
    await using runtime = await open();
    const text = `(module (import "h" "f" (func $f (result i32)))
    (func (export "run") (result i32) (call $f)))`;
    const recurse = (): number => recurse() + 1;
    const cases: Readonly<Record<string, [() => unknown, string]>> = {
      "throws": [() => {
        throw new Error("no");
      }, "host-function-failed"],
      "gives a text": [() => "1", "host-function-failed"],
      "gives nothing": [() => undefined, "host-function-failed"],
      "gives a promise": [() => Promise.resolve(1), "host-function-failed"],
      "overflows the stack": [recurse, "limit-exceeded"],
    };
    for (const [name, [f, code]] of Object.entries(cases)) {
      await t.step(name, async () => {
        const imports = { h: { f: f as () => number } };
        await using instance = await make(runtime, text, { imports });
        const error = await assertRejects(() => instance.call("run", []));
        assertEquals(codeOf(error), code, String(error));
      });
    }
  },
);

testOnWasmtime(
  "WasmtimeRuntime has host functions end guests that catch all",
  async () => {
    await using runtime = await open();
    const text = `(module (import "h" "f" (func $f))
    (tag $t (param i32))
    (func (export "run") (result i32)
      (block $caught (try_table (catch_all $caught) (call $f)))
      (i32.const 1))
    (func (export "throw") (throw $t (i32.const 1))))`;
    const f = () => {
      throw new Error("no");
    };
    const bytes = await wat(text).catch(() => undefined);
    if (bytes === undefined) return;
    const module = await runtime.compile(bytes);
    await using instance = await runtime.instantiate(module, {
      imports: { h: { f } },
    });
    const error = await assertRejects(() => instance.call("run", []));
    assertEquals(codeOf(error), "host-function-failed");
    await using other = await runtime.instantiate(module, {
      imports: { h: { f } },
    });
    const thrown = await assertRejects(() => other.call("throw", []));
    assert(SandboxError.is(thrown, "trap"));
    assertEquals(thrown.details.kind, "exception");
  },
);

/** A module of the host's that looks at memory, and keeps what it saw. */
function looker(name = "look"): {
  readonly module: HostModule;
  readonly views: Uint8Array[];
  guest(): GuestAccess;
} {
  const views: Uint8Array[] = [];
  let access: GuestAccess | undefined;
  const module: HostModule = {
    name,
    signatures: { look: { params: [], results: [] } },
    link(guest) {
      access = guest;
      return { look: () => void views.push(guest.memory()) };
    },
  };
  return {
    module,
    views,
    guest() {
      assert(access !== undefined);
      return access;
    },
  };
}

testOnWasmtime(
  "WasmtimeRuntime takes views away that are not right any more",
  async () => {
    await using runtime = await open();
    const { module, views, guest } = looker();
    await using instance = await make(
      runtime,
      `(module (import "look" "look" (func $look))
      (memory (export "memory") 1) (data (i32.const 5) "\\07")
      (func $start (call $look)) (start $start)
      (func (export "look") (call $look))
      (func (export "grow") (result i32) (memory.grow (i32.const 1))))`,
      { hostModules: [module] },
    );
    assertEquals(views.length, 1);
    assertEquals(views[0]?.[5], 7);
    await instance.call("look", []);
    assertEquals(views[1], views[0]);
    await instance.call("grow", []);
    await instance.call("look", []);
    assertEquals(views[0]?.length, 0);
    assertEquals(views[2]?.length, 2 * 65_536);
    await instance[Symbol.asyncDispose]();
    for (const view of views) assertEquals(view.length, 0);
    assertEquals(guest().memory().length, 0);
    await instance[Symbol.asyncDispose]();
  },
);

testOnWasmtime(
  "WasmtimeRuntime lets go of an instance that its own host function disposes",
  async () => {
    await using runtime = await open();
    const text =
      `(module (import "h" "f" (func $f)) (memory (export "memory") 1)
    (func (export "run") (result i32)
      (call $f) (i32.store (i32.const 0) (i32.const 5)) (i32.load (i32.const 0))))`;
    const made: Instance[] = [];
    const f = () => void made[0]?.[Symbol.asyncDispose]();
    const instance = await make(runtime, text, { imports: { h: { f } } });
    made.push(instance);
    assertEquals(await instance.call("run", []), 5);
    const error = await assertRejects(() => instance.call("run", []));
    assertEquals(codeOf(error), "disposed");
  },
);

testOnWasmtime(
  "WasmtimeRuntime answers no guest that lies about its messages",
  async () => {
    await using runtime = await open();
    const guest = (alloc: string, handle: string) =>
      `(module (memory (export "memory") 1)
      (func (export "wasm_sandbox_alloc") (param i32) (result i32) ${alloc})
      (func (export "run") (param i32 i32) (result i64) ${handle}))`;
    const echo =
      `(i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
    (i64.extend_i32_u (local.get 1)))`;
    const lies: readonly [string, string][] = [
      ["(i32.const 65535)", echo],
      ["(i32.const -1)", echo],
      ["(i32.const 0)", echo],
      ["(i32.const 8)", "(i64.const -1)"],
      ["(i32.const 8)", "(i64.const 0x0000fff800000020)"],
      ["(i32.const 8)", "(i64.const 0xfffffff000000020)"],
    ];
    for (const [alloc, handle] of lies) {
      await using instance = await make(runtime, guest(alloc, handle));
      const error = await assertRejects(() =>
        instance.exchange("run", "hello")
      );
      const code = codeOf(error);
      assert(["guest-protocol", "limit-exceeded"].includes(code), code);
    }
    await using honest = await make(runtime, guest("(i32.const 8)", echo));
    assertEquals(await honest.exchange("run", "hellö"), "hellö");
  },
);

testOnWasmtime(
  "WasmtimeRuntime refuses what nobody grants, and what does not fit",
  async () => {
    await using runtime = await open();
    const missing = async (text: string, options: InstantiateOptions) => {
      const error = await assertRejects(() => make(runtime, text, options));
      assert(SandboxError.is(error, "import-not-granted"), String(error));
      return error.details.missing as readonly ImportName[];
    };
    const f = `(module (import "h" "f" (func)))`;
    assertEquals((await missing(f, {})).length, 1);
    assertEquals((await missing(f, { imports: { h: { f: 1 } } })).length, 1);
    const g = `(module (import "h" "g" (global i64)))`;
    await missing(g, { imports: { h: { g: 1 } } });
    await missing(`(module (import "h" "g" (global (mut i32))))`, {
      imports: { h: { g: 1 } },
    });
    await missing(`(module (import "h" "m" (memory 1)))`, {});
  },
);

testOnWasmtime(
  "WasmtimeRuntime runs each proposal that it claims, and refuses the others",
  async (t) => {
    await using runtime = await open();
    const modules: Readonly<Record<string, string>> = {
      bulkMemory: `(module (memory 1) (func (export "run") (result i32)
      (memory.fill (i32.const 0) (i32.const 42) (i32.const 9))
      (i32.load8_u (i32.const 8))))`,
      memory64: `(module (memory i64 1) (func (export "run") (result i32)
      (i32.store (i64.const 8) (i32.const 42)) (i32.load (i64.const 8))))`,
      multiMemory:
        `(module (memory 1) (memory 1) (func (export "run") (result i32)
      (i32.store 1 (i32.const 8) (i32.const 42)) (i32.load 1 (i32.const 8))))`,
      referenceTypes:
        `(module (table 3 externref) (func (export "run") (result i32)
      (i32.add (table.size 0) (i32.const 39))))`,
      relaxedSimd: `(module (func (export "run") (result i32)
      (i32x4.extract_lane 0 (i32x4.relaxed_trunc_f32x4_s
        (v128.const f32x4 42 0 0 0)))))`,
      simd: `(module (func (export "run") (result i32)
      (i32x4.extract_lane 1 (v128.const i32x4 0 42 0 0))))`,
      tailCall: `(module (func $f (result i32) (i32.const 42))
      (func (export "run") (result i32) (return_call $f)))`,
    };
    for (const [name, text] of Object.entries(modules)) {
      await t.step(name, async () => {
        assert(runtime.features.wasm.some((each) => each === name));
        const features = { [name]: true } as ModuleFeatures;
        await using instance = await make(runtime, text, { features });
        assertEquals(await instance.call("run", []), 42);
      });
    }
    await t.step("legacyExceptions", async () => {
      const text = `(module (tag $t)
      (func (export "run") (try (do (throw $t)) (catch_all))))`;
      const error = await assertRejects(() => make(runtime, text));
      assertEquals(codeOf(error), "unsupported");
    });
    await t.step("gc and threads", async () => {
      for (const name of ["gc", "threads"] as const) {
        const features = { [name]: true };
        const error = await assertRejects(() =>
          make(runtime, "(module)", { features })
        );
        assertEquals(codeOf(error), "unsupported");
      }
    });
  },
);

testOnWasmtime("WasmtimeRuntime leaves nothing behind", async () => {
  await soakWasmtime({ calls: 2_000, cycles: 500 });
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DEFAULT_FEATURES,
  featureMask,
  FEATURES,
  type ModuleFeatures,
  type WasmFeature,
} from "../../runtime/v8/features.ts";
import { instrument } from "../../runtime/v8/gate.ts";
import { body, build, type Bytes, funcType, wat } from "../wasm.ts";
import { ALL_FEATURES, BOTH, refusal } from "./_gate.ts";

const I32 = 0x7f;
const FUNC_REF = 0x70;

/** A function of the given code, stack-polymorphic, and of a type 0. */
function code(instructions: Bytes, type: Bytes = funcType()) {
  return build({
    types: [type, funcType()],
    functions: [1],
    bodies: [body([0x00, instructions, 0x00])],
  });
}

/** Modules that use one feature each, by declaration or by instruction. */
const USES: Readonly<
  Record<WasmFeature, Readonly<Record<string, Uint8Array<ArrayBuffer>>>>
> = {
  bulkMemory: {
    "memory.copy": await wat(`(module (memory 1) (func
      (memory.copy (i32.const 0) (i32.const 0) (i32.const 0))))`),
    "a passive data segment": await wat(`(module (memory 1) (data "a"))`),
    "a passive element segment": await wat(`(module (elem func))`),
    "table.copy": await wat(`(module (table 1 funcref) (func
      (table.copy (i32.const 0) (i32.const 0) (i32.const 0))))`),
  },
  exceptions: {
    "a tag": await wat(`(module (tag (param i32)))`),
    "an imported tag": await wat(`(module (import "m" "t" (tag)))`),
    "try_table": await wat(`(module (func (try_table)))`),
    "throw_ref": code(0x0a),
    "a parameter that is an exception": build({ types: [funcType([0x69])] }),
    "a local that is an exception": build({
      types: [funcType()],
      functions: [0],
      bodies: [body([], [[1, 0x69]])],
    }),
  },
  functionReferences: {
    "call_ref": code([0x14, 0]),
    "ref.as_non_null": code([0xd4, 0x1a]),
    "br_on_null": code([0xd5, 0]),
    "a typed parameter": build({ types: [funcType([[0x63, FUNC_REF]])] }),
    "a typed local": build({
      types: [funcType()],
      functions: [0],
      bodies: [body([], [[1, [0x63, 0]]])],
    }),
    "a table with an initial value": build({
      tables: [[0x40, 0, FUNC_REF, 0, 1, 0xd0, FUNC_REF, 0x0b]],
    }),
  },
  gc: {
    "a structure": build({ types: [[0x5f, 1, I32, 0]] }),
    "an array": build({ types: [[0x5e, I32, 0]] }),
    "a group of types": build({ types: [[0x4e, 1, funcType()]] }),
    "a type that is not final": build({ types: [[0x50, 0, funcType()]] }),
    "array.new_default": code([0xfb, 7, 0, 0x1a], [0x5e, I32, 1]),
    "ref.i31": code([0xfb, 0x1c, 0x1a]),
    "ref.eq": code([0xd3, 0x1a]),
    "an anyref": build({ types: [funcType([0x6e])] }),
    "a local of eqref": build({
      types: [funcType()],
      functions: [0],
      bodies: [body([], [[1, 0x6d]])],
    }),
    "an exception that holds a reference": build({
      types: [funcType([0x6f])],
      tags: [[0, 0]],
    }),
    "a constant": build({ globals: [[0x6e, 0, 0x41, 0, 0xfb, 0x1c, 0x0b]] }),
  },
  legacyExceptions: {
    "try": await wat(`(module (func (try (do) (catch_all))))`),
    "rethrow": await wat(`(module
      (func (try (do) (catch_all (rethrow 0)))))`),
  },
  memory64: {
    "a memory": await wat(`(module (memory i64 1))`),
    "an imported memory": await wat(`(module (memory (import "m" "m") i64 1))`),
    "a table": await wat(`(module (table i64 1 funcref))`),
  },
  multiMemory: {
    "two memories": await wat(`(module (memory 1) (memory 1))`),
    "an imported memory and another": await wat(`(module
      (memory (import "m" "m") 1) (memory 1))`),
  },
  referenceTypes: {
    "externref": await wat(`(module (func (param externref)))`),
    "two tables": await wat(`(module (table 1 funcref) (table 1 funcref))`),
    "table.get": await wat(`(module (table 1 funcref) (func
      (drop (table.get (i32.const 0)))))`),
    "table.grow": await wat(`(module (table 1 funcref) (func
      (drop (table.grow (ref.null func) (i32.const 0)))))`),
    "a table of externref": await wat(`(module (table 1 externref))`),
    "select with a type": code([0x1c, 1, I32, 0x1a]),
  },
  relaxedSimd: {
    "i8x16.relaxed_swizzle": code([0xfd, 0x80, 2, 0x1a]),
  },
  simd: {
    "v128.const": code([0xfd, 12, new Uint8Array(16), 0x1a]),
    "a parameter": build({ types: [funcType([0x7b])] }),
    "a local": build({
      types: [funcType()],
      functions: [0],
      bodies: [body([], [[1, 0x7b]])],
    }),
    "a global": await wat(`(module (global v128 (v128.const i64x2 0 0)))`),
  },
  tailCall: {
    "return_call": await wat(`(module (func $f (return_call $f)))`),
    "return_call_indirect": await wat(`(module (table 1 funcref)
      (func (return_call_indirect (i32.const 0))))`),
    "return_call_ref": code([0x15, 0]),
  },
  threads: {
    "a shared memory": await wat(`(module (memory 1 1 shared))`),
    "atomic.fence": await wat(`(module (func (atomic.fence)))`),
    "memory.atomic.wait32": await wat(`(module (memory 1 1 shared) (func
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))))`),
  },
};

const NONE: ModuleFeatures = Object.fromEntries(
  FEATURES.map((feature) => [feature, false]),
);
const EXCEPT = (feature: WasmFeature): ModuleFeatures => ({
  ...ALL_FEATURES,
  [feature]: false,
});

for (const [feature, modules] of Object.entries(USES)) {
  const key = feature as WasmFeature;
  for (const [what, module] of Object.entries(modules)) {
    Deno.test(`instrument() refuses ${what} without ${feature}`, () => {
      const features = EXCEPT(key);
      const { details } = refusal(module, "module-refused", { features });
      assertEquals(details.feature, feature);
      assertEquals(details.reason, `feature ${feature}`);
    });

    Deno.test(`instrument() accepts ${what} with ${feature}`, () => {
      const { code, features } = instrument(module, BOTH, {
        features: ALL_FEATURES,
      });
      assert(features.includes(key));
      assert(WebAssembly.validate(code));
      const only = Object.fromEntries(features.map((name) => [name, true]));
      instrument(module, BOTH, { features: { ...NONE, ...only } });
    });
  }
}

Deno.test("instrument() refuses by default what is off by default", () => {
  for (const [feature, modules] of Object.entries(USES)) {
    if (DEFAULT_FEATURES[feature as WasmFeature]) continue;
    for (const module of Object.values(modules)) {
      refusal(module, "module-refused");
    }
  }
});

Deno.test("instrument() needs no feature for WebAssembly 1.0 and its small additions", async () => {
  const module = await wat(`(module (memory 1) (table 1 funcref)
    (global (mut i32) (i32.const 0)) (export "g" (global 0))
    (func (param f64) (result i32 i64)
      (i32.extend8_s (i32.trunc_sat_f64_s (local.get 0))) (i64.const 1)))`);
  const { features } = instrument(module, BOTH, { features: NONE });
  assertEquals(features, []);
});

Deno.test("featureMask() refuses a name that is no feature", () => {
  const wrong = { ["multiMemories"]: true } as ModuleFeatures;
  assertThrows(() => featureMask(wrong), TypeError, "multiMemories");
  const inherited = { ["constructor"]: true } as ModuleFeatures;
  assertThrows(() => featureMask(inherited), TypeError, "constructor");
});

Deno.test("featureMask() refuses a value that is no boolean", () => {
  const wrong = { gc: "false" } as unknown as ModuleFeatures;
  assertThrows(() => featureMask(wrong), TypeError, "not a boolean");
});

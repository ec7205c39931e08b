import { assert, assertEquals, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { capped, type CappedOptions } from "../../runtime/capped.ts";
import { gate } from "../../runtime/v8/gate.ts";
import type { ModuleFeatures } from "../../runtime/v8/features.ts";
import { build, bytes, wat } from "../wasm.ts";

const PAGE = 65_536;

const FEATURES: ModuleFeatures = {
  multiMemory: true,
  memory64: true,
  threads: true,
};

interface Caps {
  readonly pages?: number;
  readonly tableElements?: number;
  readonly options?: CappedOptions;
}

function cap(
  module: Uint8Array<ArrayBuffer>,
  { pages = 16, tableElements = 100, options }: Caps,
): Uint8Array<ArrayBuffer> {
  const mode = { deadline: false, fuel: false, tableElements };
  const gated = gate(module, mode, { features: FEATURES });
  return capped(gated, { memoryBytes: pages * PAGE, tableElements }, options);
}

function refusal(work: () => unknown): string {
  const error = assertThrows(work);
  assert(SandboxError.is(error), `${error}`);
  return error.code;
}

/** What a capped module exports; the engine has found it valid. */
async function exportsOf(
  text: string,
  caps: Caps,
): Promise<Record<string, (by: number) => number>> {
  const module = new WebAssembly.Module(cap(await wat(text), caps));
  const { exports } = new WebAssembly.Instance(module);
  return exports as Record<string, (by: number) => number>;
}

/** The largest total that memories or tables reach, one element at a time. */
function growAll(
  exports: Record<string, (by: number) => number>,
  names: readonly string[],
): number {
  let grown = 0;
  for (const name of names) {
    while (exports[name]?.(1) !== -1) grown++;
  }
  return grown;
}

const MEMORY = `(module (memory (export "memory") 1)
  (func (export "grow") (param i32) (result i32)
    (memory.grow (local.get 0))))`;

Deno.test("capped() keeps a memory without a maximum within memoryBytes", async () => {
  const exports = await exportsOf(MEMORY, { pages: 5 });
  assertEquals(exports.grow?.(5), -1);
  assertEquals(growAll(exports, ["grow"]), 4);
});

Deno.test("capped() leaves a smaller maximum as it is", async () => {
  const exports = await exportsOf(MEMORY.replace(") 1)", ") 1 3)"), {});
  assertEquals(growAll(exports, ["grow"]), 2);
});

Deno.test("capped() shares memoryBytes among all memories", async () => {
  const exports = await exportsOf(
    `(module (memory $a 1) (memory $b 2 60000)
      (func (export "a") (param i32) (result i32)
        (memory.grow $a (local.get 0)))
      (func (export "b") (param i32) (result i32)
        (memory.grow $b (local.get 0))))`,
    { pages: 10 },
  );
  const grown = growAll(exports, ["a", "b"]);
  assert(grown > 0 && grown + 3 <= 10, `${grown} pages`);
});

Deno.test("capped() caps a memory of 64 bits", async () => {
  const module = new WebAssembly.Module(cap(
    await wat(`(module (memory i64 1)
      (func (export "grow") (param i64) (result i64)
        (memory.grow (local.get 0))))`),
    { pages: 4 },
  ));
  const { exports } = new WebAssembly.Instance(module);
  const grow = exports["grow"] as (by: bigint) => bigint;
  assertEquals(grow(4n), -1n);
  assertEquals(grow(3n), 1n);
});

Deno.test("capped() keeps all tables together within tableElements", async () => {
  const exports = await exportsOf(
    `(module (table $a 1 externref) (table $b 2 funcref)
      (func (export "a") (param i32) (result i32)
        (table.grow $a (ref.null extern) (local.get 0)))
      (func (export "b") (param i32) (result i32)
        (table.grow $b (ref.null func) (local.get 0))))`,
    { tableElements: 50 },
  );
  const grown = growAll(exports, ["a", "b"]);
  assert(grown > 0 && grown + 3 <= 50, `${grown} elements`);
});

Deno.test("capped() refuses what is larger from the start", async () => {
  const memory = await wat("(module (memory 5))");
  const two = await wat("(module (memory 3) (memory 2))");
  const table = await wat("(module (table 101 funcref))");
  for (const module of [memory, two]) {
    assertEquals(
      refusal(() => cap(module, { pages: 4 })),
      "limit-exceeded",
    );
  }
  assertEquals(refusal(() => cap(table, {})), "limit-exceeded");
  assertEquals(cap(memory, { pages: 5 }).length > 8, true);
});

Deno.test("capped() makes no module valid that is not", () => {
  const tooLong = build({ memories: [bytes("01 01 81 80 04")] });
  const backwards = build({ memories: [bytes("01 04 03")] });
  assertEquals(WebAssembly.validate(tooLong), false);
  assertEquals(refusal(() => cap(tooLong, {})), "invalid-module");
  assertEquals(WebAssembly.validate(backwards), false);
  assertEquals(isRefusedOrInvalid(backwards), true);
});

function isRefusedOrInvalid(module: Uint8Array<ArrayBuffer>): boolean {
  try {
    return !WebAssembly.validate(cap(module, {}));
  } catch (error) {
    return SandboxError.is(error, "invalid-module");
  }
}

Deno.test("capped() leaves the code, the data and the start function as they are", async () => {
  const exports = await exportsOf(
    `(module (memory 1) (global $g (mut i32) (i32.const 0))
      (data (i32.const 8) "\\2a")
      (table 2 funcref) (elem (i32.const 0) $begin)
      (func $begin (global.set $g (i32.const 1)))
      (start $begin)
      (func (export "sum") (param i32) (result i32)
        (i32.add (i32.load8_u (i32.const 8)) (global.get $g))))`,
    {},
  );
  assertEquals(exports.sum?.(0), 43);
});

const SHARED = `(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
  (import "env" "memory" (memory 1 60000 shared))
  (func (export "grow") (param i32) (result i32)
    (memory.grow (local.get 0))))`;

Deno.test("capped() counts a memory that the engine makes for an import", async () => {
  const module = await wat(SHARED);
  const options = { makesImports: true };
  const code = cap(module, { pages: 6, options });
  const link = (maximum: number) => {
    const memory = new WebAssembly.Memory({
      initial: 1,
      maximum,
      shared: true,
    });
    return new WebAssembly.Instance(new WebAssembly.Module(code), {
      wasi_snapshot_preview1: { sched_yield: () => 0 },
      env: { memory },
    });
  };
  // the import declares the cap: a larger memory does not fit it
  assertThrows(() => link(7), WebAssembly.LinkError);
  const { exports } = link(6);
  const grow = exports["grow"] as (by: number) => number;
  assertEquals([grow(5), grow(1)], [1, -1]);
  assertEquals(
    refusal(() => cap(Uint8Array.from(module), { pages: 0.5, options })),
    "limit-exceeded",
  );
});

Deno.test("capped() leaves imports of another's memory as they are", async () => {
  const code = cap(await wat(SHARED), { pages: 6 });
  const memory = new WebAssembly.Memory({
    initial: 1,
    maximum: 60_000,
    shared: true,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), {
    wasi_snapshot_preview1: { sched_yield: () => 0 },
    env: { memory },
  });
  assert(exports["grow"] instanceof Function);
});

/**
 * Many calls and many instances on Wasmtime: neither memory nor callbacks nor
 * anything else may be left of them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { WasmtimeRuntime } from "../../runtime/wasmtime/runtime.ts";
import { libraries } from "../../runtime/wasmtime/shared.ts";
import { wat } from "../wasm.ts";

/** How much is done. */
export interface SoakOptions {
  /** Calls of one instance. */
  readonly calls: number;
  /** Instances, one after the other. */
  readonly cycles: number;
}

/** What grew after the first tenth, in MiB. */
export interface SoakReport {
  /** During the calls. */
  readonly callsMiB: number;
  /** During the cycles. */
  readonly cyclesMiB: number;
}

/** More than this is a leak: 16 MiB over 10,000 cycles are 1.6 KiB each. */
const MOST_MIB = 16;

const GUEST = `(module
  (import "h" "f" (func $f (param i32) (result i32)))
  (import "h" "c" (global $c i32))
  (memory (export "memory") 2)
  (table 4 funcref)
  (func $start (drop (call $f (i32.const 0))))
  (start $start)
  (func (export "run") (param i32) (result i32)
    (i32.store (i32.const 70000) (local.get 0))
    (i32.add (call $f (local.get 0)) (global.get $c)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "trap") (unreachable)))`;

/**
 * What the process holds, in MiB, once garbage is gone, without what V8 has in
 * stock: that grows in steps, of some MiB each, when it likes.
 */
async function heldMiB(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  await new Promise((resolve) => setTimeout(resolve, 20));
  gc?.();
  const { rss, heapTotal, heapUsed } = Deno.memoryUsage();
  return (rss - heapTotal + heapUsed) / 2 ** 20;
}

/** Does something many times, and tells what grew after the first tenth. */
async function growth(
  times: number,
  step: (index: number) => Promise<void>,
): Promise<number> {
  let before = 0;
  for (let index = 0; index < times; index++) {
    if (index === Math.floor(times / 10)) before = await heldMiB();
    await step(index);
  }
  return await heldMiB() - before;
}

/**
 * Calls and makes instances, and looks at what is left.
 *
 * @param options How much.
 * @returns What grew.
 */
export async function soakWasmtime(
  { calls, cycles }: SoakOptions,
): Promise<SoakReport> {
  await using runtime = await WasmtimeRuntime.open();
  const shared = libraries.open(runtime.libraryPath);
  try {
    const limits = { timeoutMs: 10_000, memoryBytes: 2 ** 20 };
    const module = await runtime.compile(await wat(GUEST), { limits });
    const imports = { h: { f: (n: number) => n + 1, c: 1 } };
    const make = () => runtime.instantiate(module, { imports });
    const report = {
      callsMiB: await soakCalls(calls, make),
      cyclesMiB: await soakCycles(cycles, make),
    };
    assertEquals(shared.native.dispatcher.size, 0);
    assert(report.callsMiB <= MOST_MIB, `calls: ${report.callsMiB} MiB`);
    assert(report.cyclesMiB <= MOST_MIB, `cycles: ${report.cyclesMiB} MiB`);
    return report;
  } finally {
    shared.close();
  }
}

type Make = () => ReturnType<WasmtimeRuntime["instantiate"]>;

async function soakCalls(calls: number, make: Make): Promise<number> {
  await using instance = await make();
  return await growth(calls, async (index) => {
    assertEquals(await instance.call("run", [index]), index + 2);
  });
}

/**
 * Every third ends with a trap, and every third has grown. After some thousand
 * errors the process takes some 10 MiB once, and then never again: that is left
 * out by as many traps before.
 */
async function soakCycles(cycles: number, make: Make): Promise<number> {
  for (let index = 0; index < cycles; index++) {
    await using instance = await make();
    await instance.call("trap", []).catch(() => {});
  }
  return await growth(cycles, async (index) => {
    await using instance = await make();
    if (index % 3 === 0) assertEquals(instance.callSync("grow", []), 2);
    else if (index % 3 === 1) {
      await instance.call("trap", []).then(
        () => assert(false, "it must trap"),
        () => {},
      );
    }
  });
}

/**
 * How far past its deadline a guest runs that never ends.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { Sandbox, SandboxError } from "../mod.ts";
import { wat } from "../tests/wasm.ts";
import {
  type Benchmark,
  print,
  summarize,
  type Summary,
  table,
  target,
} from "./measure.ts";

const TIMEOUT_MS = 100;
const AFTER_MS = 200;

/** Guests that never end. Each exports `run`, or starts running by itself. */
const ENDLESS: Readonly<Record<string, string>> = {
  "loop": `(func (export "run") (loop br 0))`,
  "tail calls": `
    (func $a (export "run") return_call $b)
    (func $b return_call $a)`,
  "memory.fill of 32 MiB in a row": `
    (memory 512)
    (func (export "run") (loop
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x2000000))
      br 0))`,
  "br_table machine": `
    (func (export "run") (local $state i32)
      (loop $next
        (block $c (block $b (block $a
          (br_table $a $b $c (local.get $state)))
          (local.set $state (i32.const 1)) (br $next))
          (local.set $state (i32.const 2)) (br $next))
        (local.set $state (i32.const 0)) (br $next)))`,
  "start function": `(func $run (loop br 0)) (start $run)`,
  "catch_all around a loop": `
    (func (export "run") (loop $again
      (try (do (loop br 0)) (catch_all (br $again)))))`,
  "throw and catch": `
    (tag $e)
    (func (export "run") (loop $again
      (try (do (throw $e)) (catch $e)) (br $again)))`,
};

interface Row {
  readonly guest: string;
  /** Milliseconds past the deadline. */
  readonly overshoot: Summary;
  /** Parts of one core in use once the guest is gone. */
  readonly cpuAfter: Summary;
}

/** Measures deadlines. */
export const deadline: Benchmark = {
  name: "deadline",
  about:
    `A deadline of ${TIMEOUT_MS} ms on guests that never end: by how much it is passed,\n` +
    "and what of a core the process uses afterwards. Targets, on an idle machine:\n" +
    "5 ms in the median, 20 ms at worst.",
  async run({ quick }) {
    const calls = quick ? 5 : 50;
    const guests = await Promise.all(
      Object.entries(ENDLESS).map(async ([name, text]) =>
        [name, await wat(`(module ${text})`)] as const
      ),
    );
    const late = new Map(guests.map(([name]) => [name, [] as number[]]));
    const after = new Map(guests.map(([name]) => [name, [] as number[]]));
    // the first time, code is compiled and the watchdog starts
    for (const [, module] of guests) await overrun(module);
    for (let call = 0; call < calls; call++) {
      for (const [name, module] of guests) {
        late.get(name)?.push(await overrun(module) - TIMEOUT_MS);
        if (call % 5 === 0) after.get(name)?.push(await cpuInUse());
      }
    }
    const rows = guests.map(([guest]): Row => ({
      guest,
      overshoot: summarize(late.get(guest) ?? []),
      cpuAfter: summarize(after.get(guest) ?? []),
    }));
    print(show(rows));
    return { rows };
  },
};

/** Runs an endless guest once, and tells after how many milliseconds it ends. */
async function overrun(module: Uint8Array<ArrayBuffer>): Promise<number> {
  const options = { module, limits: { timeoutMs: TIMEOUT_MS } };
  let start = performance.now();
  try {
    await using sandbox = await Sandbox.create(options);
    start = performance.now();
    sandbox.callSync("run", []);
  } catch (error) {
    if (SandboxError.is(error, "limit-exceeded")) {
      return performance.now() - start;
    }
    throw error;
  }
  throw new Error("Cannot measure the deadline: the guest ended by itself");
}

async function cpuInUse(): Promise<number> {
  const before = cpuUsage();
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  const { user, system } = cpuUsage(before);
  return (user + system) / 1e3 / (performance.now() - start);
}

function show(rows: readonly Row[]): string {
  return table(
    [
      "guest",
      "late by ms",
      "half within",
      "worst",
      "target of median",
      "target of worst",
      "core used after",
    ],
    rows.map(({ guest, overshoot, cpuAfter }) => [
      guest,
      overshoot.median.toFixed(2),
      `${overshoot.low.toFixed(2)}–${overshoot.high.toFixed(2)}`,
      overshoot.max.toFixed(2),
      target(overshoot.median, 5),
      target(overshoot.max, 20),
      `${(cpuAfter.median * 100).toFixed(1)} %`,
    ]),
  );
}

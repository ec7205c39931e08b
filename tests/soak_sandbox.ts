/**
 * Long lives of sandboxes, and deadlines that are just missed.
 *
 * @module
 */

import { cycle, growth } from "./cycles.ts";
import { aim } from "./v8/aim.ts";
import { wat } from "./wasm.ts";

const CYCLES = 100_000;
const AIMED_CALLS = 50_000;
const MAX_GROWTH_BYTES = 64 * 2 ** 20;

/** Creates, calls and disposes sandboxes. */
export async function soakCycles(): Promise<boolean> {
  const module = await wat(`(module (memory (export "memory") 1)
    (func (export "answer") (result i32) (i32.const 42)))`);
  const { grownBytes, threads } = await growth(CYCLES, () => cycle(module));
  const grownMb = (grownBytes / 2 ** 20).toFixed(1);
  say(`${CYCLES} lives: ${grownMb} MiB and ${threads} threads more`);
  return grownBytes < MAX_GROWTH_BYTES && threads <= 2;
}

/** Aims calls at their deadline. */
export async function soakDeadlines(): Promise<boolean> {
  const module = await wat(`(module
    (func (export "spin") (param i32) (loop
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "answer") (result i32) (i32.const 42)))`);
  const report = await aim(module, AIMED_CALLS);
  const { returned, stopped, early, innocent } = report;
  say(
    `${returned} calls returned, ${stopped} were stopped, ${early} early; ` +
      `${innocent} others failed`,
  );
  return early === 0 && innocent === 0;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- what the task prints
  console.log(line);
}

/**
 * Meters of effects: what something costs this machine, and what is left of it.
 *
 * @module
 */

import process from "node:process";
import { pause } from "./_pause.ts";

/** So long a window has to be idle, in milliseconds. */
const WINDOW_MS = 50;
/** So long what has been ended may go on, in milliseconds. */
const PATIENCE_MS = 5_000;

/**
 * What {@linkcode measureCpu} found.
 *
 * @typeParam T What was returned.
 */
export interface MeasuredCpu<T> {
  /** What was returned. */
  readonly result: T;
  /** Processor time, of user and system, in milliseconds. */
  readonly cpuMs: number;
}

/**
 * What {@linkcode measureRss} found.
 *
 * @typeParam T What was returned.
 */
export interface MeasuredRss<T> {
  /** What was returned. */
  readonly result: T;
  /** Resident memory afterwards above that before, in bytes; may be below 0. */
  readonly grownBytes: number;
}

/**
 * Measures the processor time of this process, all its threads together, while
 * something runs. What else runs meanwhile is counted too; processes that are
 * started are not.
 *
 * @example A guest that is stopped takes no more than its deadline allows
 * ```ts
 * import { Sandbox } from "@wasm-sandbox/core";
 * import { fakeGuest, measureCpu, untilIdle } from "@wasm-sandbox/core/testing";
 * import { assert } from "@std/assert";
 *
 * const module = fakeGuest({ spin: "loop" });
 * await using sandbox = await Sandbox.create({ module });
 * const { cpuMs } = await measureCpu(() =>
 *   sandbox.call("spin", {}, { timeoutMs: 200 }).catch(() => {})
 * );
 * assert(cpuMs < 5_000);
 * await untilIdle();
 * ```
 *
 * @typeParam T What it returns.
 * @param run What is measured.
 * @returns What it returned, and the time.
 */
export async function measureCpu<T>(
  run: () => T | Promise<T>,
): Promise<MeasuredCpu<T>> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1_000 };
}

/**
 * Measures by how much the resident memory of this process has grown when
 * something has run. Garbage that has not been collected is part of that: leave
 * room for tens of mebibytes.
 *
 * @typeParam T What it returns.
 * @param run What is measured.
 * @returns What it returned, and the growth.
 */
export async function measureRss<T>(
  run: () => T | Promise<T>,
): Promise<MeasuredRss<T>> {
  const before = Deno.memoryUsage().rss;
  const result = await run();
  return { result, grownBytes: Deno.memoryUsage().rss - before };
}

/**
 * Waits until this process takes less than half of one processor, as it does
 * when nothing goes on that should have been stopped.
 *
 * @throws {Error} If it is still busy after five seconds.
 */
export async function untilIdle(): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    const { cpuMs } = await measureCpu(() => pause(WINDOW_MS));
    if (cpuMs < WINDOW_MS / 2) return;
  }
  throw new Error("something still takes processor time after its end");
}

/**
 * The processes that this one has started and that still run. Linux only, and
 * with the permission to read `/proc`.
 *
 * @returns Their numbers.
 * @throws {Deno.errors.NotSupported} On another system.
 */
export function childProcesses(): readonly number[] {
  if (Deno.build.os !== "linux") {
    throw new Deno.errors.NotSupported(
      `Cannot list processes on ${Deno.build.os}: only Linux has /proc`,
    );
  }
  return [...Deno.readDirSync("/proc")]
    .filter(({ name }) => /^\d+$/.test(name) && isChild(name))
    .map(({ name }) => Number(name));
}

/**
 * Runs something, and waits until the processes that it has started are gone.
 * Linux only.
 *
 * @typeParam T What it returns.
 * @param run What is run.
 * @returns What it returned.
 * @throws {Error} If one still runs after five seconds; names it.
 * @throws {Deno.errors.NotSupported} On another system.
 */
export async function noProcessLeft<T>(run: () => T | Promise<T>): Promise<T> {
  const before = new Set(childProcesses());
  const result = await run();
  const left = () => childProcesses().filter((pid) => !before.has(pid));
  for (const end = performance.now() + PATIENCE_MS; left().length > 0;) {
    if (performance.now() > end) {
      throw new Error(`processes are left: ${left().join(", ")}`);
    }
    await pause(WINDOW_MS);
  }
  return result;
}

/** Whether this process has started another, which has not ended. */
function isChild(pid: string): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // such as "12 (name) S 1 …": state and parent
    const [, state, parent] = /\) (\w) (\d+) [^)]*$/.exec(stat) ?? [];
    return Number(parent) === Deno.pid && state !== "Z";
  } catch {
    // it has ended meanwhile
    return false;
  }
}

/**
 * What calls need to know, wherever the guest lives.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { Module, ModuleExport } from "./types.ts";

/**
 * Whether there is such a function without parameters and results.
 *
 * @param exports What a module exports.
 * @param name Name of the function.
 * @returns Whether there is.
 */
export function isProcedure(
  exports: readonly ModuleExport[],
  name: string,
): boolean {
  const { signature } = exports.find((each) => each.name === name) ?? {};
  return signature !== undefined && signature.params.length === 0 &&
    signature.results.length === 0;
}

/**
 * Whether something of the guest's runs before the first call.
 *
 * @param module The module.
 * @returns Whether it has a start function, or is a reactor.
 */
export function runsAtStart({ hasStart, exports }: Module): boolean {
  return hasStart || exports.some(({ name }) => name === "_initialize");
}

/**
 * The deadline of one call: no later than that of the instance.
 *
 * @param timeoutMs What was asked for.
 * @param allowed The instance's.
 * @returns The shorter of both.
 * @throws {TypeError} If it is no number above 0.
 */
export function shorterTimeout(timeoutMs: number, allowed: number): number {
  if (typeof timeoutMs !== "number" || !(timeoutMs > 0)) {
    throw new TypeError(
      `Cannot call with a timeoutMs of ${timeoutMs}: must be above 0`,
    );
  }
  const shorter = Math.min(timeoutMs, allowed);
  return shorter === Infinity ? shorter : Math.min(shorter, MAX_TIMER_MS);
}

/**
 * The deadline of one call of an instance in whose code deadlines are kept.
 *
 * @param timeoutMs What was asked for, if anything was.
 * @param allowed The instance's.
 * @returns The shorter of both.
 * @throws {TypeError} If it is no number above 0, or the code has no checks.
 */
export function callTimeout(
  timeoutMs: number | undefined,
  allowed: number,
): number {
  if (timeoutMs === undefined) return allowed;
  if (allowed !== Infinity) return shorterTimeout(timeoutMs, allowed);
  throw new TypeError(
    "Cannot call with a timeoutMs: the sandbox has no deadline, so its code " +
      "holds no checks (set the limit timeoutMs)",
  );
}

/** The error of who fills a tank that is not there. */
export function noFuel(): TypeError {
  return new TypeError(
    "Cannot set the fuel: the instance is gone, or has no limit of fuel",
  );
}

/** Timers of more than this fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The error of a call while another one runs.
 *
 * @param name Name of the export.
 * @returns The error.
 */
export function instanceBusy(name: string): SandboxError<"instance-busy"> {
  return new SandboxError(
    "instance-busy",
    `Cannot call ${quote(name)}: the instance is running, or waits for ` +
      "its host, and takes one call at a time (wait for the call before to " +
      "end; host functions may not call into it)",
    { details: { export: name } },
  );
}

/**
 * The error of a call with streams that nobody would read or write.
 *
 * @param name Name of the export.
 * @returns The error.
 */
export function noStreams(name: string): TypeError {
  return new TypeError(
    `Cannot call ${quote(name)} with streams: the module imports nothing to ` +
      'read or write them by (import "read" and "write" of "wasm_sandbox")',
  );
}

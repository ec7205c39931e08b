/**
 * What calls need to know, wherever the guest lives.
 *
 * @module
 */

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

/** Timers of more than this fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

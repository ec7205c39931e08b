/** Which limits count over the calls of a guest, and when they are used up. */

import { SandboxError } from "../../errors.ts";
import type { Sandbox } from "../../sandbox.ts";
import type { LimitName } from "../../security/limits.ts";
import type { GuestPoolOptions } from "../guest_pool.ts";

/** Limits that a guest which is reset begins anew with. */
const RENEWED: ReadonlySet<string> = new Set([
  "timeoutMs",
  "memoryBytes",
  "tableElements",
  "messageBytes",
  "stack",
  "stackBytes",
  "streamBytes",
  "stdinBytes",
  "stdoutBytes",
  "stderrBytes",
  "fuel",
]);

/**
 * Whether an error tells of a limit that a reset does not give anew.
 *
 * @param error What a call failed with.
 * @returns Whether the whole guest has to be made anew.
 */
export function usesUp(error: unknown): boolean {
  return SandboxError.is(error, "limit-exceeded") &&
    !RENEWED.has(error.details.limit);
}

/** Tells which guests could not take another call. */
export class Counts {
  /** How much of each counted limit a call needs, at the least. */
  readonly #needs: readonly (readonly [LimitName, number])[];
  readonly #hasCounters: boolean;

  /**
   * Looks at what is counted.
   *
   * @param first A guest.
   * @param options What guests are made from.
   */
  constructor(first: Sandbox, options: GuestPoolOptions) {
    const { limits = {}, instance } = options;
    // each of its calls takes an instance
    const isFresh = instance === "fresh" ||
      first.exports.some(({ name }) => name === "_start");
    const needs: readonly (readonly [LimitName, number])[] = [
      // a request and a reply
      ["messages", 2],
      ["networkRequests", 1],
      ["networkBytes", 1],
      ...(isFresh ? [["instances", 1]] as const : [
        // those of one instance
        ["hostCalls", 1],
        ["writtenBytes", 1],
        ["fileEntries", 1],
      ] as const),
    ];
    this.#needs = needs.filter(([name]) => limits[name] !== undefined);
    this.#hasCounters = Object.keys(first.usage().counters).length > 0;
  }

  /**
   * Whether a guest has so little left of what is counted over its calls that
   * the next one would fail for what others have used.
   *
   * @param sandbox A guest.
   * @returns Whether it has.
   */
  isUsedUp(sandbox: Sandbox): boolean {
    if (this.#needs.length === 0 && !this.#hasCounters) return false;
    const { limits, counters } = sandbox.usage();
    return this.#needs.some(([name, need]) => {
      const { allowed = Infinity, used = 0 } = limits[name] ?? {};
      // a limit that is too small for any call is the caller's to see
      return used > 0 && allowed - used < need;
    }) || Object.values(counters).some(({ allowed, used }) =>
      used > 0 && used >= allowed
    );
  }
}

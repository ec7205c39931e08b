/**
 * Host functions with limits of their own.
 *
 * @module
 */

import type { HostFunction } from "./types.ts";

/** Options of {@linkcode counted}. */
export interface CountedOptions {
  /** The most that one sandbox may use of each counter, by name. */
  readonly counters: Readonly<Record<string, number>>;
  /**
   * What a call takes of each counter, from its arguments: whole numbers.
   * Without it a call takes one of each.
   */
  // deno-lint-ignore no-explicit-any -- each import has parameters of its own
  readonly costs?: (...args: any[]) => Readonly<Record<string, number>>;
}

/** A host function that declares counters; {@linkcode counted} makes it. */
export interface CountedFunction extends HostFunction {
  /** Its counters. */
  readonly counted: CountedOptions;
}

/**
 * Gives a host function limits of its own. They are enforced before it is
 * called, and reported, as `module.name.counter`, like the built-in ones: in
 * `usage().counters`, and by an error with the code `limit-exceeded`.
 *
 * @example Usage
 * ```ts
 * import { counted, Sandbox, SandboxError } from "@wasm-sandbox/core";
 * import { assert, assertEquals, assertRejects } from "@std/assert";
 *
 * // (module (import "env" "now" (func (result f64)))
 * //   (func (export "twice") (result f64) (f64.add (call 0) (call 0))))
 * const module = Uint8Array.fromHex(
 *   "0061736d010000000105016000017c020b0103656e76036e6f77000003020100" +
 *     "07090105747769636500010a0901070010001000a00b",
 * );
 * const now = counted(() => Date.now(), { counters: { calls: 3 } });
 * await using sandbox = await Sandbox.create({
 *   module,
 *   imports: { env: { now } },
 * });
 * await sandbox.call("twice");
 * assertEquals(sandbox.usage().counters["env.now.calls"], {
 *   allowed: 3,
 *   used: 2,
 * });
 * const error = await assertRejects(() => sandbox.call("twice"));
 * assert(SandboxError.is(error, "limit-exceeded"));
 * assertEquals(error.details.limit, "env.now.calls");
 * ```
 *
 * @param run The function.
 * @param options Its counters.
 * @returns The same function, with the counters on it.
 * @throws {TypeError} If a counter is no whole number from 0.
 */
export function counted(
  run: HostFunction,
  { counters, costs }: CountedOptions,
): CountedFunction {
  for (const [name, allowed] of Object.entries(counters)) {
    if (Number.isSafeInteger(allowed) && allowed >= 0) continue;
    throw new TypeError(
      `Cannot count ${JSON.stringify(name)}: it must be a whole number from 0`,
    );
  }
  const options = Object.freeze({
    counters: Object.freeze({ ...counters }),
    ...(costs === undefined ? {} : { costs }),
  });
  const fn: HostFunction = (...args) => run(...args);
  return Object.freeze(Object.assign(fn, { counted: options }));
}

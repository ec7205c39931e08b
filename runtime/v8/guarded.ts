/**
 * What stands around the functions of the host.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import type { ImportName } from "../../errors.ts";
import type { HostFunction, HostModuleFunction, Signature } from "../types.ts";
import type { HostFailed } from "./functions.ts";
import { checkedResult } from "./results.ts";
import type { Suspender } from "./suspend.ts";

/** What stands around every host function. */
export interface HostGuard {
  /**
   * Called when a host function throws; must trap. It is told whether the
   * function is a host module's, whose errors are the guest's end as they are.
   */
  readonly failed: HostFailed;
  /** Whether no limit has ended the call that runs; counts the host's calls. */
  readonly mayCall: (name: ImportName) => boolean;
  /** Raises a trap. */
  readonly trap: () => never;
  /** Lets the guest wait, if it imports a function that may. */
  readonly suspender: Suspender | undefined;
}

/** A host function, and where it is linked. */
export interface GuardedFunction {
  /** The import. */
  readonly name: ImportName;
  /** Its type. */
  readonly signature: Signature;
  /** What stands around it. */
  readonly guard: HostGuard;
  /** Whether it is a host module's. */
  readonly own: boolean;
}

/**
 * A host function whose every way out is checked: what it throws must trap.
 *
 * @param fn The function.
 * @param options Where it is linked.
 * @returns What the guest imports.
 */
export function guarded(
  fn: HostFunction,
  { name, signature, guard, own }: GuardedFunction,
): HostFunction {
  const { results } = signature;
  const { failed, mayCall, suspender, trap } = guard;
  if (suspender !== undefined) {
    return (...args) => {
      suspender.inHost = true;
      try {
        if (mayCall(name)) return checkedResult(fn(...args), results);
      } catch (cause) {
        return failed(cause, name, own);
      } finally {
        suspender.inHost = false;
      }
      return trap();
    };
  }
  return (...args) => {
    try {
      // a row of calls may have no check between them
      if (mayCall(name)) return checkedResult(fn(...args), results);
    } catch (cause) {
      return failed(cause, name, own);
    }
    return trap();
  };
}

/**
 * As {@linkcode guarded}, of one that may give a promise.
 *
 * @param fn The function.
 * @param options Where it is linked.
 * @param suspender Lets the guest wait.
 * @returns What the guest imports.
 */
export function waiting(
  fn: HostModuleFunction,
  { name, signature, guard }: GuardedFunction,
  suspender: Suspender,
): HostFunction {
  const { results } = signature;
  const { failed, mayCall, trap } = guard;
  return suspender.waiting((...args) => {
    suspender.inHost = true;
    try {
      if (mayCall(name)) {
        const answer = fn(...args);
        const turn = suspender.turn();
        const promise = turn === undefined
          ? answer
          // at once, so that a rejection has somebody who looks at it
          : Promise.all([answer, turn]).then(([each]) => each);
        return isPromise(promise)
          ? suspender.promised({ promise, name, results })
          : checkedResult(promise, results);
      }
    } catch (cause) {
      return failed(cause, name, true);
    } finally {
      suspender.inHost = false;
    }
    return trap();
  }, signature);
}

/**
 * Whether somebody could wait for what a host function gave.
 *
 * @param value What it gave.
 * @returns Whether it has a `then`.
 */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

/**
 * Refuses what is no function of WebAssembly: it would run unguarded.
 *
 * @param fn The function.
 * @param name The import.
 * @returns The function.
 * @throws {TypeError} If it is none.
 */
export function direct(
  fn: HostModuleFunction,
  { module, name }: ImportName,
): HostFunction {
  try {
    // a table takes nothing else, but null
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
    table.set(0, fn);
    if (table.get(0) !== null) return fn as HostFunction;
  } catch {
    // told below
  }
  throw new TypeError(
    `Cannot link ${quote(module)}.${quote(name)} directly: it must be an ` +
      "export of a WebAssembly instance (leave it out of direct)",
  );
}

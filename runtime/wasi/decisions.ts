/**
 * Asks the auditor, and remembers what it has allowed.
 *
 * @module
 */

import type { Auditor, Operation } from "../../security/types.ts";
import { WasiError } from "./errno.ts";

/**
 * Decisions of one instance. Clocks, streams and lists are decided on once, as
 * long as they are allowed; paths and what is denied each time.
 */
export class Decisions {
  readonly #auditor: Auditor;
  readonly #allowed = new Set<string>();

  /**
   * Constructs it.
   *
   * @param auditor Decides, and records.
   */
  constructor(auditor: Auditor) {
    this.#auditor = auditor;
  }

  /** Asks, whatever was decided before. */
  permits(operation: Operation): boolean {
    reserveStack();
    return this.#auditor.permits(operation);
  }

  /** Records what is refused, whatever the policy says. */
  refuse(operation: Operation, reason: string): void {
    reserveStack();
    this.#auditor.refuse(operation, reason);
  }

  /** Asks, unless it was allowed before. */
  permitsOnce(operation: Operation): boolean {
    const { capability, action, resource } = operation;
    const key = `${capability}.${action} ${resource}`;
    if (this.#allowed.has(key)) return true;
    if (!this.permits(operation)) return false;
    this.#allowed.add(key);
    return true;
  }

  /**
   * As {@linkcode Decisions.permitsOnce}, for what has no other way out.
   *
   * @throws {WasiError} NOTCAPABLE.
   */
  demand(operation: Operation): void {
    if (!this.permitsOnce(operation)) throw new WasiError("NOTCAPABLE");
  }
}

/** Calls of a function within itself that take some 24 KiB of the stack. */
const RESERVED_CALLS = 400;

/**
 * Ends the guest, by the engine's RangeError, if the stack is nearly full. Else
 * a guest could recurse until those that record fail, and nothing else does.
 */
function reserveStack(calls: number = RESERVED_CALLS): number {
  return calls === 0 ? 0 : 1 + reserveStack(calls - 1);
}

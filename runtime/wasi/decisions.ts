/**
 * Asks the auditor, and remembers what it has allowed.
 *
 * @module
 */

import type { Operation } from "../../security/types.ts";
import { WasiError } from "./errno.ts";
import type { WasiAuditor } from "./types.ts";

/**
 * Decisions of one instance. Clocks, streams and lists are decided on once, as
 * long as they are allowed; paths and what is denied each time.
 */
export class Decisions {
  readonly #auditor: WasiAuditor;
  readonly #allowed = new Set<string>();

  /**
   * Constructs it.
   *
   * @param auditor Decides, and records.
   */
  constructor(auditor: WasiAuditor) {
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
    const auditor = this.#auditor;
    if (auditor.relay === undefined) {
      auditor.permits(operation);
      return;
    }
    const { capability, action, resource, via } = operation;
    auditor.relay({
      time: new Date().toISOString(),
      decision: "denied",
      operation: `${capability}.${action}`,
      capability,
      resource,
      ...(via === undefined ? {} : { via }),
      reason,
    });
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

/** Takes 32 KiB of the stack: each argument is a word. */
const STACK_WORDS: readonly undefined[] = Object.freeze(
  Array.from({ length: 4_096 }, () => undefined),
);

/**
 * Ends the guest, by the engine's RangeError, if the stack is nearly full. Else
 * a guest could recurse until those that record fail, and nothing else does.
 */
function reserveStack(): void {
  Reflect.apply(nothing, undefined, STACK_WORDS);
}

function nothing(): void {}

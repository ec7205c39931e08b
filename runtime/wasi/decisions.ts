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
    return this.#auditor.permits(operation);
  }

  /** Asks, unless it was allowed before. */
  permitsOnce(operation: Operation): boolean {
    const { capability, action, resource } = operation;
    const key = `${capability}.${action} ${resource}`;
    if (this.#allowed.has(key)) return true;
    if (!this.#auditor.permits(operation)) return false;
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

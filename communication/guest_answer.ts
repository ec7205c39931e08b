/**
 * What waits for a guest to take it.
 *
 * @module
 */

import { FAULT_STATUS, GuestFault } from "./fault.ts";
import { FAULT_BYTES, faultDocument } from "./fault_document.ts";
import { tooLong } from "./guest_faults.ts";

/** The answer to what a guest has asked last, or why there is none. */
export class GuestAnswer {
  readonly #messageBytes: number;
  #bytes: Uint8Array = NOTHING;

  /**
   * Constructs it.
   *
   * @param messageBytes Longest answer.
   */
  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  /** Drops it. */
  drop(): void {
    this.#bytes = NOTHING;
  }

  /**
   * Keeps an answer.
   *
   * @param bytes The answer.
   * @returns Its length, as the guest is told of it.
   * @throws {GuestFault} With status `too-large`.
   */
  keep(bytes: Uint8Array): bigint {
    const { length } = bytes;
    if (length > this.#messageBytes) throw tooLong("answer");
    this.#bytes = bytes;
    return BigInt(length);
  }

  /**
   * Gives it away.
   *
   * @returns The bytes; none if nothing waits.
   */
  take(): Uint8Array {
    const bytes = this.#bytes;
    this.#bytes = NOTHING;
    return bytes;
  }

  /**
   * Keeps the document of a fault. All else ends the guest.
   *
   * @param error What was thrown.
   * @returns The status, and the document's length.
   */
  refuse64(error: unknown): bigint {
    const status = this.#refuse(error);
    return BigInt(status) << 32n | BigInt(this.#bytes.length);
  }

  /**
   * As {@linkcode GuestAnswer.refuse64}, for functions that give an i32.
   *
   * @param error What was thrown.
   * @returns The status, below 0.
   */
  refuse32(error: unknown): number {
    return -this.#refuse(error);
  }

  #refuse(error: unknown): number {
    if (!(error instanceof GuestFault)) throw error;
    const maxBytes = Math.max(FAULT_BYTES, this.#messageBytes);
    this.#bytes = faultDocument(error, maxBytes);
    return Object.hasOwn(FAULT_STATUS, error.status)
      ? FAULT_STATUS[error.status]
      : FAULT_STATUS.failed;
  }
}

const NOTHING = new Uint8Array();

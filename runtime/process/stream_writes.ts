/**
 * What a guest writes to the sink of its call without waiting for an answer.
 *
 * @module
 */

import { ProtocolError } from "./frames.ts";
import type { ServiceAnswer, ServiceCalls } from "./service_calls.ts";

/** What becomes of what was written. */
export interface StreamWritesOptions {
  /** Writes. */
  readonly calls: ServiceCalls;
  /** Told of each piece that is done, with the fault if there was one. */
  readonly onDone: (cost: number, fault?: ServiceAnswer) => void;
}

/** A piece on its way. */
interface Piece {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly cost: number;
}

/** Writes one piece after the other; the window bounds how many wait. */
export class StreamWrites {
  readonly #options: StreamWritesOptions;
  #waiting: Piece[] = [];
  #isWriting = false;

  /**
   * Constructs it.
   *
   * @param options Where to, and whom to tell.
   */
  constructor(options: StreamWritesOptions) {
    this.#options = options;
  }

  /**
   * Writes a piece, after those before it.
   *
   * @param piece The piece, and what it counts against the window.
   * @returns When all is written that waits; undefined if it is, or if that is
   * waited for already.
   * @throws What ends the guest.
   */
  write(piece: Piece): Promise<void> | undefined {
    if (this.#isWriting) {
      this.#waiting.push(piece);
      return undefined;
    }
    const written = this.#put(piece);
    if (written === undefined) return undefined;
    this.#isWriting = true;
    return this.#drain(written);
  }

  async #drain(first: Promise<void>): Promise<void> {
    await first;
    while (this.#waiting.length > 0) {
      const pieces = this.#waiting;
      this.#waiting = [];
      for (const piece of pieces) await this.#put(piece);
    }
    this.#isWriting = false;
  }

  /** Nothing waits for what is done at once. */
  #put({ body, cost }: Piece): Promise<void> | undefined {
    const { calls, onDone } = this.#options;
    try {
      const written = calls.write(body);
      if (written instanceof Promise) {
        return written.then(
          () => onDone(cost),
          (error) => this.#failed(error, cost),
        );
      }
    } catch (error) {
      this.#failed(error, cost);
      return undefined;
    }
    onDone(cost);
    return undefined;
  }

  #failed(error: unknown, cost: number): void {
    const { calls, onDone } = this.#options;
    const fault = calls.faultOf(error);
    if (fault !== undefined) return onDone(cost, fault);
    throw error instanceof ProtocolError ? error : calls.failed("write", error);
  }
}

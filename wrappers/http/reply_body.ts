/** A reply that is passed on as the guest writes it. */

import type { Answer, Exchange, Tail } from "./exchange.ts";
import { badReply } from "./problem.ts";
import { hasBody, type ReplyHead, toResponse } from "./reply.ts";

/**
 * The two ends of a reply: the guest writes to `writable`, and waits until the
 * client has taken what was written. The client gets a response as soon as there
 * is a head.
 */
export class ReplyStream {
  /** Where the guest writes to. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when there is a response. */
  readonly begun: Promise<Answer>;
  readonly #begin = Promise.withResolvers<Answer>();
  readonly #tail = Promise.withResolvers<Tail>();
  readonly #maxBytes: number;
  readonly #gone = new AbortController();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Resolves when the client wants more. */
  #demand = Promise.withResolvers<void>();
  #hasBegun = false;
  #takesBody = true;
  #bytes = 0;
  #problem: unknown;

  /**
   * Constructs it.
   *
   * @param signal Aborted when the client goes away. It may be aborted when the
   * client has been answered, too, so from then on it is not looked at.
   * @param maxBytes Longest body.
   */
  constructor(signal: AbortSignal, maxBytes: number) {
    this.#maxBytes = maxBytes;
    const onAbort = () => {
      if (!this.#hasBegun) this.#gone.abort(signal.reason);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    this.begun = this.#begin.promise;
    this.writable = new WritableStream({
      write: (piece) => this.write(piece),
    });
  }

  /** Aborted when the client goes away. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Whether there is a response. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** What was wrong with what the guest wrote, if anything was. */
  get problem(): unknown {
    return this.#problem;
  }

  /**
   * Begins the response.
   *
   * @param exchange The request.
   * @param head The head, checked.
   */
  begin({ method }: Exchange, head: ReplyHead): void {
    this.#hasBegun = true;
    this.#takesBody = hasBody(method, head.status);
    const body = this.#takesBody ? this.#readable() : null;
    this.#begin.resolve({
      response: toResponse(head, body),
      bytes: 0,
      tail: this.#tail.promise,
    });
  }

  /**
   * Passes on a piece, when there is room for it.
   *
   * @param piece The piece.
   * @throws {HttpProblem} If there is no head yet, or it is too much.
   */
  async write(piece: Uint8Array): Promise<void> {
    if (!this.#hasBegun) {
      throw this.#problem = badReply("it has a body before it has a head");
    }
    if (!this.#takesBody || piece.length === 0) return;
    if (this.#bytes + piece.length > this.#maxBytes) {
      throw this.#problem = badReply("its body is too long");
    }
    await this.#demand.promise;
    this.#gone.signal.throwIfAborted();
    this.#demand = Promise.withResolvers();
    this.#controller?.enqueue(piece);
    this.#bytes += piece.length;
  }

  /**
   * Stops the guest, whose reply cannot be completed.
   *
   * @param problem Why.
   */
  cut(problem: unknown): void {
    this.#gone.abort(problem);
    this.#demand.resolve();
  }

  /**
   * Ends the response.
   *
   * @param error Why it is cut off, if it is.
   */
  end(error?: unknown): void {
    this.#demand.resolve();
    try {
      if (error === undefined) this.#controller?.close();
      else this.#controller?.error(new Error("The reply is cut off"));
    } catch {
      // the client has gone before
    }
    this.#tail.resolve({
      bytes: this.#bytes,
      ...(error === undefined ? {} : { error }),
    });
  }

  #readable(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#demand.resolve(),
      cancel: (reason) => {
        this.#gone.abort(
          reason ?? new DOMException("The client went away", "AbortError"),
        );
        this.#demand.resolve();
      },
    }, { highWaterMark: 0 });
  }
}

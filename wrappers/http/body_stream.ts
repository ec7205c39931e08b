/** One body, passed on as it comes. */

import type { Exchange } from "./exchange.ts";
import type { Lateness, Pending } from "./lateness.ts";
import { Pieces } from "./pieces.ts";
import { HttpProblem } from "./problem.ts";

/**
 * A body that is passed on as it comes. What is left of it is cancelled when the
 * reply has been sent, which ends the connection. If it were before, Deno would
 * read it instead, to no end.
 */
export class BodyStream implements Disposable {
  readonly #exchange: Exchange;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #maxBytes: number;
  readonly #lateness: Lateness;
  readonly #pending: Pending;
  #interrupt: ((reason: unknown) => void) | undefined;
  #problem: HttpProblem | undefined;
  #isOver = false;
  #ahead: Pieces | undefined;

  constructor(exchange: Exchange, lateness: Lateness, maxBytes: number) {
    this.#exchange = exchange;
    this.#maxBytes = maxBytes;
    this.#reader = exchange.body?.getReader();
    this.#lateness = lateness;
    this.#pending = lateness.add(() => this.#onLate());
    if (this.#reader === undefined) return;
    // not to be had any more when it has come to pass
    exchange.info?.completed?.then(this.#cancel, this.#cancel);
  }

  /** What was wrong with it, whatever the guest has made of that. */
  get problem(): HttpProblem | undefined {
    return this.#problem;
  }

  /** The same bytes as a stream, which fails if they are too many or too slow. */
  readable(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const piece = await this.read();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
      cancel: () => this[Symbol.dispose](),
    }, { highWaterMark: 0 });
  }

  /**
   * Reads the next piece.
   *
   * @returns The piece; undefined at the end.
   * @throws {HttpProblem} With status 408, 413 or 400.
   */
  read(): Promise<Uint8Array | undefined> {
    return this.#ahead === undefined ? this.#read() : this.#ahead.take();
  }

  /**
   * Reads on, whether or not anybody asks for it. While a reply is streamed Deno
   * takes in what the client sends, without bounds and at a cost that grows with
   * the square of it, unless somebody takes it out: so it is taken out, no more
   * than the body may be.
   *
   * @param onProblem Told if it is too long, too slow or broken.
   */
  readAhead(onProblem: (problem: unknown) => void): void {
    if (this.#reader === undefined || this.#exchange.isBodyRead) return;
    void this.#fill(this.#ahead = new Pieces(), onProblem);
  }

  async #fill(
    ahead: Pieces,
    onProblem: (problem: unknown) => void,
  ): Promise<void> {
    try {
      for (;;) {
        const piece = await this.#read();
        if (piece === undefined) return ahead.end();
        if (!this.#isOver) ahead.put(piece);
      }
    } catch (error) {
      ahead.end(error);
      onProblem(error);
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    if (this.#problem !== undefined) throw this.#problem;
    try {
      const next = await this.#next();
      if (next === undefined || next.done) {
        this.#lateness.delete(this.#pending);
        this.#exchange.isBodyRead = true;
        return undefined;
      }
      this.#exchange.bodyBytes += next.value.length;
      if (this.#exchange.bodyBytes > this.#maxBytes) throw tooLarge();
      return next.value;
    } catch (error) {
      throw this.#problem ??= brokenBody(error);
    }
  }

  /** Nobody reads any more. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    if (this.#reader === undefined) this.#lateness.delete(this.#pending);
  }

  readonly #cancel = (): void => {
    this.#lateness.delete(this.#pending);
    if (!this.#exchange.isBodyRead) this.#reader?.cancel().catch(() => {});
  };

  #next(): Promise<ReadableStreamReadResult<Uint8Array> | undefined> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      if (this.#reader === undefined) resolve(undefined);
      else this.#reader.read().then(resolve, reject);
    });
  }

  #onLate(): void {
    if (this.#isOver || this.#problem !== undefined) return this.#cancel();
    this.#problem = late();
    this.#interrupt?.(this.#problem);
    this.#lateness.add(this.#cancel);
  }
}

/**
 * The problem of a body that could not be read.
 *
 * @param error Why.
 * @returns The problem.
 */
export function brokenBody(error: unknown): HttpProblem {
  return error instanceof HttpProblem
    ? error
    : new HttpProblem(400, "the body could not be read", { cause: error });
}

/**
 * The problem of a body that takes too long.
 *
 * @returns The problem.
 */
export function late(): HttpProblem {
  return new HttpProblem(408, "the body took too long to come");
}

/**
 * The problem of a body that is longer than allowed.
 *
 * @returns The problem.
 */
export function tooLarge(): HttpProblem {
  return new HttpProblem(413, "the body is too long");
}

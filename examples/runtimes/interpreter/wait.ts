/**
 * A guest that waits for its host: until there is an answer, or something ends
 * it.
 *
 * @module
 */

import { LimitReached } from "./errors.ts";

/** What ends a wait early. */
export interface WaitOptions {
  /** Time that is left, in milliseconds. */
  readonly remainingMs: number;
  /** Cancels it. */
  readonly signal: AbortSignal | undefined;
}

/** What a promise came to. */
export type Answer = { readonly value: unknown } | { readonly cause: unknown };

/** Timers of more than this fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One wait. */
export class Wait implements Disposable {
  readonly #over = Promise.withResolvers<never>();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #signal: AbortSignal | undefined;
  #wasAborted = false;

  /**
   * Begins it.
   *
   * @param options What ends it early.
   */
  constructor({ remainingMs, signal }: WaitOptions) {
    if (remainingMs !== Infinity) {
      this.#timer = setTimeout(
        () => this.end(new LimitReached("timeoutMs")),
        Math.min(Math.max(0, remainingMs), MAX_TIMER_MS),
      );
    }
    this.#signal = signal;
    // nobody may look at it
    this.#over.promise.catch(() => {});
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
  }

  /** Whether the caller has cancelled it. */
  get wasAborted(): boolean {
    return this.#wasAborted;
  }

  /**
   * Waits.
   *
   * @param promise What for.
   * @returns What it came to.
   * @throws What ends the wait early.
   */
  for(promise: PromiseLike<unknown>): Promise<Answer> {
    const answer = Promise.resolve(promise).then(
      (value) => ({ value }),
      (cause: unknown) => ({ cause }),
    );
    return Promise.race([answer, this.#over.promise]);
  }

  /** Ends it early. */
  end(error: unknown): void {
    this.#over.reject(error);
  }

  /** Lets go of the timer and the signal. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = () => {
    this.#wasAborted = true;
    this.end(this.#signal?.reason);
  };
}

/** How long a request may still take. */

import { SandboxError } from "../../errors.ts";
import { shorterTimeout } from "../../runtime/calls.ts";

/** The time of one request, from now on; `signal` is aborted at its end. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #start: number = performance.now();
  readonly #given: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #onAbort = () => this.#controller.abort(this.#given?.reason);

  constructor(timeoutMs: number, given: AbortSignal | undefined) {
    this.#timeoutMs = shorterTimeout(timeoutMs, Infinity);
    this.#given = given;
    given?.throwIfAborted();
    given?.addEventListener("abort", this.#onAbort, { once: true });
    this.#timer = setTimeout(
      () => this.#controller.abort(this.#late()),
      this.#timeoutMs,
    );
  }

  /** Aborted when the time is over, or the caller does not want it any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What is left, in milliseconds: a guest holds up the timer meanwhile. */
  leftMs(): number {
    const left = this.#timeoutMs - (performance.now() - this.#start);
    if (left > 0) return left;
    throw this.#late();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#given?.removeEventListener("abort", this.#onAbort);
  }

  #late(): SandboxError<"timed-out"> {
    const timeoutMs = this.#timeoutMs;
    return new SandboxError(
      "timed-out",
      `Cannot process the request: no guest was free within ${timeoutMs} ms ` +
        "(send less at a time, or raise maxConcurrentRequests or timeoutMs)",
      { details: { operation: "request", timeoutMs } },
    );
  }
}

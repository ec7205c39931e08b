/** Makes calls wait while a state is handed over. */

import { SandboxError } from "../../errors.ts";
import type { OperationOptions } from "../../runtime/types.ts";

/** A line of calls that all go on at the same time. */
export class Hold {
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #maxWaiting: number;
  #waiting = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Waits for the end, or for the caller to give up. */
  async wait({ signal }: OperationOptions): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting >= this.#maxWaiting) throw this.#overloaded();
    this.#waiting++;
    const abort = Promise.withResolvers<never>();
    const onAbort = () => abort.reject(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    try {
      await Promise.race([this.#end.promise, abort.promise]);
    } finally {
      this.#waiting--;
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Lets all go on. */
  lift(): void {
    this.#end.resolve();
  }

  #overloaded(): SandboxError<"overloaded"> {
    return new SandboxError(
      "overloaded",
      `Cannot take more calls: ${this.#waiting} wait for a version that takes ` +
        "over a state (try again later, or allow more)",
      { details: { running: 0, waiting: this.#waiting } },
    );
  }
}

/**
 * What goes on for a guest during one call, and ends with it.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import { GuestFault } from "./fault.ts";

/** One thing that a guest waits for. */
export class Operation {
  readonly #what: string;
  #controller: AbortController | undefined;
  /** Settled when it is over before it is done. */
  #ended: { readonly reason: unknown } | undefined;
  #reject: ((fault: unknown) => void) | undefined;

  /**
   * Constructs it.
   *
   * @param what What it is, for messages.
   */
  constructor(what: string) {
    this.#what = what;
  }

  /** Aborted when the guest waits no longer. */
  get signal(): AbortSignal {
    // made when it is asked for: most functions answer at once
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended) this.#controller.abort(this.#ended.reason);
    }
    return this.#controller.signal;
  }

  /**
   * Refuses to go on when it has ended.
   *
   * @throws {GuestFault} With status `closed`.
   */
  check(): void {
    if (this.#ended !== undefined) throw over();
  }

  /**
   * Aborts its signal, and leaves the result to whoever heeds that.
   *
   * @param reason What the signal is aborted with.
   */
  cancel(reason: unknown): void {
    this.#controller?.abort(reason);
  }

  /** Waits for its result, or its end. */
  result<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
    });
  }

  /** Ends it, because its time is over. */
  timeOut(timeoutMs: number): void {
    const operation = this.#what;
    const text = `within ${timeoutMs} ms`;
    const reason = new SandboxError(
      "timed-out",
      `Cannot wait for ${operation}: it was not done ${text}`,
      { details: { operation, timeoutMs } },
    );
    this.end(reason, new GuestFault("timed-out", `it was not done ${text}`));
  }

  /**
   * Ends it.
   *
   * @param reason What its signal is aborted with.
   * @param fault What its result is.
   */
  end(reason: unknown, fault: unknown): void {
    this.#ended ??= { reason };
    this.#reject?.(fault);
    this.#controller?.abort(reason);
  }
}

/** Everything that a guest waits for during one call. */
export class CallScope {
  readonly #operations = new Set<Operation>();
  #isOver = false;

  /**
   * Refuses what is asked when the call is over.
   *
   * @throws {GuestFault} With status `closed`.
   */
  check(): void {
    if (this.#isOver) throw over();
  }

  /**
   * Waits for something, until the call ends.
   *
   * @param operation What it is.
   * @param promise Its result; ignored if it comes late.
   * @param timeoutMs How long it may take.
   * @returns The result.
   * @throws {GuestFault} With status `timed-out` or `closed`.
   */
  async wait<T>(
    operation: Operation,
    promise: Promise<T>,
    timeoutMs = Infinity,
  ): Promise<T> {
    this.#operations.add(operation);
    const timer = Number.isFinite(timeoutMs)
      ? setTimeout(() => operation.timeOut(timeoutMs), timeoutMs)
      : undefined;
    try {
      return await operation.result(promise);
    } finally {
      clearTimeout(timer);
      this.#operations.delete(operation);
    }
  }

  /**
   * Lets time pass, but no more than the call takes.
   *
   * @param ms How much, in milliseconds.
   */
  async pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    try {
      await this.wait(new Operation("its turn"), promise);
    } catch {
      // the call is over
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Ends the call, and all that is waited for.
   *
   * @param failure Why it failed, if it did.
   */
  end(failure: unknown): void {
    this.#isOver = true;
    if (this.#operations.size === 0) return;
    const reason = failure ??
      new DOMException("The guest's call is over", "AbortError");
    for (const operation of this.#operations) operation.end(reason, over());
    this.#operations.clear();
  }
}

function over(): GuestFault {
  return new GuestFault("closed", "the call is over");
}

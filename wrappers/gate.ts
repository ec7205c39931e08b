/**
 * How many may come in at a time, and how many may wait for it.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import type { OperationOptions } from "../runtime/types.ts";

/** Options of {@linkcode Gate}. */
export interface GateOptions {
  /** Most that are inside at a time, at least one. */
  readonly maxInside: number;
  /** Most that wait; the next one is turned away. `Infinity` is allowed. */
  readonly maxWaiting: number;
  /**
   * What comes in, in the plural, for messages.
   *
   * @default {"requests"}
   */
  readonly what?: string;
}

/** Somebody who waits. */
interface Waiter {
  readonly enter: () => void;
  readonly refuse: (reason: unknown) => void;
}

/** Lets a number of callers in at a time, and others wait in a bounded line. */
export class Gate {
  readonly #options: Required<GateOptions>;
  readonly #waiters: Set<Waiter> = new Set();
  #inside = 0;
  #closed: unknown;
  #whenEmpty: PromiseWithResolvers<void> | undefined;

  /**
   * Constructs an open gate.
   *
   * @param options How many may come in and wait.
   * @throws {TypeError} If one of them is no such number.
   */
  constructor({ maxInside, maxWaiting, what = "requests" }: GateOptions) {
    checkCount("maxInside", maxInside, 1);
    checkCount("maxWaiting", maxWaiting, 0);
    this.#options = { maxInside, maxWaiting, what };
  }

  /** How many are inside. */
  get inside(): number {
    return this.#inside;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Whether whoever comes now is in at once. */
  get hasRoom(): boolean {
    return this.#inside < this.#options.maxInside;
  }

  /**
   * Comes in, when there is room. Whoever is inside must `leave` once.
   *
   * @param options Cancellation of the waiting.
   * @returns Nothing, at once if there is room.
   * @throws {SandboxError} With code `overloaded` if too many wait, or with what
   * the gate was closed with.
   */
  enter({ signal }: OperationOptions = {}): Promise<void> | undefined {
    signal?.throwIfAborted();
    if (this.#closed !== undefined) throw this.#closed;
    const { maxInside, maxWaiting } = this.#options;
    if (this.#inside < maxInside) {
      this.#inside++;
      return undefined;
    }
    if (this.#waiters.size >= maxWaiting) throw this.#overloaded();
    return this.#wait(signal);
  }

  /**
   * Makes room for the next one: whoever has waited longest is in at once, and
   * nobody who comes later can be before.
   *
   * @throws {TypeError} If nobody is inside.
   */
  leave(): void {
    if (this.#waiters.size > 0) {
      const [next] = this.#waiters;
      return next?.enter();
    }
    // one that leaves twice would let one too many in
    if (this.#inside === 0) {
      throw new TypeError("Cannot leave the gate: nobody is inside");
    }
    this.#inside--;
    if (this.#inside > 0 || this.#whenEmpty === undefined) return;
    this.#whenEmpty.resolve();
    this.#whenEmpty = undefined;
  }

  /**
   * Lets nobody in any more. Those who wait are let in, or refused.
   *
   * @param reason What whoever comes is told.
   * @param options Whether those who wait already are refused, too.
   */
  close(reason: unknown, { refuseWaiting = false } = {}): void {
    this.#closed ??= reason;
    if (!refuseWaiting) return;
    for (const waiter of [...this.#waiters]) waiter.refuse(reason);
  }

  /**
   * Waits until nobody is inside; nobody waits then, either.
   *
   * @param options Cancellation of the waiting.
   */
  async whenEmpty({ signal }: OperationOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#inside === 0) return;
    this.#whenEmpty ??= Promise.withResolvers();
    const { promise } = this.#whenEmpty;
    await (signal === undefined ? promise : orAborted(promise, signal));
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        enter: () => {
          done();
          resolve();
        },
        refuse: (reason) => {
          done();
          reject(reason);
        },
      };
      const onAbort = () => waiter.refuse(signal?.reason);
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #overloaded(): SandboxError<"overloaded"> {
    const { maxInside, maxWaiting, what } = this.#options;
    return new SandboxError(
      "overloaded",
      `Cannot take more ${what}: ${maxInside} are served and ${maxWaiting} ` +
        "wait (try again later, or allow more)",
      { details: { running: maxInside, waiting: maxWaiting } },
    );
  }
}

function checkCount(name: string, count: number, least: number): void {
  if (count === Infinity) return;
  if (Number.isSafeInteger(count) && count >= least) return;
  throw new TypeError(
    `Cannot make a gate with a ${name} of ${String(count)}: ` +
      `must be a whole number of at least ${least}, or Infinity`,
  );
}

/** The same, unless the signal is aborted before. */
async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

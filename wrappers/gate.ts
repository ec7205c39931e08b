/**
 * How many may come in at a time, and how many may wait for it.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import type { OperationOptions } from "../runtime/types.ts";

/** Options of {@linkcode Gate}. */
export interface GateOptions {
  /** Most that are inside at a time. */
  readonly maxInside: number;
  /** Most that wait; the next one is turned away. */
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
   */
  constructor(options: GateOptions) {
    this.#options = { what: "requests", ...options };
  }

  /** How many are inside. */
  get inside(): number {
    return this.#inside;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
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

  /** Makes room for the next one. */
  leave(): void {
    const [next] = this.#waiters;
    if (next !== undefined) return next.enter();
    this.#inside--;
    if (this.#inside === 0) this.#whenEmpty?.resolve();
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

  /** Resolves as soon as nobody is inside; nobody waits then, either. */
  async whenEmpty(): Promise<void> {
    if (this.#inside === 0) return;
    this.#whenEmpty ??= Promise.withResolvers();
    await this.#whenEmpty.promise;
    this.#whenEmpty = undefined;
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
      signal?.addEventListener("abort", onAbort);
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

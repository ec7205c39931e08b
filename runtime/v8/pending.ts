/**
 * One call that may wait: its deadline, its cancellation, and what it waits
 * for.
 *
 * @module
 */

import type { ImportName } from "../../errors.ts";
import type { Signature } from "../types.ts";

/** What a call throws that was ended from outside. */
export interface Ended {
  /** What its caller is told. */
  readonly error: unknown;
}

/** A promise of a host function. */
export interface PromisedResult {
  /** The promise. */
  readonly promise: PromiseLike<unknown>;
  /** The import. */
  readonly name: ImportName;
  /** What it is of. */
  readonly results: Signature["results"];
}

/** How a promise was settled. */
export interface Outcome {
  /** What was promised. */
  readonly promised: PromisedResult;
  /** Whether it was rejected. */
  readonly isRejected: boolean;
  /** What with. */
  readonly value: unknown;
}

/** Options of {@linkcode PendingCall}. */
export interface PendingOptions {
  /** The export that is called. */
  readonly name: string;
  /** Its deadline, from now. */
  readonly timeoutMs: number;
  /** Cancels it while it waits. */
  readonly signal: AbortSignal | undefined;
  /** The error of a call that reaches its deadline while it waits. */
  late(name: ImportName): Error;
}

/** What a promise that may never be settled holds on to: nothing of a guest. */
interface Wait {
  resume: (() => void) | undefined;
  isRejected: boolean;
  value: unknown;
}

/** One call that may wait. */
export class PendingCall {
  // plain fields, since they are looked at where a call could overflow the stack
  /** Whether the guest is suspended. */
  isWaiting = false;
  /** Whether the watchdog has found it late. */
  isLate = false;
  /** Whether the guest has returned. */
  hasReturned = false;
  readonly #options: PendingOptions;
  readonly #deadline: number;
  readonly #over: PromiseWithResolvers<void> = Promise.withResolvers();
  #wait: Wait | undefined;
  #promised: PromisedResult | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listens = false;
  #ended: Ended | undefined;

  /**
   * Constructs it: the time runs from now on.
   *
   * @param options Its deadline, and cancellation.
   */
  constructor(options: PendingOptions) {
    this.#options = options;
    this.#deadline = options.timeoutMs === Infinity
      ? Infinity
      : performance.now() + options.timeoutMs;
  }

  /** The export that is called. */
  get name(): string {
    return this.#options.name;
  }

  /** Why it was ended from outside, if it was. */
  get ended(): Ended | undefined {
    return this.#ended;
  }

  /** Settles when the call is over. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** What is left of its time, in milliseconds. */
  remainingMs(): number {
    return this.#deadline === Infinity
      ? Infinity
      : this.#deadline - performance.now();
  }

  /**
   * Waits for a promise, or until the call is ended.
   *
   * @param promised The promise.
   * @returns Settles when the guest is to go on.
   */
  wait(promised: PromisedResult): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait: Wait = { resume: resolve, isRejected: false, value: undefined };
    this.#wait = wait;
    this.#promised = promised;
    this.#watch();
    follow(promised.promise, wait);
    this.isWaiting = true;
    return promise;
  }

  /** Throws if the guest must not wait: it is late, or was ended meanwhile. */
  requireTime(): void {
    if (!this.isLate && this.#ended === undefined) return;
    this.isWaiting = false;
    this.#wait = undefined;
    throw new TypeError("Cannot wait: the call has no time left");
  }

  /**
   * Ends it. If the guest waits it goes on, to its end.
   *
   * @param ended What it is to throw.
   */
  end(ended: Ended): void {
    this.#ended ??= ended;
    const wait = this.#wait;
    const resume = wait?.resume;
    if (wait !== undefined) wait.resume = undefined;
    resume?.();
  }

  /**
   * The guest goes on.
   *
   * @returns What the promise has come to; undefined if the guest must end.
   */
  goOn(): Outcome | undefined {
    const wait = this.#wait;
    const promised = this.#promised;
    this.isWaiting = false;
    this.#wait = undefined;
    this.#promised = undefined;
    if (wait === undefined || promised === undefined) return undefined;
    if (this.#ended === undefined && this.remainingMs() <= 0) {
      this.#ended = { error: this.#options.late(promised.name) };
    }
    if (this.#ended !== undefined) return undefined;
    return { promised, isRejected: wait.isRejected, value: wait.value };
  }

  /** Lets go of timer and signal; a guest that still waits is ended. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#listens) {
      this.#options.signal?.removeEventListener("abort", this.#abort);
    }
    this.#wait?.resume?.();
    this.#wait = undefined;
    this.isWaiting = false;
    this.#over.resolve();
  }

  /** Looks at the clock and at the signal, from the first wait on. */
  #watch(): void {
    const { signal } = this.#options;
    if (signal !== undefined && !this.#listens) {
      this.#listens = true;
      signal.addEventListener("abort", this.#abort);
    }
    if (signal?.aborted) this.#abort();
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#timer !== undefined || this.#deadline === Infinity) return;
    // a fraction of a millisecond would be cut off
    const ms = Math.max(0, Math.ceil(this.remainingMs()));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const promised = this.#promised;
      if (promised === undefined) return;
      if (this.remainingMs() > 0) return this.#setTimer();
      this.end({ error: this.#options.late(promised.name) });
    }, Math.min(ms, MAX_TIMER_MS));
  }

  readonly #abort = (): void => {
    this.end({ error: this.#options.signal?.reason });
  };
}

/** Timers of more than this fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Notes how a promise is settled, unless nobody waits for it any more. */
function follow(promise: PromiseLike<unknown>, wait: Wait): void {
  const settle = (value: unknown, isRejected: boolean) => {
    const { resume } = wait;
    if (resume === undefined) return;
    wait.resume = undefined;
    wait.isRejected = isRejected;
    wait.value = value;
    resume();
  };
  Promise.resolve(promise).then(
    (value) => settle(value, false),
    (error) => settle(error, true),
  );
}

/**
 * Counts what runs, and looks at the clock from time to time.
 *
 * @module
 */

import { LimitReached } from "./errors.ts";

/** Units of work between two looks at the clock: well below a millisecond. */
const STRIDE = 10_000;
/** What a millisecond of sleep takes, if fuel is the only limit of time. */
const SLEEP_FUEL_PER_MS = 100_000;

/** Fuel and time of one instance. */
export class Meter {
  /** Units that may be used before {@linkcode Meter.refill} is asked. */
  budget = 0;
  /** Fuel beyond the budget; infinite if it is not counted. */
  #left: number;
  readonly #isCounted: boolean;
  /** Fuel that was put in, all in all. */
  #given: number;
  /** When the call that runs has to be over. */
  #deadline = Infinity;
  readonly #bell = new Int32Array(new SharedArrayBuffer(4));

  /**
   * Constructs it.
   *
   * @param fuel How much fuel there is, if it is counted.
   */
  constructor(fuel: number | undefined) {
    this.#isCounted = fuel !== undefined;
    this.#given = fuel ?? 0;
    this.#left = fuel ?? Infinity;
  }

  /** Fuel that was used, if it is counted. */
  get used(): number | undefined {
    return this.#isCounted ? this.#given - this.#fuel() : undefined;
  }

  /** Milliseconds that are left of the call. */
  get remainingMs(): number {
    return this.#deadline - performance.now();
  }

  /** Sets how much fuel is left. */
  set(fuel: number): void {
    if (!this.#isCounted) {
      throw new TypeError(
        "Cannot set the fuel: the instance has no limit of fuel",
      );
    }
    this.#given += fuel - this.#fuel();
    this.#left = fuel;
    this.budget = 0;
  }

  /** Begins a call. */
  begin(timeoutMs: number): void {
    this.#deadline = performance.now() + timeoutMs;
  }

  /**
   * Goes on after the budget was overdrawn, if it may.
   *
   * @param budget The budget, below zero.
   * @returns The new one, what was overdrawn paid.
   * @throws {LimitReached} If fuel or time is used up.
   */
  refill(budget: number): number {
    this.#left += budget;
    this.budget = 0;
    if (this.#left < 0) {
      this.#left = 0;
      throw new LimitReached("fuel");
    }
    this.checkTime();
    const next = Math.min(STRIDE, this.#left);
    this.#left -= next;
    return this.budget = next;
  }

  /** Takes units at once. */
  charge(units: number): void {
    this.budget -= units;
    if (this.budget < 0) this.refill(this.budget);
  }

  /**
   * Takes units for work of the host's, which does not end by it: the guest
   * ends with its next instruction.
   */
  take(units: number): void {
    if (this.#isCounted) this.budget -= Math.max(0, units);
  }

  /** Ends a call: throws if the host took more than there was. */
  settle(): void {
    if (this.budget < 0) this.refill(this.budget);
  }

  /** Throws if the time is up. */
  checkTime(): void {
    if (performance.now() > this.#deadline) throw new LimitReached("timeoutMs");
  }

  /** Waits in this thread, no longer than the deadline lets it. */
  sleep(ms: number): void {
    if (this.#deadline === Infinity) {
      this.take(Math.ceil(ms * SLEEP_FUEL_PER_MS));
    }
    const left = Math.min(ms, this.remainingMs);
    if (left > 0 && this.#fuel() >= 0) Atomics.wait(this.#bell, 0, 0, left);
  }

  #fuel(): number {
    return this.#left + this.budget;
  }
}

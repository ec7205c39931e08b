/** Tells what takes too long, with one timer for all of it. */

/** Something that may become late. */
export interface Pending {
  /** When, by `performance.now()`. */
  readonly at: number;
  readonly onLate: () => void;
}

/**
 * Times of one length. A timer of its own for each would cost more than most of
 * what is timed.
 */
export class Lateness implements Disposable {
  readonly #ms: number;
  /** In the order in which they become late. */
  readonly #pending = new Set<Pending>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Begins a time. */
  add(onLate: () => void): Pending {
    const pending = { at: performance.now() + this.#ms, onLate };
    this.#pending.add(pending);
    // one that is left over finds nobody late, and goes on with the next
    if (this.#timer === undefined) this.#arm(this.#ms);
    return pending;
  }

  /** Ends a time. */
  delete(pending: Pending): void {
    this.#pending.delete(pending);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    if (this.#isOver) return;
    // one who is late may have begun another time
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#check(), ms);
    this.#timer = timer;
    // what is timed keeps the process alive by itself
    Deno.unrefTimer(timer);
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.at > now) return this.#arm(pending.at - now + 1);
      this.#pending.delete(pending);
      pending.onLate();
    }
  }
}

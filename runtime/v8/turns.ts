/**
 * Turns of the event loop, for guests that ask without end.
 *
 * @module
 */

/** Calls of the host between two looks at the clock. */
const BURST = 16;
/** For so long guests may go on with no turn for others. */
const MAX_STALL_MS = 8;

/**
 * Lets others have their turn. A guest that is answered at once, or by promises
 * that are settled already, would otherwise keep every timer of the host
 * waiting until its deadline.
 */
export class Turns {
  #calls = 0;
  /** When the guest went on; not known before the first look at the clock. */
  #sinceMs = NaN;
  #next: ReturnType<typeof setImmediate> | undefined;

  /** A call begins: the event loop has had its turn. */
  begin(): void {
    this.#calls = 0;
    this.#sinceMs = NaN;
  }

  /** A call that waited for a turn was ended: lets go of it. */
  end(): void {
    clearImmediate(this.#next);
  }

  /**
   * Looks whether it is time, once in a while.
   *
   * @returns A promise of the next turn; undefined if there is no need to wait.
   */
  due(): Promise<void> | undefined {
    return ++this.#calls < BURST ? undefined : this.#look();
  }

  #look(): Promise<void> | undefined {
    this.#calls = 0;
    const now = performance.now();
    if (Number.isNaN(this.#sinceMs)) this.#sinceMs = now;
    if (now - this.#sinceMs < MAX_STALL_MS) return undefined;
    return new Promise((resolve) => {
      // comes when the timers that are due have run; a timer of our own would
      // take a millisecond
      this.#next = setImmediate(() => {
        this.#sinceMs = performance.now();
        resolve();
      });
    });
  }
}

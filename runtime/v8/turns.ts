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
  #lastMs = 0;

  /**
   * Looks whether it is time, once in a while.
   *
   * @returns A promise of the next turn; undefined if there is no need to wait.
   */
  due(): Promise<void> | undefined {
    if (++this.#calls < BURST) return undefined;
    this.#calls = 0;
    if (performance.now() - this.#lastMs < MAX_STALL_MS) return undefined;
    return new Promise((resolve) =>
      setTimeout(() => {
        this.#lastMs = performance.now();
        resolve();
      })
    );
  }
}

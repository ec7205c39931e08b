/**
 * Lets the event loop turn while messages flow.
 *
 * @module
 */

/** Messages in a row before a timer is worth it. */
const BURST = 32;
/** Longest time for which messages hold up the event loop. */
const MAX_STALL_MS = 4;

/** A wait for the event loop. */
interface Pause {
  readonly since: number;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly turned: PromiseWithResolvers<void>;
}

/**
 * Promises that are settled run one after the other before the event loop
 * turns: two sides that always have a message for each other would hold up
 * every timer. Whoever takes messages asks here before each.
 */
export class Turn {
  readonly #burst: number;
  #messages = 0;
  #pause: Pause | undefined;

  /**
   * Constructs it.
   *
   * @param burst Messages in a row before a timer is worth it; 1 for those that
   * may take long.
   */
  constructor(burst: number = BURST) {
    this.#burst = burst;
  }

  /**
   * Says whether to go on.
   *
   * @returns Nothing, or a promise to wait for: the event loop is due.
   */
  pass(): Promise<void> | undefined {
    const pause = this.#pause;
    if (pause === undefined) {
      if (++this.#messages >= this.#burst) this.#pause = this.#begin();
      return undefined;
    }
    // the timer of a loop that turns has long removed the pause
    const isDue = performance.now() - pause.since > MAX_STALL_MS;
    return isDue ? pause.turned.promise : undefined;
  }

  /** Lets go of the timer; nobody waits any more. */
  end(): void {
    const pause = this.#pause;
    if (pause === undefined) return;
    this.#pause = undefined;
    this.#messages = 0;
    clearTimeout(pause.timer);
    pause.turned.resolve();
  }

  #begin(): Pause {
    return {
      since: performance.now(),
      timer: setTimeout(() => this.end()),
      turned: Promise.withResolvers<void>(),
    };
  }
}

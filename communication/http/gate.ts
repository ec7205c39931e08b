/**
 * Bounds how many do something at a time.
 *
 * @module
 */

/** Lets some in, and the next ones when somebody leaves. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /**
   * Constructs an open one.
   *
   * @param places How many may be in.
   */
  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Waits for a place, in the order of asking.
   *
   * @param signal Cancellation.
   * @returns The place; leave it by disposing it.
   * @throws What the signal was aborted with.
   */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    return { [Symbol.dispose]: () => this.#leave() };
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => {
      this.#waiting.splice(this.#waiting.indexOf(enter), 1);
      reject(signal.reason);
    };
    const enter = () => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#waiting.push(enter);
    return promise;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

/** Pieces of a body that were read before anybody asked for them. */
export class Pieces {
  readonly #pieces: Uint8Array[] = [];
  #hasEnded = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  /** Adds one. */
  put(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  /** No more will come. */
  end(error?: unknown): void {
    this.#hasEnded = true;
    this.#error = error;
    this.#wake?.();
  }

  /**
   * Takes the next one, when it is there.
   *
   * @returns The piece; undefined at the end.
   * @throws What it has ended with.
   */
  async take(): Promise<Uint8Array | undefined> {
    while (this.#pieces.length === 0 && !this.#hasEnded) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#error !== undefined) throw this.#error;
    return this.#pieces.shift();
  }
}

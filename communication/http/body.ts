/**
 * A body while it comes in.
 *
 * @module
 */

const FIRST_BYTES = 4_096;

/**
 * Puts bytes together. It grows by doubling: a peer that sends single bytes
 * costs no more than one that does not.
 */
export class Body {
  readonly #maxBytes: number;
  #bytes = new Uint8Array(0);
  #length = 0;

  /**
   * Constructs an empty one.
   *
   * @param maxBytes The most that it takes.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes a piece.
   *
   * @param piece The piece; it is copied.
   * @returns Whether there was room for it.
   */
  push(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#maxBytes) return false;
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.set(piece, this.#length);
    this.#length = length;
    return true;
  }

  /**
   * Gives what was taken.
   *
   * @returns The bytes.
   */
  take(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#bytes.length
      ? this.#bytes
      : this.#bytes.slice(0, this.#length);
  }

  #grow(length: number): void {
    const doubled = Math.max(FIRST_BYTES, length, 2 * this.#bytes.length);
    const bytes = new Uint8Array(Math.min(doubled, this.#maxBytes));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}

/**
 * What a process says of itself when it crashes.
 *
 * @module
 */

/** How much is kept; the rest is read and lost. */
const MAX_BYTES = 64 * 2 ** 10;

/** Reads a process's standard error to its end, and keeps the first of it. */
export class Stderr {
  /** Settled at its end. */
  readonly ended: Promise<void>;
  readonly #decoder = new TextDecoder();
  #text = "";
  #bytes = 0;

  /**
   * Begins to read.
   *
   * @param stream The process's standard error.
   */
  constructor(stream: ReadableStream<Uint8Array>) {
    // one that breaks off has ended, too
    this.ended = this.#read(stream).catch(() => {});
  }

  /** What it said so far. */
  get text(): string {
    return this.#text;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) {
      const part = chunk.subarray(0, MAX_BYTES - this.#bytes);
      this.#bytes += part.length;
      this.#text += this.#decoder.decode(part, { stream: true });
    }
  }
}

/**
 * What a process says of itself when it crashes.
 *
 * @module
 */

/** How much is kept; the rest is read and lost. */
const MAX_BYTES = 64 * 2 ** 10;
/** More than a process that crashes has to say. */
const FLOOD_BYTES = 2 ** 20;

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
   * @param onFlood Told if there is no end of it; then no more is read.
   */
  constructor(stream: ReadableStream<Uint8Array>, onFlood: () => void) {
    // one that breaks off has ended, too
    this.ended = this.#read(stream, onFlood).catch(() => {});
  }

  /** What it said so far. */
  get text(): string {
    return this.#text;
  }

  async #read(
    stream: ReadableStream<Uint8Array>,
    onFlood: () => void,
  ): Promise<void> {
    let read = 0;
    for await (const chunk of stream) {
      read += chunk.length;
      if (read > FLOOD_BYTES) return onFlood();
      const part = chunk.subarray(0, MAX_BYTES - this.#bytes);
      this.#bytes += part.length;
      this.#text += this.#decoder.decode(part, { stream: true });
    }
  }
}

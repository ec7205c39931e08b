/**
 * Short pieces of bytes that share buffers: to make a buffer takes longer than
 * to fill it.
 *
 * @module
 */

/** Longest piece that is taken out of a shared buffer. */
const MAX_SMALL_BYTES = 512;
/** Bytes of a shared buffer. */
const CHUNK_BYTES = 8_192;

const ENCODER = new TextEncoder();

/**
 * Makes pieces of bytes. No byte is handed out twice, but whoever passes a piece
 * on to code that may transfer its buffer must copy it before.
 */
export class SmallBytes {
  #chunk: ArrayBuffer | undefined;
  #used = 0;

  /**
   * Copies a part of something.
   *
   * @param from What it is a part of.
   * @param at Where it starts.
   * @param length How long it is.
   * @returns The copy.
   */
  copy(
    from: Uint8Array<ArrayBuffer>,
    at: number,
    length: number,
  ): Uint8Array<ArrayBuffer> {
    if (length > MAX_SMALL_BYTES) return from.slice(at, at + length);
    const piece = this.#piece(length);
    for (let index = 0; index < length; index++) {
      piece[index] = from[at + index] ?? 0;
    }
    return piece;
  }

  /**
   * Writes text as UTF-8.
   *
   * @param text The text.
   * @returns Its bytes.
   */
  encode(text: string): Uint8Array<ArrayBuffer> {
    const { length } = text;
    if (length > MAX_SMALL_BYTES) return ENCODER.encode(text);
    const piece = this.#piece(length);
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return ENCODER.encode(text);
      piece[index] = unit;
    }
    return piece;
  }

  #piece(length: number): Uint8Array<ArrayBuffer> {
    if (this.#chunk === undefined || this.#used + length > CHUNK_BYTES) {
      this.#chunk = new ArrayBuffer(CHUNK_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    // takes half as long as subarray does
    return new Uint8Array(this.#chunk, start, length);
  }
}

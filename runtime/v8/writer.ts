/**
 * A growing buffer for the WebAssembly binary format.
 *
 * @module
 */

const ENCODER = new TextEncoder();

/** Longest run that is copied byte by byte; beyond it `set` is faster. */
const SHORT_RUN = 48;

/** Appends bytes. */
export class ByteWriter {
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;

  /**
   * Constructs an empty writer.
   *
   * @param capacity Bytes to reserve.
   */
  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** What was written, as a view. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Appends single bytes. */
  u8(...bytes: readonly number[]): this {
    this.#reserve(bytes.length);
    for (const byte of bytes) this.#buffer[this.#length++] = byte;
    return this;
  }

  /** Appends one byte. */
  byte(byte: number): this {
    if (this.#length === this.#buffer.length) this.#reserve(1);
    this.#buffer[this.#length++] = byte;
    return this;
  }

  /** Appends an unsigned LEB128; a size of 64 bits takes up to ten bytes. */
  u32(value: number): this {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
    return this;
  }

  /** Appends a signed LEB128 of a number of at most 32 bits. */
  s32(value: number): this {
    let rest = value;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) {
        return this.byte(low);
      }
      this.byte(low | 0x80);
    }
  }

  /** Appends `source[start, end)`. */
  copy(source: Uint8Array, start = 0, end: number = source.length): this {
    this.#reserve(end - start);
    if (end - start <= SHORT_RUN) {
      const buffer = this.#buffer;
      let at = this.#length;
      for (let index = start; index < end; index++) {
        buffer[at++] = source[index] ?? 0;
      }
      this.#length = at;
    } else {
      this.#buffer.set(source.subarray(start, end), this.#length);
      this.#length += end - start;
    }
    return this;
  }

  /** Appends a name: UTF-8 with its length before it. */
  name(text: string): this {
    const bytes = ENCODER.encode(text);
    return this.u32(bytes.length).copy(bytes);
  }

  /** Appends what `write` writes, with its length in five bytes before it. */
  sized(write: (writer: this) => void): this {
    const at = this.openSize();
    write(this);
    this.closeSize(at);
    return this;
  }

  /** Reserves five bytes for a length; pass the result to `closeSize`. */
  openSize(): number {
    this.#reserve(5);
    this.#length += 5;
    return this.#length;
  }

  /** Fills in the length of what was written since `openSize`. */
  closeSize(start: number): void {
    let rest = this.#length - start;
    for (let at = start - 5; at < start; at++) {
      this.#buffer[at] = at === start - 1 ? rest : (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

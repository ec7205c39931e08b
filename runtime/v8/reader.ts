/**
 * A bounds-checked reader of the WebAssembly binary format.
 *
 * @module
 */

import { printable } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";

/**
 * The error of a module that is no valid WebAssembly.
 *
 * @param byteLength Length of the module.
 * @param problem What is wrong.
 * @param offset Where.
 * @param options The cause.
 * @returns The error.
 */
export function malformed(
  byteLength: number,
  problem: string,
  offset?: number,
  options: ErrorOptions = {},
): SandboxError<"invalid-module"> {
  const where = offset === undefined ? "" : ` at byte ${offset}`;
  return new SandboxError(
    "invalid-module",
    `Cannot read the module of ${byteLength} bytes: ${
      printable(problem)
    }${where}`,
    {
      ...options,
      details: { byteLength, ...(offset === undefined ? {} : { offset }) },
    },
  );
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Longest name that is worth reading by hand: a decoder costs a microsecond. */
const MAX_SHORT_NAME = 64;

/** Reads forward over bytes, and throws `invalid-module` past their end. */
export class ByteReader {
  /** The whole module. */
  readonly bytes: Uint8Array;
  /** Offset of the next byte. */
  pos: number;
  /** Offset behind the last byte that may be read. */
  end: number;

  /**
   * Constructs a reader.
   *
   * @param bytes The whole module.
   * @param pos Offset of the first byte to read.
   * @param end Offset behind the last.
   */
  constructor(bytes: Uint8Array, pos = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  /** Throws that something is wrong here. */
  fail(problem: string, offset: number = this.pos): never {
    throw malformed(this.bytes.length, problem, offset);
  }

  /** Reads one byte. */
  u8(): number {
    if (this.pos >= this.end) this.fail("it ends too early");
    return this.bytes[this.pos++] ?? 0;
  }

  /** Reads an unsigned LEB128 of at most 32 bits. */
  u32(): number {
    const first = this.bytes[this.pos] ?? 0x80;
    if (first < 0x80 && this.pos < this.end) {
      this.pos++;
      return first;
    }
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    this.fail("a number is longer than 32 bits", this.pos - 1);
  }

  /** Reads an unsigned LEB128 of at most 64 bits, as a number. */
  u64(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.u8();
      if (shift === 63 && byte > 1) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    this.fail("a number is longer than 64 bits", this.pos - 1);
  }

  /** Reads a signed LEB128 of at most 33 bits. */
  s33(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        return (byte & 0x40) === 0 ? value : value - 2 ** (shift + 7);
      }
    }
    this.fail("a number is longer than 33 bits", this.pos - 1);
  }

  /** Reads the count of a vector whose items take `itemBytes` at least. */
  count(itemBytes = 1): number {
    const count = this.u32();
    if (count * itemBytes > this.end - this.pos) {
      this.fail(`a count of ${count} does not fit into its section`);
    }
    return count;
  }

  /** Passes over one LEB128 of any kind, of at most `bytes` bytes. */
  skipLeb(bytes = 10): void {
    for (let index = 0; index < bytes; index++) {
      if (this.u8() < 0x80) return;
    }
    this.fail("a number is too long");
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    if (length > this.end - this.pos) this.fail("it ends too early");
    this.pos += length;
  }

  /** Reads a name: UTF-8 with its length before it. */
  name(): string {
    const length = this.count();
    const start = this.pos;
    this.pos += length;
    if (length <= MAX_SHORT_NAME) {
      let text = "";
      let index = start;
      for (; index < this.pos; index++) {
        const byte = this.bytes[index] ?? 0;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (index === this.pos) return text;
    }
    try {
      return DECODER.decode(this.bytes.subarray(start, this.pos));
    } catch {
      this.fail("a name is not UTF-8", start);
    }
  }
}

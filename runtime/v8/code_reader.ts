/**
 * Reads the immediates of instructions. Reading past the end gives zeros, and
 * the scanner finds out behind each function: bounds are not checked here, for
 * speed.
 *
 * @module
 */

import type { ModuleLayout } from "./layout.ts";

const NO_VALUE = 0x40;

/** Reads forward over the code of one function. */
export class CodeReader {
  /** Offset of the next byte. */
  pos = 0;
  /** Offset behind the function. */
  end = 0;
  /** How many values the block takes whose type was read last. */
  params = 0;
  /** How many values it gives. */
  results = 0;
  /** The whole module. */
  readonly bytes: Uint8Array;
  readonly #layout: ModuleLayout;

  /**
   * Constructs a reader.
   *
   * @param layout The module.
   */
  constructor(layout: ModuleLayout) {
    this.#layout = layout;
    this.bytes = layout.bytes;
  }

  /** Reads the low 32 bits of an LEB128; the engine checks its length. */
  leb(): number {
    const { bytes } = this;
    let byte = bytes[this.pos++] ?? 0;
    let value = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[this.pos++] ?? 0;
      if (shift < 32) value += (byte & 0x7f) * 2 ** shift;
    }
    return value;
  }

  /** Passes over alignment, memory and offset. */
  memarg(): void {
    if ((this.leb() & 0x40) !== 0) this.leb();
    this.leb();
  }

  /** Reads the type of a block: a value's, none, or a function's. */
  blockType(): void {
    const byte = this.bytes[this.pos] ?? 0;
    this.params = 0;
    this.results = byte === NO_VALUE ? 0 : 1;
    if (byte > 0x3f && byte < 0x80) {
      this.pos++;
      if (byte === 0x63 || byte === 0x64) this.leb();
      return;
    }
    const type = this.leb();
    this.params = this.#layout.paramCounts[type] ?? 0;
    this.results = this.#layout.resultCounts[type] ?? 0;
  }
}

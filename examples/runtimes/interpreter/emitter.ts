/**
 * The machine's code while it is written.
 *
 * @module
 */

import type { Block } from "./checker.ts";
import { labelTypes } from "./checker.ts";
import { refused } from "./errors.ts";

/** Goes on elsewhere; what the end of a then-part does, for nothing. */
export const JUMP = 0x120;
/** Goes on elsewhere: a branch that leaves the stack as it is. */
export const GOTO = 0x121;
/** A branch that takes values along to a lower place of the stack. */
export const BRANCH = 0x122;
/** Goes on elsewhere if a value is zero. */
export const IF_ZERO = 0x123;
/** {@linkcode GOTO} if a value is not zero. */
export const GOTO_IF = 0x124;
/** {@linkcode BRANCH} if a value is not zero. */
export const BRANCH_IF = 0x125;
/** One of several {@linkcode BRANCH}. */
export const BRANCH_TABLE = 0x126;
/** Goes back to the caller. */
export const RETURN = 0x127;
/** Calls a function of the host, and goes back to the caller. */
export const HOST = 0x128;

/** Writes the code of all functions into one list. */
export class Emitter {
  #code = new Int32Array(1024);
  #length = 0;
  readonly #most: number;

  /**
   * Constructs it.
   *
   * @param byteLength Length of the module, which bounds that of its code.
   */
  constructor(byteLength: number) {
    this.#most = 1_000_000 + 2 * byteLength;
  }

  /** Where the next number goes. */
  get here(): number {
    return this.#length;
  }

  /** Adds numbers. */
  add(...numbers: readonly number[]): void {
    if (this.#length + numbers.length > this.#code.length) {
      if (this.#length > this.#most) throw tooLong(this.#most);
      const larger = new Int32Array(2 * this.#code.length + numbers.length);
      larger.set(this.#code);
      this.#code = larger;
    }
    for (const number of numbers) this.#code[this.#length++] = number;
  }

  /** Adds where a block goes on, or will, once that is known. */
  target(block: Block): void {
    if (block.target < 0) block.fixups.push(this.#length);
    this.add(block.target);
  }

  /**
   * Adds where a branch goes, how many values it takes along, and to which
   * place of the frame; a slot has two places, of 32 bits each.
   */
  destination(block: Block, firstSlot: number): void {
    this.target(block);
    this.add(labelTypes(block).length, 2 * (firstSlot + block.height));
  }

  /** Fills in what was left open: it is here. */
  patch(places: readonly number[]): void {
    for (const place of places) this.#code[place] = this.#length;
  }

  /** The code. */
  finish(): Int32Array {
    return this.#code.slice(0, this.#length);
  }
}

function tooLong(most: number): Error {
  return refused(`its code takes more than ${most} numbers to write down`, {
    reason: "too much code",
  });
}

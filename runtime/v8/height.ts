/**
 * How many values stand on the operand stack. What the engine keeps for each
 * place at which control flow meets grows with them, as it does with locals.
 *
 * Exact for valid code that is reached, but for handlers of exceptions, where
 * it is an upper bound.
 *
 * @module
 */

import { MAX_NESTING, MAX_TAG_PARAMS } from "./bounds.ts";

type Row = readonly [first: number, last: number, change: number];

function table(size: number, rows: readonly Row[]): Int8Array {
  const change = new Int8Array(size);
  for (const [first, last, by] of rows) change.fill(by, first, last + 1);
  return change;
}

/** By opcode: how many more values there are behind it; calls left out. */
export const CORE_HEIGHT: Int8Array = table(256, [
  [0x04, 0x04, -1], // if
  [0x0d, 0x0e, -1], // br_if, br_table
  [0x11, 0x11, -1], // call_indirect
  [0x13, 0x15, -1], // return_call_indirect, call_ref, return_call_ref
  [0x1a, 0x1a, -1], // drop
  [0x1b, 0x1c, -2], // select
  [0x20, 0x20, 1], // local.get
  [0x21, 0x21, -1], // local.set
  [0x23, 0x23, 1], // global.get
  [0x24, 0x24, -1], // global.set
  [0x26, 0x26, -2], // table.set
  [0x36, 0x3e, -2], // stores
  [0x3f, 0x3f, 1], // memory.size
  [0x41, 0x44, 1], // constants
  [0x46, 0x4f, -1], // comparisons
  [0x51, 0x66, -1],
  [0x6a, 0x78, -1], // arithmetic of two operands
  [0x7c, 0x8a, -1],
  [0x92, 0x98, -1],
  [0xa0, 0xa6, -1],
  [0xd0, 0xd0, 1], // ref.null
  [0xd2, 0xd2, 1], // ref.func
  [0xd3, 0xd3, -1], // ref.eq
  [0xd6, 0xd6, -1], // br_on_non_null
]);

/** Behind 0xfb; struct.new and array.new_fixed take their operands besides. */
export const GC_HEIGHT: Int8Array = table(0x1f, [
  [0x00, 0x01, 1], // struct.new*
  [0x05, 0x05, -2], // struct.set
  [0x06, 0x06, -1], // array.new
  [0x08, 0x08, 1], // array.new_fixed
  [0x09, 0x0d, -1], // array.new_data, array.new_elem, array.get*
  [0x0e, 0x0e, -3], // array.set
  [0x10, 0x10, -4], // array.fill
  [0x11, 0x11, -5], // array.copy
  [0x12, 0x13, -4], // array.init_*
]);

/** Behind 0xfc. */
export const MISC_HEIGHT: Int8Array = table(0x12, [
  [0x08, 0x08, -3], // memory.init
  [0x0a, 0x0c, -3], // memory.copy, memory.fill, table.init
  [0x0e, 0x0e, -3], // table.copy
  [0x0f, 0x0f, -1], // table.grow
  [0x10, 0x10, 1], // table.size
  [0x11, 0x11, -3], // table.fill
]);

/** Behind 0xfd. */
export const SIMD_HEIGHT: Int8Array = table(0x114, [
  [0x0b, 0x0b, -2], // v128.store
  [0x0c, 0x0c, 1], // v128.const
  [0x0d, 0x0e, -1], // shuffle, swizzle
  ...[0x17, 0x1a, 0x1c, 0x1e, 0x20, 0x22].map((op): Row => [op, op, -1]),
  [0x23, 0x4c, -1], // comparisons
  [0x4e, 0x51, -1], // and, andnot, or, xor
  [0x52, 0x52, -2], // bitselect
  [0x54, 0x57, -1], // loads into a lane
  [0x58, 0x5b, -2], // stores of a lane
  [0x65, 0x66, -1],
  [0x6b, 0x73, -1],
  [0x76, 0x79, -1],
  [0x7b, 0x7b, -1],
  [0x82, 0x82, -1],
  [0x85, 0x86, -1],
  [0x8b, 0x93, -1],
  [0x95, 0x9f, -1],
  [0xab, 0xbf, -1],
  [0xcb, 0xdf, -1],
  [0xe4, 0xeb, -1],
  [0xf0, 0xf7, -1],
  [0x100, 0x100, -1],
  [0x105, 0x10c, -2], // relaxed multiply and add, select of lanes
  [0x10d, 0x112, -1],
  [0x113, 0x113, -2],
]);

/** Behind 0xfe. */
export const ATOMIC_HEIGHT: Int8Array = table(0x4f, [
  [0x00, 0x00, -1], // notify
  [0x01, 0x02, -2], // wait
  [0x17, 0x1d, -2], // stores
  [0x1e, 0x47, -1], // read, modify, write
  [0x48, 0x4e, -2], // compare, exchange
]);

/** Follows the height of the stack through the blocks of one function. */
export class StackHeight {
  /** How many values there are now; means nothing in code that is not reached. */
  now = 0;

  // one item for each block that is open
  readonly #bases = new Int32Array(MAX_NESTING + 1);
  readonly #params = new Int32Array(MAX_NESTING + 1);
  readonly #results = new Int32Array(MAX_NESTING + 1);

  /** Begins a block. */
  open(depth: number, params: number, results: number): void {
    this.#bases[depth] = this.now - params;
    this.#params[depth] = params;
    this.#results[depth] = results;
  }

  /** Begins the other branch of an `if`. */
  other(depth: number): void {
    this.now = (this.#bases[depth] ?? 0) + (this.#params[depth] ?? 0);
  }

  /** Begins a handler, which gets the values of an exception. */
  handler(depth: number): void {
    this.now = (this.#bases[depth] ?? 0) + MAX_TAG_PARAMS;
  }

  /** Ends a block. */
  close(depth: number): void {
    this.now = (this.#bases[depth] ?? 0) + (this.#results[depth] ?? 0);
  }
}

/**
 * Instructions on whole memories and tables. They cost what they move.
 *
 * @module
 */

import type { Slots } from "./slots.ts";
import type { Store } from "./store.ts";

/** What growing costs, whether it succeeds or not. */
const GROW_COST = 255;
const NONE = new Uint8Array();
const NO_ITEMS = new Int32Array();

/** What an instruction works on. */
export interface BulkContext {
  readonly stack: Slots;
  readonly store: Store;
  /** Takes fuel beyond the one unit that each instruction costs. */
  charge(units: number): void;
}

/**
 * Runs one.
 *
 * @param op Its opcode.
 * @param a Its first immediate, if it has one.
 * @param b Its second.
 * @param sp Where the stack ends.
 * @param context What it works on.
 * @returns Where the stack ends then.
 * @throws {Trap} If it reaches outside.
 */
export function bulk(
  op: number,
  a: number,
  b: number,
  sp: number,
  context: BulkContext,
): number {
  const { stack: { i32 }, store: { memory, tables, elements, data } } = context;
  const operand = (place: number) => (i32[sp - place] as number) >>> 0;
  switch (op) {
    case 0x3f: // memory.size
      i32[sp] = memory.length >>> 16;
      return sp + 2;
    case 0x40: // memory.grow
      context.charge(GROW_COST);
      i32[sp - 2] = memory.grow(operand(2));
      return sp;
    case 0x109: // data.drop
      data[a] = NONE;
      return sp;
    case 0x10d: // elem.drop
      elements[a] = NO_ITEMS;
      return sp;
    case 0x108:
    case 0x10a:
    case 0x10b:
      bulkMemory(op, a, context, operand);
      return sp - 6;
  }
  const table = tables[op === 0x10c ? b : a];
  if (table === undefined) throw new TypeError("no such table");
  switch (op) {
    case 0x25: // table.get
      table.check(operand(2), 1);
      i32[sp - 2] = table.items[operand(2)] as number;
      return sp;
    case 0x26: // table.set
      table.check(operand(4), 1);
      table.items[operand(4)] = i32[sp - 2] as number;
      return sp - 4;
    case 0x10c: { // table.init
      const [to, from, count] = [operand(6), operand(4), operand(2)];
      const items = elements[a] ?? NO_ITEMS;
      table.check(to, count);
      if (from + count > items.length) table.check(Infinity, count);
      context.charge(count);
      table.items.set(items.subarray(from, from + count), to);
      return sp - 6;
    }
    case 0x10e: { // table.copy
      const [to, from, count] = [operand(6), operand(4), operand(2)];
      const source = tables[b] ?? table;
      table.check(to, count);
      source.check(from, count);
      context.charge(count);
      table.items.set(source.items.subarray(from, from + count), to);
      return sp - 6;
    }
    case 0x10f: // table.grow
      context.charge(GROW_COST);
      i32[sp - 4] = table.grow(operand(2), i32[sp - 4] as number);
      return sp - 2;
    case 0x110: // table.size
      i32[sp] = table.length;
      return sp + 2;
    default: // table.fill
      table.check(operand(6), operand(2));
      context.charge(operand(2));
      table.items.fill(
        i32[sp - 4] as number,
        operand(6),
        operand(6) + operand(2),
      );
      return sp - 6;
  }
}

/** Fills a memory, or copies within it or into it. */
function bulkMemory(
  op: number,
  segment: number,
  { store: { memory, data }, charge }: BulkContext,
  operand: (place: number) => number,
): void {
  const [to, from, count] = [operand(6), operand(4), operand(2)];
  memory.check(to, count);
  const bytes = data[segment] ?? NONE;
  if (op === 0x10a) memory.check(from, count);
  else if (op === 0x108 && from + count > bytes.length) {
    memory.check(Infinity, count);
  }
  charge(count >>> 6);
  if (op === 0x10a) memory.bytes.copyWithin(to, from, from + count);
  else if (op === 0x10b) memory.bytes.fill(from, to, to + count);
  else memory.bytes.set(bytes.subarray(from, from + count), to);
}

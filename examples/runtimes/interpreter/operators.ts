/**
 * Types of the instructions that only calculate, load or store.
 *
 * @module
 */

import { F32, F64, I32, I64 } from "./types.ts";

/** What an instruction takes, how often, and what it gives. */
export interface Operator {
  /** Type of its operands. */
  readonly takes: number;
  /** How many there are. */
  readonly count: 1 | 2;
  /** Type of its result. */
  readonly gives: number;
}

/** First and last opcode, type of the operands, their number, the result's. */
const ROWS: readonly (readonly [number, number, number, 1 | 2, number])[] = [
  [0x45, 0x45, I32, 1, I32],
  [0x46, 0x4f, I32, 2, I32],
  [0x50, 0x50, I64, 1, I32],
  [0x51, 0x5a, I64, 2, I32],
  [0x5b, 0x60, F32, 2, I32],
  [0x61, 0x66, F64, 2, I32],
  [0x67, 0x69, I32, 1, I32],
  [0x6a, 0x78, I32, 2, I32],
  [0x79, 0x7b, I64, 1, I64],
  [0x7c, 0x8a, I64, 2, I64],
  [0x8b, 0x91, F32, 1, F32],
  [0x92, 0x98, F32, 2, F32],
  [0x99, 0x9f, F64, 1, F64],
  [0xa0, 0xa6, F64, 2, F64],
  [0xa7, 0xa7, I64, 1, I32],
  [0xa8, 0xa9, F32, 1, I32],
  [0xaa, 0xab, F64, 1, I32],
  [0xac, 0xad, I32, 1, I64],
  [0xae, 0xaf, F32, 1, I64],
  [0xb0, 0xb1, F64, 1, I64],
  [0xb2, 0xb3, I32, 1, F32],
  [0xb4, 0xb5, I64, 1, F32],
  [0xb6, 0xb6, F64, 1, F32],
  [0xb7, 0xb8, I32, 1, F64],
  [0xb9, 0xba, I64, 1, F64],
  [0xbb, 0xbb, F32, 1, F64],
  [0xbc, 0xbc, F32, 1, I32],
  [0xbd, 0xbd, F64, 1, I64],
  [0xbe, 0xbe, I32, 1, F32],
  [0xbf, 0xbf, I64, 1, F64],
  [0xc0, 0xc1, I32, 1, I32],
  [0xc2, 0xc4, I64, 1, I64],
  // behind the prefix 0xfc
  [0x100, 0x101, F32, 1, I32],
  [0x102, 0x103, F64, 1, I32],
  [0x104, 0x105, F32, 1, I64],
  [0x106, 0x107, F64, 1, I64],
];

/**
 * The table of the instructions that only calculate, by opcode.
 *
 * @returns A new table.
 */
export function operatorTable(): readonly (Operator | undefined)[] {
  const table: (Operator | undefined)[] = new Array(0x108).fill(undefined);
  for (const [first, last, takes, count, gives] of ROWS) {
    table.fill({ takes, count, gives }, first, last + 1);
  }
  return table;
}

/** An instruction that loads or stores. */
export interface Access {
  /** Type of the value. */
  readonly type: number;
  /** Exponent of how many bytes it reaches. */
  readonly log2: number;
}

/** Loads from 0x28 on, and stores from 0x36 on. */
const ACCESSES: readonly (readonly [type: number, log2: number])[] = [
  [I32, 2],
  [I64, 3],
  [F32, 2],
  [F64, 3],
  [I32, 0],
  [I32, 0],
  [I32, 1],
  [I32, 1],
  [I64, 0],
  [I64, 0],
  [I64, 1],
  [I64, 1],
  [I64, 2],
  [I64, 2],
  [I32, 2],
  [I64, 3],
  [F32, 2],
  [F64, 3],
  [I32, 0],
  [I32, 1],
  [I64, 0],
  [I64, 1],
  [I64, 2],
];

/** The first opcode that stores. */
export const FIRST_STORE = 0x36;

/**
 * An instruction that loads or stores.
 *
 * @param op Its opcode.
 * @returns What it reaches; undefined if it does neither.
 */
export function accessOf(op: number): Access | undefined {
  const [type, log2] = ACCESSES[op - 0x28] ?? [];
  return type === undefined || log2 === undefined ? undefined : { type, log2 };
}

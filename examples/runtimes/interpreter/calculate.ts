/**
 * Instructions that only calculate.
 *
 * @module
 */

import { convert } from "./conversions.ts";
import { float } from "./floats.ts";
import { binary32, binary64, unary32, unary64 } from "./integers.ts";
import type { Slots } from "./slots.ts";

/**
 * Runs one.
 *
 * @param op Its opcode, from 0x45 on.
 * @param stack The stack.
 * @param sp Where it ends.
 * @returns Where it ends then.
 * @throws {Trap} If it has no result.
 */
export function calculate(op: number, stack: Slots, sp: number): number {
  const { i32 } = stack;
  if (op < 0x50 || (op > 0x69 && op < 0x79)) {
    if (op === 0x45) {
      i32[sp - 2] = unary32(op, i32[sp - 2] as number);
      return sp;
    }
    const [first, second] = [i32[sp - 4] as number, i32[sp - 2] as number];
    i32[sp - 4] = binary32(op, first, second);
    return sp - 2;
  }
  if (op === 0x50 || (op > 0x78 && op < 0x7c) || (op > 0xc1 && op < 0xc5)) {
    unary64(op, i32, sp - 2);
    return sp;
  }
  if (op < 0x5b || (op > 0x7b && op < 0x8b)) {
    binary64(op, stack, (sp >> 1) - 2);
    return sp - 2;
  }
  if (op < 0x67 || (op > 0x8a && op < 0xa7)) return float(op, stack, sp);
  if (op < 0x6a || (op > 0xbf && op < 0xc2)) {
    i32[sp - 2] = unary32(op, i32[sp - 2] as number);
    return sp;
  }
  convert(op, stack, sp - 2);
  return sp;
}

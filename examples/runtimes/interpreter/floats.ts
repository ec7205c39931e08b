/**
 * Instructions on numbers with a fraction. Both widths share them: a result of
 * 32 bits is rounded when it is stored, which for these is as good as to
 * calculate with 32 bits. What only changes a sign keeps all other bits, also
 * of what is no number.
 *
 * @module
 */

import type { Slots } from "./slots.ts";

/** Opcodes of the first comparison, and of the first calculation. */
const COMPARE_32 = 0x5b;
const COMPARE_64 = 0x61;
const CALCULATE_32 = 0x8b;
const CALCULATE_64 = 0x99;
/** How many calculations take one operand. */
const UNARY = 7;

/**
 * Runs an instruction on numbers with a fraction.
 *
 * @param op The opcode, from 0x5b to 0x66 or from 0x8b to 0xa6.
 * @param stack The stack.
 * @param sp Where it ends.
 * @returns Where it ends then.
 */
export function float(op: number, stack: Slots, sp: number): number {
  const { i32, f32, f64 } = stack;
  if (op < CALCULATE_32) {
    const is64 = op >= COMPARE_64;
    const a = is64 ? f64[(sp >> 1) - 2] : f32[sp - 4];
    const b = is64 ? f64[(sp >> 1) - 1] : f32[sp - 2];
    const which = op - (is64 ? COMPARE_64 : COMPARE_32);
    i32[sp - 4] = compare(which, a as number, b as number) ? 1 : 0;
    return sp - 2;
  }
  const is64 = op >= CALCULATE_64;
  const which = op - (is64 ? CALCULATE_64 : CALCULATE_32);
  if (which < 2 || which === 13) return setSign(which, i32, sp, is64 ? 1 : 0);
  const count = which < UNARY ? 1 : 2;
  const at = sp - 2 * count;
  const a = (is64 ? f64[at >> 1] : f32[at]) as number;
  const b = (is64 ? f64[(sp >> 1) - 1] : f32[sp - 2]) as number;
  const result = count === 1 ? unary(which, a) : binary(which, a, b);
  if (is64) f64[at >> 1] = result;
  else f32[at] = result;
  return at + 2;
}

function compare(which: number, a: number, b: number): boolean {
  switch (which) {
    case 0:
      return a === b;
    case 1:
      return a !== b;
    case 2:
      return a < b;
    case 3:
      return a > b;
    case 4:
      return a <= b;
    default:
      return a >= b;
  }
}

/** `abs`, `neg` and `copysign`: the sign is the first bit of the last place. */
function setSign(
  which: number,
  i32: Int32Array,
  sp: number,
  last: 0 | 1,
): number {
  const at = (which === 13 ? sp - 4 : sp - 2) + last;
  const bits = i32[at] as number;
  if (which === 0) i32[at] = bits & 0x7fffffff;
  else if (which === 1) i32[at] = bits ^ 0x80000000;
  else {
    const sign = (i32[sp - 2 + last] as number) & 0x80000000;
    i32[at] = (bits & 0x7fffffff) | sign;
  }
  return which === 13 ? sp - 2 : sp;
}

function unary(which: number, a: number): number {
  // what is no number comes out as a quiet one
  if (Number.isNaN(a)) return NaN;
  switch (which) {
    case 2:
      return Math.ceil(a);
    case 3:
      return Math.floor(a);
    case 4:
      return Math.trunc(a);
    case 5:
      return nearest(a);
    default:
      return Math.sqrt(a);
  }
}

/** Rounds to a whole number, halves to an even one. */
function nearest(a: number): number {
  if (Math.abs(a) >= 2 ** 52) return a;
  const down = Math.floor(a);
  const rest = a - down;
  const up = rest > 0.5 || (rest === 0.5 && down % 2 !== 0);
  const result = up ? down + 1 : down;
  // zero keeps its sign
  return result === 0 && (a < 0 || Object.is(a, -0)) ? -0 : result;
}

function binary(which: number, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return NaN;
  switch (which) {
    case 7:
      return a + b;
    case 8:
      return a - b;
    case 9:
      return a * b;
    case 10:
      return a / b;
    case 11:
      return Math.min(a, b);
    default:
      return Math.max(a, b);
  }
}

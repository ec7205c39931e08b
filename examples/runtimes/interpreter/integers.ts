/**
 * Instructions on integers.
 *
 * @module
 */

import { Trap } from "./errors.ts";
import type { Slots } from "./slots.ts";

/**
 * Calculates with two numbers of 32 bits.
 *
 * @param op The opcode, from 0x46 to 0x4f or from 0x6a to 0x78.
 * @param a The first.
 * @param b The second.
 * @returns The result; its lower 32 bits count.
 * @throws {Trap} If it has none.
 */
export function binary32(op: number, a: number, b: number): number {
  switch (op) {
    case 0x46: // eq
      return a === b ? 1 : 0;
    case 0x47: // ne
      return a === b ? 0 : 1;
    case 0x48: // lt_s
      return a < b ? 1 : 0;
    case 0x49: // lt_u
      return a >>> 0 < b >>> 0 ? 1 : 0;
    case 0x4a: // gt_s
      return a > b ? 1 : 0;
    case 0x4b: // gt_u
      return a >>> 0 > b >>> 0 ? 1 : 0;
    case 0x4c: // le_s
      return a <= b ? 1 : 0;
    case 0x4d: // le_u
      return a >>> 0 <= b >>> 0 ? 1 : 0;
    case 0x4e: // ge_s
      return a >= b ? 1 : 0;
    case 0x4f: // ge_u
      return a >>> 0 >= b >>> 0 ? 1 : 0;
    case 0x6a:
      return a + b;
    case 0x6b:
      return a - b;
    case 0x6c:
      return Math.imul(a, b);
    case 0x71:
      return a & b;
    case 0x72:
      return a | b;
    case 0x73:
      return a ^ b;
    case 0x74:
      return a << b;
    case 0x75:
      return a >> b;
    case 0x76:
      return a >>> b;
    case 0x77: // rotl
      return (a << b) | ((a >>> 1) >>> (31 - (b & 31)));
    case 0x78: // rotr
      return (a >>> b) | ((a << 1) << (31 - (b & 31)));
  }
  if (b === 0) throw new Trap("integer divide by zero");
  if (op === 0x6d && b === -1 && a === -0x80000000) {
    throw new Trap("integer overflow");
  }
  if (op === 0x6d) return (a / b) | 0;
  if (op === 0x6e) return ((a >>> 0) / (b >>> 0)) | 0;
  return op === 0x6f ? (a % b) | 0 : ((a >>> 0) % (b >>> 0)) | 0;
}

/** How many bits of a number are set. */
function population(value: number): number {
  const pairs = value - ((value >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** How many zeros a number ends in. */
function trailing(value: number): number {
  return value === 0 ? 32 : 31 - Math.clz32(value & -value);
}

/**
 * Calculates with one number of 32 bits.
 *
 * @param op The opcode: 0x45, from 0x67 to 0x69, 0xc0 or 0xc1.
 * @param a The number.
 * @returns The result.
 */
export function unary32(op: number, a: number): number {
  switch (op) {
    case 0x45: // eqz
      return a === 0 ? 1 : 0;
    case 0x67:
      return Math.clz32(a);
    case 0x68:
      return trailing(a);
    case 0x69:
      return population(a);
    case 0xc0:
      return (a << 24) >> 24;
    default:
      return (a << 16) >> 16;
  }
}

/**
 * Calculates with one number of 64 bits, in place.
 *
 * @param op The opcode: 0x50, from 0x79 to 0x7b, or from 0xc2 to 0xc4.
 * @param i32 The stack.
 * @param at Place of the number.
 */
export function unary64(op: number, i32: Int32Array, at: number): void {
  const low = i32[at] as number;
  const high = i32[at + 1] as number;
  if (op >= 0xc2) {
    const bits = 8 << (op - 0xc2);
    i32[at] = (low << (32 - bits)) >> (32 - bits);
    i32[at + 1] = (i32[at] as number) >> 31;
    return;
  }
  if (op === 0x50) i32[at] = (low | high) === 0 ? 1 : 0;
  else if (op === 0x79) {
    i32[at] = high === 0 ? 32 + Math.clz32(low) : Math.clz32(high);
  } else if (op === 0x7a) {
    i32[at] = low === 0 ? 32 + trailing(high) : trailing(low);
  } else i32[at] = population(low) + population(high);
  i32[at + 1] = 0;
}

/**
 * Calculates with two numbers of 64 bits; the result takes the first's place.
 *
 * @param op The opcode, from 0x51 to 0x5a or from 0x7c to 0x8a.
 * @param stack The stack.
 * @param slot Slot of the first number; the second is in the next.
 * @throws {Trap} If there is no result.
 */
export function binary64(op: number, stack: Slots, slot: number): void {
  const { i64, u64, i32 } = stack;
  if (op <= 0x5a) {
    i32[2 * slot] = compare64(op, stack, slot) ? 1 : 0;
    return;
  }
  const a = i64[slot] as bigint;
  const b = i64[slot + 1] as bigint;
  switch (op) {
    case 0x7c:
      i64[slot] = a + b;
      return;
    case 0x7d:
      i64[slot] = a - b;
      return;
    case 0x7e:
      i64[slot] = a * b;
      return;
    case 0x83:
      i64[slot] = a & b;
      return;
    case 0x84:
      i64[slot] = a | b;
      return;
    case 0x85:
      i64[slot] = a ^ b;
      return;
    case 0x86:
      i64[slot] = a << (b & 63n);
      return;
    case 0x87:
      i64[slot] = a >> (b & 63n);
      return;
  }
  const first = u64[slot] as bigint;
  const second = u64[slot + 1] as bigint;
  const shift = second & 63n;
  if (op === 0x88) u64[slot] = first >> shift;
  else if (op === 0x89) {
    u64[slot] = (first << shift) | (first >> (64n - shift));
  } else if (op === 0x8a) {
    u64[slot] = (first >> shift) | (first << (64n - shift));
  } else {
    if (second === 0n) throw new Trap("integer divide by zero");
    if (op === 0x7f && b === -1n && a === -(2n ** 63n)) {
      throw new Trap("integer overflow");
    }
    if (op === 0x7f) i64[slot] = a / b;
    else if (op === 0x80) u64[slot] = first / second;
    else if (op === 0x81) i64[slot] = a % b;
    else u64[slot] = first % second;
  }
}

function compare64(op: number, { i64, u64 }: Slots, slot: number): boolean {
  const isSigned = op % 2 === 1;
  const numbers = isSigned ? i64 : u64;
  const a = numbers[slot] as bigint;
  const b = numbers[slot + 1] as bigint;
  if (op === 0x51) return a === b;
  if (op === 0x52) return a !== b;
  if (op <= 0x54) return a < b;
  if (op <= 0x56) return a > b;
  return op <= 0x58 ? a <= b : a >= b;
}

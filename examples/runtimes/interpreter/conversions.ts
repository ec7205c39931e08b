/**
 * Instructions that make one type of number into another.
 *
 * @module
 */

import { Trap } from "./errors.ts";
import type { Slots } from "./slots.ts";

/** Opcodes of the conversions that saturate, of whole numbers of 32 bits. */
const SATURATE = 0x100;
/** The same, of 64 bits. */
const SATURATE_64 = 0x104;

/**
 * Converts the number on the top of the stack, in place.
 *
 * @param op The opcode, from 0xa7 to 0xbf or from 0x100 to 0x107.
 * @param stack The stack.
 * @param at Place of the number.
 * @throws {Trap} If it cannot be converted.
 */
export function convert(op: number, stack: Slots, at: number): void {
  const { i32, f32, f64, i64, u64 } = stack;
  const slot = at >> 1;
  switch (op) {
    case 0xa8:
    case 0xa9:
    case 0xaa:
    case 0xab:
      i32[at] = truncate32(float(op < 0xaa, stack, at), op % 2 === 0);
      return;
    case 0xac: // i64.extend_i32_s
      i32[at + 1] = (i32[at] as number) >> 31;
      return;
    case 0xad: // i64.extend_i32_u
      i32[at + 1] = 0;
      return;
    case 0xae:
    case 0xaf:
    case 0xb0:
    case 0xb1:
      i64[slot] = truncate64(float(op < 0xb0, stack, at), op % 2 === 0);
      return;
    case 0xb2:
      f32[at] = i32[at] as number;
      return;
    case 0xb3:
      f32[at] = (i32[at] as number) >>> 0;
      return;
    case 0xb4:
      f32[at] = nearest32(i64[slot] as bigint);
      return;
    case 0xb5:
      f32[at] = nearest32(u64[slot] as bigint);
      return;
    case 0xb6: // f32.demote_f64
      f32[at] = f64[slot] as number;
      return;
    case 0xb7:
      f64[slot] = i32[at] as number;
      return;
    case 0xb8:
      f64[slot] = (i32[at] as number) >>> 0;
      return;
    case 0xb9:
      f64[slot] = Number(i64[slot]);
      return;
    case 0xba:
      f64[slot] = Number(u64[slot]);
      return;
    case 0xbb: // f64.promote_f32
      f64[slot] = f32[at] as number;
      return;
  }
  if (op >= SATURATE) saturate(op, stack, at);
  // the others only call the same bits by another name
}

function float(is32: boolean, { f32, f64 }: Slots, at: number): number {
  return (is32 ? f32[at] : f64[at >> 1]) as number;
}

function truncate32(value: number, isSigned: boolean): number {
  if (Number.isNaN(value)) throw new Trap("invalid conversion to integer");
  const whole = Math.trunc(value);
  const fits = isSigned
    ? whole >= -(2 ** 31) && whole < 2 ** 31
    : whole >= 0 && whole < 2 ** 32;
  if (!fits) throw new Trap("integer overflow");
  return whole | 0;
}

function truncate64(value: number, isSigned: boolean): bigint {
  if (Number.isNaN(value)) throw new Trap("invalid conversion to integer");
  const whole = Math.trunc(value);
  const fits = isSigned
    ? whole >= -(2 ** 63) && whole < 2 ** 63
    : whole >= 0 && whole < 2 ** 64;
  if (!fits) throw new Trap("integer overflow");
  return BigInt(whole);
}

function saturate(op: number, stack: Slots, at: number): void {
  const isSigned = op % 2 === 0;
  const is64 = op >= SATURATE_64;
  const width = is64 ? 64 : 32;
  const value = float((op & 2) === 0, stack, at);
  const low = isSigned ? -(2 ** (width - 1)) : 0;
  const high = isSigned ? 2 ** (width - 1) : 2 ** width;
  const whole = Number.isNaN(value) ? 0 : Math.trunc(value);
  if (!is64) {
    stack.i32[at] = Math.min(Math.max(whole, low), high - 1);
    return;
  }
  const most = BigInt(high) - 1n;
  stack.i64[at >> 1] = whole >= high ? most : BigInt(Math.max(whole, low));
}

/**
 * The nearest number of 32 bits. By way of one of 64 bits it would be rounded
 * twice; so the bits that do not matter are made into one that tells whether
 * there are any.
 */
function nearest32(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  if (magnitude < 2n ** 53n) return Number(value);
  const rest = (magnitude & 0x7ffn) === 0n ? 0n : 1n;
  const rounded = Math.fround(Number((magnitude >> 11n) | rest)) * 2048;
  return value < 0n ? -rounded : rounded;
}

/**
 * Constants that are worth trying: ends of ranges, and patterns of NaN.
 *
 * @module
 */

import type { Random } from "../v8/_random.ts";
import type { NumberType, Type } from "./_operators.ts";

const INTEGERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 7n, 8n, 31n, 32n, 63n, 64n, 127n, 128n, 255n, 256n],
  ...[32767n, 32768n, 65535n, 65536n, 0x7fffffffn, 0x80000000n, 0xffffffffn],
  ...[0x100000000n, 2n ** 53n, 2n ** 63n - 1n, -1n, -2n, -128n, -129n, -32768n],
  ...[-32769n, -65536n, -(2n ** 31n), -(2n ** 31n) - 1n, -(2n ** 63n)],
  ...[0x0123456789abcdefn, 0xdeadbeefn],
];

/** Bits of numbers of 32 bits: zeros, subnormal, ends, infinities, NaNs. */
const F32_BITS: readonly number[] = [
  ...[0, 0x80000000, 1, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000],
  ...[0x3f000000, 0x3effffff, 0x4effffff, 0x4f000000, 0xcf000000, 0x4f800000],
  ...[0x5f000000, 0x5f7fffff, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000],
  ...[0x7fc00000, 0xffc00000, 0x7fa00000, 0x7f800001, 0xff812345, 0x4b000001],
];

const F64_BITS: readonly bigint[] = [
  ...[0n, 2n ** 63n, 1n, 0x000fffffffffffffn, 0x0010000000000000n],
  ...[0x3ff0000000000000n, 0xbff0000000000000n, 0x3fe0000000000000n],
  ...[0x3fdfffffffffffffn, 0x41dfffffffc00000n, 0x41e0000000000000n],
  ...[0xc1e0000000000000n, 0xc1e0000000200000n, 0x41efffffffe00000n],
  ...[0x43e0000000000000n, 0xc3e0000000000000n, 0x43f0000000000000n],
  ...[0x7fefffffffffffffn, 0x7ff0000000000000n, 0xfff0000000000000n],
  ...[0x7ff8000000000000n, 0xfff8000000000000n, 0x7ff4000000000000n],
  ...[0x7ff0000000000001n, 0xfff123456789abcdn, 0x4330000000000001n],
  ...[0x47efffffe0000000n, 0x36a0000000000000n],
];

/** An integer, of at most 64 bits. */
export function integer(random: Random, bits: 32 | 64): bigint {
  const value = random.below(3) > 0
    ? random.pick(INTEGERS)
    : BigInt(random.next()) << 32n | BigInt(random.next());
  return BigInt.asIntN(bits, value >> BigInt(random.pick([0, 0, 0, 1, 17])));
}

/** The bits of a constant. */
export function bitsOf(random: Random, type: NumberType): bigint {
  switch (type) {
    case "i32":
      return BigInt.asUintN(32, integer(random, 32));
    case "i64":
      return BigInt.asUintN(64, integer(random, 64));
    case "f32":
      return BigInt(
        random.below(4) > 0 ? random.pick(F32_BITS) : random.next(),
      );
    case "f64":
      return random.below(4) > 0
        ? random.pick(F64_BITS)
        : BigInt(random.next()) << 32n | BigInt(random.next());
  }
}

/** A constant as JavaScript has it. A NaN has the bits that JavaScript gives. */
export function valueOf(random: Random, type: NumberType): number | bigint {
  const bits = bitsOf(random, type);
  if (type === "i32") return Number(BigInt.asIntN(32, bits));
  if (type === "i64") return BigInt.asIntN(64, bits);
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  const value = type === "f64" ? view.getFloat64(0) : view.getFloat32(4);
  return Number.isNaN(value) ? NaN : value;
}

/** Encodes a signed LEB128. */
export function sleb(value: bigint): number[] {
  const out: number[] = [];
  for (let rest = value;; rest >>= 7n) {
    const low = Number(rest & 127n);
    if (rest >= -64n && rest < 64n) return [...out, low];
    out.push(low | 128);
  }
}

/** Bytes of a number, the lowest first. */
export function littleEndian(bits: bigint, length: number): number[] {
  return Array.from(
    { length },
    (_, index) => Number(bits >> BigInt(8 * index) & 255n),
  );
}

/** The instruction that gives a constant. */
export function constant(random: Random, type: Type): number[] {
  switch (type) {
    case "i32":
      return [0x41, ...sleb(integer(random, 32))];
    case "i64":
      return [0x42, ...sleb(integer(random, 64))];
    case "f32":
      return [0x43, ...littleEndian(bitsOf(random, type), 4)];
    case "f64":
      return [0x44, ...littleEndian(bitsOf(random, type), 8)];
    case "v128":
      return [0xfd, 0x0c, ...vector(random)];
    default:
      return zero(type);
  }
}

function vector(random: Random): number[] {
  const lane = random.pick(["i32", "i64", "f32", "f64"] as const);
  const length = lane === "i32" || lane === "f32" ? 4 : 8;
  return Array.from(
    { length: 16 / length },
    () => littleEndian(bitsOf(random, lane), length),
  ).flat();
}

/** The instruction that gives the least value: zero, or null. */
export function zero(type: Type): number[] {
  switch (type) {
    case "i32":
      return [0x41, 0];
    case "i64":
      return [0x42, 0];
    case "f32":
      return [0x43, 0, 0, 0, 0];
    case "f64":
      return [0x44, 0, 0, 0, 0, 0, 0, 0, 0];
    case "v128":
      return [0xfd, 0x0c, ...new Uint8Array(16)];
    case "funcref":
      return [0xd0, 0x70];
    case "externref":
      return [0xd0, 0x6f];
  }
}

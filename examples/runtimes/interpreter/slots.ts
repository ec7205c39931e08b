/**
 * Slots of 64 bits, seen as numbers of every type. A number of 32 bits lies in
 * the lower half of its slot; as Deno runs on little-endian machines only, that
 * is the first of the slot's two places.
 *
 * @module
 */

import { F32, F64, I32, I64 } from "./types.ts";

/** Slots, by the place of 32 bits that they begin at. */
export class Slots {
  readonly i32: Int32Array<ArrayBuffer>;
  readonly f32: Float32Array<ArrayBuffer>;
  readonly f64: Float64Array<ArrayBuffer>;
  readonly i64: BigInt64Array<ArrayBuffer>;
  readonly u64: BigUint64Array<ArrayBuffer>;

  /**
   * Constructs slots, all of them zero.
   *
   * @param count How many.
   */
  constructor(count: number) {
    const buffer = new ArrayBuffer(8 * count);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.u64 = new BigUint64Array(buffer);
  }

  /** Reads a value as JavaScript has it. */
  read(place: number, type: number): number | bigint {
    if (type === I32) return this.i32[place] as number;
    if (type === I64) return this.i64[place >> 1] as bigint;
    if (type === F32) return this.f32[place] as number;
    return this.f64[place >> 1] as number;
  }

  /** Writes a value of JavaScript's, which is of the right kind. */
  write(place: number, type: number, value: number | bigint): void {
    if (type === I64) this.i64[place >> 1] = BigInt(value);
    else if (type === F32) this.f32[place] = Number(value);
    else if (type === F64) this.f64[place >> 1] = Number(value);
    else this.i32[place] = Number(value);
  }

  /** Lets the memory go at once. */
  free(): void {
    this.i32.buffer.transfer(0);
  }
}

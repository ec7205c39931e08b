/**
 * Small modules of the host's own, which stand between guests and the host and
 * between guests that are linked.
 *
 * @module
 */

import type { NumberType, WasmValue } from "../types.ts";
import { ByteWriter } from "../v8/writer.ts";

/** A function of numbers. */
export interface NumberSignature {
  /** Its parameters. */
  readonly params: readonly NumberType[];
  /** Its results. */
  readonly results: readonly NumberType[];
}

/** A number, and its type. */
export interface Constant {
  /** Its type. */
  readonly type: NumberType;
  /** The number. */
  readonly value: WasmValue;
}

/** Export of the adapter's memory. */
export const ADAPTER_MEMORY = "memory";
/** Where the adapter's memory holds the first argument or result, in bytes. */
export const VALUES_OFFSET = 8;
/** From one argument or result to the next. */
export const VALUE_BYTES = 8;
/** Export of the table of a function that comes later. */
export const LATER_TABLE = "table";

const TYPES: Readonly<Record<NumberType, number>> = Object.freeze({
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
});
const CONST: Readonly<Record<NumberType, number>> = Object.freeze({
  i32: 0x41,
  i64: 0x42,
  f32: 0x43,
  f64: 0x44,
});
const LOAD: Readonly<Record<NumberType, number>> = Object.freeze({
  i32: 0x28,
  i64: 0x29,
  f32: 0x2a,
  f64: 0x2b,
});
const STORE: Readonly<Record<NumberType, number>> = Object.freeze({
  i32: 0x36,
  i64: 0x37,
  f32: 0x38,
  f64: 0x39,
});

const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const END = 0x0b;
const I32_CONST = 0x41;
const I32_NE = 0x47;
const IF = 0x04;
const LOCAL_GET = 0x20;
const NO_RESULT = 0x40;
const UNREACHABLE = 0x00;
const FUNCREF = 0x70;

/**
 * Writes the adapter of some imports: for each a function of its type, by its
 * number. It stores its arguments in the adapter's memory, takes the mark off
 * that the host has done its work, calls the import of its number, which takes
 * nothing and gives nothing, and traps unless the mark is there again.
 *
 * So nothing that happens between guest and host can be taken for success: not
 * even that the callback could not begin.
 *
 * @param signatures Types of the imports.
 * @returns The module.
 */
export function writeAdapter(
  signatures: readonly NumberSignature[],
): Uint8Array<ArrayBuffer> {
  const out = begin();
  const count = signatures.length;
  writeTypes(out, [NOTHING, ...signatures]);
  section(out, 2, () => {
    out.u32(count);
    for (let index = 0; index < count; index++) {
      out.name("host").name(String(index)).u8(0, 0);
    }
  });
  section(out, 3, () => {
    out.u32(count);
    for (let index = 0; index < count; index++) out.u32(1 + index);
  });
  // one page: the most that the parameters of a function take is 8,000 bytes
  section(out, 5, () => out.u8(1, 1, 1, 1));
  section(out, 7, () => {
    out.u32(count + 1).name(ADAPTER_MEMORY).u8(2, 0);
    for (let index = 0; index < count; index++) {
      out.name(String(index)).byte(0).u32(count + index);
    }
  });
  section(out, 10, () => {
    out.u32(count);
    signatures.forEach((signature, index) =>
      out.sized(() => writeBody(out, signature, index))
    );
  });
  return out.bytes;
}

function writeBody(
  out: ByteWriter,
  { params, results }: NumberSignature,
  index: number,
): void {
  out.u32(0);
  out.u8(I32_CONST, 0, I32_CONST, 0, STORE.i32, 2, 0);
  params.forEach((type, at) => {
    out.u8(I32_CONST, 0, LOCAL_GET).u32(at);
    out.u8(STORE[type], 0).u32(offsetOf(at));
  });
  out.byte(CALL).u32(index);
  out.u8(I32_CONST, 0, LOAD.i32, 2, 0, I32_CONST, 1, I32_NE);
  out.u8(IF, NO_RESULT, UNREACHABLE, END);
  results.forEach((type, at) => {
    out.u8(I32_CONST, 0, LOAD[type], 0).u32(offsetOf(at));
  });
  out.byte(END);
}

function offsetOf(index: number): number {
  return VALUES_OFFSET + VALUE_BYTES * index;
}

/**
 * Writes a module that exports constants, by their numbers.
 *
 * @param constants The constants.
 * @returns The module.
 */
export function writeConstants(
  constants: readonly Constant[],
): Uint8Array<ArrayBuffer> {
  const out = begin();
  section(out, 6, () => {
    out.u32(constants.length);
    for (const { type, value } of constants) {
      out.u8(TYPES[type], 0, CONST[type]);
      writeNumber(out, type, value);
      out.byte(END);
    }
  });
  section(out, 7, () => {
    out.u32(constants.length);
    constants.forEach((_, index) => out.name(String(index)).byte(3).u32(index));
  });
  return out.bytes;
}

function writeNumber(
  out: ByteWriter,
  type: NumberType,
  value: WasmValue,
): void {
  const bytes = new DataView(new ArrayBuffer(8));
  if (type === "i32") out.s32(Number(value) | 0);
  else if (type === "i64") writeSigned(out, BigInt.asIntN(64, BigInt(value)));
  else if (type === "f32") {
    bytes.setFloat32(0, Number(value), true);
    out.copy(new Uint8Array(bytes.buffer, 0, 4));
  } else {
    bytes.setFloat64(0, Number(value), true);
    out.copy(new Uint8Array(bytes.buffer));
  }
}

function writeSigned(out: ByteWriter, value: bigint): void {
  for (let rest = value;; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    const isLast = rest >= -64n && rest < 64n;
    out.byte(isLast ? low : low | 0x80);
    if (isLast) return;
  }
}

/**
 * Writes a module with a function, `0`, that calls what stands in its table,
 * which is filled later. Until then it traps.
 *
 * @param signature The function's type.
 * @returns The module.
 */
export function writeLater(
  signature: NumberSignature,
): Uint8Array<ArrayBuffer> {
  const out = begin();
  writeTypes(out, [signature]);
  section(out, 3, () => out.u8(1, 0));
  section(out, 4, () => out.u8(1, FUNCREF, 1, 1, 1));
  section(out, 7, () => {
    out.u32(2).name("0").u8(0, 0).name(LATER_TABLE).u8(1, 0);
  });
  section(out, 10, () => {
    out.u32(1).sized(() => {
      out.u32(0);
      signature.params.forEach((_, at) => out.byte(LOCAL_GET).u32(at));
      out.u8(I32_CONST, 0, CALL_INDIRECT, 0, 0, END);
    });
  });
  return out.bytes;
}

/**
 * Writes a module that imports such a table and a function, and puts the
 * function into it.
 *
 * @param signature The function's type.
 * @returns The module.
 */
export function writeFiller(
  signature: NumberSignature,
): Uint8Array<ArrayBuffer> {
  const out = begin();
  writeTypes(out, [signature]);
  section(out, 2, () => {
    out.u32(2).name("host").name("table").u8(1, FUNCREF, 1, 1, 1);
    out.name("host").name("function").u8(0, 0);
  });
  section(out, 9, () => out.u8(1, 0, I32_CONST, 0, END, 1, 0));
  return out.bytes;
}

const NOTHING: NumberSignature = Object.freeze({ params: [], results: [] });

function begin(): ByteWriter {
  return new ByteWriter().u8(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
}

function section(out: ByteWriter, id: number, write: () => void): void {
  out.byte(id).sized(write);
}

function writeTypes(
  out: ByteWriter,
  signatures: readonly NumberSignature[],
): void {
  section(out, 1, () => {
    out.u32(signatures.length);
    for (const { params, results } of signatures) {
      out.byte(0x60);
      for (const list of [params, results]) {
        out.u32(list.length);
        for (const type of list) out.byte(TYPES[type]);
      }
    }
  });
}

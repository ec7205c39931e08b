/**
 * Numbers as text that JSON carries, exactly: not-a-number, infinities,
 * negative zero and 64-bit integers included.
 *
 * @module
 */

import type { NumberType, WasmValue } from "../types.ts";

/**
 * Writes a number.
 *
 * @param value The number.
 * @returns Such as `"1.5"`, `"-0"`, `"NaN"` or `"7n"`.
 */
export function encodeNumber(value: WasmValue): string {
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A number as JavaScript writes it, or a bigint of at most 64 bits. */
const NUMBER =
  /^(?:NaN|-?Infinity|-?\d{1,22}(?:\.\d{1,20})?(?:e[+-]\d{1,3})?|-?\d{1,20}n)$/;

/**
 * Reads a number.
 *
 * @param text What {@linkcode encodeNumber} gave, or anything.
 * @returns The number; undefined if the text is none.
 */
export function decodeNumber(text: unknown): WasmValue | undefined {
  if (typeof text !== "string" || !NUMBER.test(text)) return undefined;
  return text.endsWith("n") ? BigInt(text.slice(0, -1)) : Number(text);
}

/**
 * Reads numbers of given types, each as WebAssembly gives it.
 *
 * @param texts What was sent; trusted in nothing.
 * @param types One type for each number.
 * @returns The numbers; undefined if one does not fit its type.
 */
export function decodeNumbers(
  texts: unknown,
  types: readonly (NumberType | "other")[],
): WasmValue[] | undefined {
  if (!Array.isArray(texts) || texts.length !== types.length) return undefined;
  const values: WasmValue[] = [];
  for (const [index, type] of types.entries()) {
    const value = decodeNumber(texts[index]);
    if (value === undefined || !fits(value, type)) return undefined;
    values.push(value);
  }
  return values;
}

function fits(value: WasmValue, type: NumberType | "other"): boolean {
  switch (type) {
    case "i32":
      return typeof value === "number" && value === (value | 0);
    case "i64":
      return typeof value === "bigint" && BigInt.asIntN(64, value) === value;
    case "f32":
      return typeof value === "number" && Object.is(Math.fround(value), value);
    case "f64":
      return typeof value === "number";
    default:
      return false;
  }
}

/**
 * Checks what comes out of a host function.
 *
 * @module
 */

import type { NumberType, Signature, WasmResult } from "../types.ts";

/**
 * What a host function gave, if it is what its type says.
 *
 * @param result What it gave.
 * @param results What its type says.
 * @returns The same, as the engine takes it.
 * @throws {TypeError} If it is something else.
 */
export function checkedResult(
  result: unknown,
  results: Signature["results"],
): WasmResult {
  if (results.length === 0) return undefined;
  if (results.length === 1) return checked(result, results[0]);
  if (!Array.isArray(result) || result.length !== results.length) {
    throw new TypeError(`it must return an array of ${results.length}`);
  }
  return results.map((type, index) => checked(result[index], type));
}

function checked(
  value: unknown,
  type: NumberType | "other" | undefined,
): number | bigint {
  const expected = type === "i64" ? "bigint" : "number";
  if (typeof value === "bigint" && type === "i64") return value;
  if (typeof value === "number" && type !== "i64") return value;
  const given = value instanceof Promise ? "a promise" : `a ${typeof value}`;
  throw new TypeError(`it must return a ${expected} for ${type}, not ${given}`);
}

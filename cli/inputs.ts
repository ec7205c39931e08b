/**
 * What the user typed, as a guest takes it.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { NumberType, Signature, WasmValue } from "../runtime/types.ts";

const INTEGER = /^([+-]?)(0x[0-9a-f]+|\d+(?:_\d+)*)$/i;
const FLOAT = /^[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const NAMED_FLOAT = /^([+-]?)(nan|inf|infinity)$/i;

/** The bits of each type of integer. */
const INTEGER_BITS = { i32: 32n, i64: 64n } as const;

/**
 * Reads numbers by the signature of the function that takes them. An integer
 * may be given signed or unsigned.
 *
 * @param name Name of the function, for messages.
 * @param signature Its signature.
 * @param inputs What was typed.
 * @returns One number for each parameter.
 * @throws {ValidationError} If they do not fit; names parameter and type.
 */
export function parseNumbers(
  name: string,
  { params, results }: Signature,
  inputs: readonly string[],
): WasmValue[] {
  if (params.includes("other") || results.includes("other")) {
    throw new ValidationError(
      `Cannot call ${quote(name)}: it takes or returns vectors or ` +
        "references, which the command line cannot give",
    );
  }
  if (inputs.length !== params.length) {
    const count = params.length === 1 ? "1 input" : `${params.length} inputs`;
    const types = params.length === 0 ? "" : ` (${params.join(", ")})`;
    throw new ValidationError(
      `Cannot call ${
        quote(name)
      }: it takes ${count}${types}, not ${inputs.length}`,
    );
  }
  return inputs.map((text, index) => {
    const type = params[index] as NumberType;
    const value = parseNumber(text, type);
    if (typeof value !== "string") return value;
    throw new ValidationError(
      `Cannot call ${quote(name)}: parameter ${index + 1} (${type}) is ${
        quote(text)
      }, ${value}`,
    );
  });
}

/** The number, or what is wrong. */
function parseNumber(text: string, type: NumberType): WasmValue | string {
  return type === "i32" || type === "i64"
    ? parseInteger(text, type)
    : parseFloating(text, type);
}

function parseInteger(text: string, type: "i32" | "i64"): WasmValue | string {
  const [, sign, digits] = INTEGER.exec(text) ?? [];
  if (digits === undefined) {
    return "not a whole number such as 42, -1 or 0xff";
  }
  const bits = INTEGER_BITS[type];
  const min = -(2n ** (bits - 1n));
  const max = 2n ** bits - 1n;
  // longer than any that fits: not worth the time to convert
  const size = digits.length > 100
    ? max + 1n
    : BigInt(digits.replaceAll("_", ""));
  const value = sign === "-" ? -size : size;
  if (value < min || value > max) return `not from ${min} to ${max}`;
  return type === "i32" ? Number(value) : value;
}

function parseFloating(text: string, type: "f32" | "f64"): number | string {
  const [, sign, named] = NAMED_FLOAT.exec(text) ?? [];
  if (named !== undefined) {
    const value = named.toLowerCase() === "nan" ? NaN : Infinity;
    return sign === "-" ? -value : value;
  }
  if (!FLOAT.test(text)) {
    return "not a number such as 1.5, -2e10, nan, inf or -inf";
  }
  const value = Number(text.replaceAll("_", ""));
  const fits = Number.isFinite(type === "f32" ? Math.fround(value) : value);
  return fits ? value : `beyond the range of ${type} (inf is infinity)`;
}

/**
 * Checks what goes into a guest as numbers.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import type { NumberType, Signature, WasmValue } from "../types.ts";

const MIN_I32 = -(2 ** 31);
const MAX_U32 = 2 ** 32 - 1;
const MIN_I64 = -(2n ** 63n);
const MAX_U64 = 2n ** 64n - 1n;

/**
 * Throws unless the arguments fit the parameters. An integer may be given
 * signed or unsigned.
 *
 * @param name Name of the export, for the message.
 * @param signature Its signature.
 * @param args The arguments.
 * @throws {TypeError} If they do not fit.
 */
export function checkArguments(
  name: string,
  { params, results }: Signature,
  args: readonly WasmValue[],
): void {
  if (args.length !== params.length) {
    throw new TypeError(
      `Cannot call ${quote(name)}: it takes ${count(params.length)}` +
        `${list(params)}, not ${args.length}`,
    );
  }
  for (let index = 0; index < params.length; index++) {
    const value = args[index];
    // what is most usual, first: a small whole number fits all but i64
    const type = params[index];
    if (
      typeof value === "number" && value === (value | 0) && type !== "i64" &&
      type !== "other"
    ) continue;
    const problem = misfit(type, value);
    if (problem === undefined) continue;
    throw new TypeError(
      `Cannot call ${quote(name)}: argument ${index + 1} ${problem}`,
    );
  }
  if (results.length > 0 && results.includes("other")) {
    throw new TypeError(
      `Cannot call ${quote(name)}: it returns a vector or a reference`,
    );
  }
}

function misfit(
  type: NumberType | "other" | undefined,
  value: unknown,
): string | undefined {
  switch (type) {
    case "i32":
      if (
        typeof value === "number" && value >= MIN_I32 && value <= MAX_U32 &&
        Number.isInteger(value)
      ) return undefined;
      return `must be a whole number from ${MIN_I32} to ${MAX_U32} (i32), not ${
        show(value)
      }`;
    case "i64":
      if (typeof value === "bigint" && value >= MIN_I64 && value <= MAX_U64) {
        return undefined;
      }
      return `must be a bigint of 64 bits (i64), such as 5n, not ${
        show(value)
      }`;
    case "f32":
    case "f64":
      if (typeof value === "number") return undefined;
      return `must be a number (${type}), not ${show(value)}`;
    default:
      return "is a vector or a reference, which the host cannot give";
  }
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return quote(value);
  return typeof value === "object" && value !== null
    ? "an object"
    : String(value);
}

function count(parameters: number): string {
  return parameters === 1 ? "1 argument" : `${parameters} arguments`;
}

function list(params: readonly string[]): string {
  return params.length === 0 ? "" : ` (${params.join(", ")})`;
}

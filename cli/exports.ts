/**
 * Which exports there are, and how each of them is called.
 *
 * @module
 */

import { ALLOC_EXPORT, isMessageHandler } from "../communication/guest_abi.ts";
import type { GuestAbi, ModuleExport, Signature } from "../runtime/types.ts";

/** How a function is called: with numbers, or with a message. */
export type ExportAbi = "raw" | "message";

/** An exported function. */
export type FunctionExport = ModuleExport & { readonly signature: Signature };

/**
 * Finds an exported function.
 *
 * @param exports What the module exports.
 * @param name Name of the function.
 * @returns The function, or undefined.
 */
export function findFunction(
  exports: readonly ModuleExport[],
  name: string,
): FunctionExport | undefined {
  const found = exports.find((each) =>
    each.name === name && each.signature !== undefined
  );
  return found as FunctionExport | undefined;
}

/**
 * How a function is called.
 *
 * @param exports What the module exports.
 * @param signature The function's signature.
 * @param abi Names of the guest's memory functions.
 * @returns With a message if it is of that type and the guest can allocate,
 * and with numbers otherwise.
 */
export function abiOf(
  exports: readonly ModuleExport[],
  signature: Signature,
  { alloc = ALLOC_EXPORT }: GuestAbi,
): ExportAbi {
  return isMessageHandler(signature) &&
      exports.some(({ name }) => name === alloc)
    ? "message"
    : "raw";
}

/**
 * Writes a signature.
 *
 * @param signature The signature.
 * @returns Such as `(i32, i32) -> i64`.
 */
export function signatureText({ params, results }: Signature): string {
  const list = (types: readonly string[]) => `(${types.join(", ")})`;
  const result = results.length === 1 ? results[0] : list(results);
  return `${list(params)} -> ${result}`;
}

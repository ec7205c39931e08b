/**
 * JSON between host and guest.
 *
 * @module
 */

import { printable } from "../_text.ts";
import { broken } from "./guest_abi.ts";

/**
 * Writes a value as JSON, or says why that cannot be done. Undefined at the
 * top is null; within objects it is left out, as `JSON.stringify` does.
 *
 * @param value The value.
 * @param what What it is, for messages.
 * @returns Its text.
 * @throws {TypeError} If the value has a cycle, or holds a bigint, NaN, an
 * infinity, or a function where a value must stand.
 */
export function stringifyJson(value: unknown, what = "the input"): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const reason = cause instanceof Error
      ? cause.message.split("\n", 1)[0] ?? ""
      : String(cause);
    throw new TypeError(`Cannot send ${what} as JSON: ${printable(reason)}`, {
      cause,
    });
  }
  if (text === undefined) {
    if (value === undefined) return "null";
    throw new TypeError(
      `Cannot send ${what} as JSON: it is a ${typeof value}`,
    );
  }
  // what JSON cannot hold turns into null without a word: only then look
  if (text.includes("null")) {
    JSON.stringify(value, (key, each) => refuseNonFinite(what, key, each));
  }
  return text;
}

/** Called by `JSON.stringify` with each value before it becomes null. */
function refuseNonFinite(what: string, key: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  const where = key === "" ? "it is" : `${JSON.stringify(key)} is`;
  throw new TypeError(
    `Cannot send ${what} as JSON: ${where} ${value}, which JSON cannot hold`,
  );
}

/**
 * Reads a guest's reply. The value is the guest's: check its shape before use,
 * and merge it into nothing.
 *
 * @param name Name of the export that gave it.
 * @param text The reply.
 * @returns The value.
 * @throws {SandboxError} With code `guest-protocol`.
 */
export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw broken({ name }, "its reply is not JSON");
  }
}

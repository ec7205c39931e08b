/**
 * Types and bounds of the functions of the guest ABI, module `wasm_sandbox`.
 *
 * @module
 */

import type { HostModule, Signature } from "../runtime/types.ts";
import type { LogLevel } from "./types.ts";

/** Longest name of a function of the host, in bytes. */
export const MAX_NAME_BYTES = 1_024;

/** Longest line of a log and longest reason of a failure, in bytes. */
export const MAX_LINE_BYTES = 4_096;

/** Most bytes that `read` gives at once, and `write` hands on at once. */
export const MAX_PIECE_BYTES = 2 ** 20;

/** Most bytes of one `write`: it gives them back as an i32. */
export const MAX_WRITE_BYTES = 2 ** 31 - 1;

/** Levels of the log, as the ABI numbers them. */
export const LEVELS: readonly LogLevel[] = Object.freeze([
  "trace",
  "debug",
  "info",
  "warn",
  "error",
]);

/** Name of a function of the guest ABI. */
export type GuestFunctionName = keyof typeof TYPES;

/** Types of the functions; `i` is i32, `I` i64, and what is given stands last. */
const TYPES = Object.freeze({
  version: ":i",
  call: "iiii:I",
  receive: "i:I",
  take: "ii:i",
  send: "ii:i",
  read: "ii:i",
  write: "ii:i",
  log: "iii:",
  fail: "ii:",
});

/** Types of the functions by name. */
export const SIGNATURES: HostModule["signatures"] = Object.freeze(
  Object.fromEntries(
    Object.entries(TYPES).map(([name, type]) => [name, signatureOf(type)]),
  ),
);

function signatureOf(type: string): Signature {
  const [params = "", results = ""] = type.split(":").map((part) =>
    [...part].map((letter) => letter === "I" ? "i64" : "i32")
  );
  return Object.freeze({ params, results }) as Signature;
}

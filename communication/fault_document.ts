/**
 * Faults as the document that a guest reads.
 *
 * @module
 */

import type { GuestFault } from "./fault.ts";

/** Most bytes of a document, unless messages may be longer. */
export const FAULT_BYTES = 4_096;

/** Longest message that a guest is told, in UTF-16 units. */
const MAX_MESSAGE = 500;
/** Longest code that a guest is told, in UTF-16 units. */
const MAX_CODE = 64;

const ENCODER = new TextEncoder();

/**
 * Writes a fault as JSON: `{"code":"…","message":"…","data":…}`. Data that JSON
 * cannot hold, or that is too long, is left out; so nothing that was thrown
 * can make it fail.
 *
 * @param fault The fault.
 * @param maxBytes Longest document, at least {@linkcode FAULT_BYTES}.
 * @returns The document, in UTF-8.
 */
export function faultDocument(
  fault: GuestFault,
  maxBytes: number,
): Uint8Array<ArrayBuffer> {
  const told = {
    code: text(read(fault, "code"), MAX_CODE),
    message: text(read(fault, "message")),
  };
  const data = read(fault, "data");
  if (data !== undefined) {
    const bytes = encoded({ ...told, data });
    if (bytes !== undefined && bytes.length <= maxBytes) return bytes;
  }
  return ENCODER.encode(JSON.stringify(told));
}

/** A class of the host's may have getters, and they may throw. */
function read(
  fault: GuestFault,
  name: "code" | "message" | "data",
): unknown {
  try {
    return fault[name];
  } catch {
    return undefined;
  }
}

/** What a host's function throws may have fields of any type. */
function text(value: unknown, maxLength = MAX_MESSAGE): string {
  return typeof value === "string"
    ? value.slice(0, maxLength).toWellFormed()
    : "";
}

function encoded(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  try {
    return ENCODER.encode(JSON.stringify(value));
  } catch {
    return undefined;
  }
}

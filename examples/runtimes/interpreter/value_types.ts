/**
 * Reads types of values.
 *
 * @module
 */

import type { Proposals } from "./proposals.ts";
import type { Reader } from "./reader.ts";
import {
  EXTERNREF,
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  isReference,
} from "./types.ts";

/**
 * Reads the type of a value.
 *
 * @param reader Stands where it begins.
 * @param proposals What the module may use.
 * @returns The type.
 * @throws {SandboxError} If it is none, or not allowed.
 */
export function readValueType(reader: Reader, proposals: Proposals): number {
  const at = reader.at;
  const type = reader.u8();
  if (type === I32 || type === I64 || type === F32 || type === F64) return type;
  if (type === 0x7b) proposals.use("simd", at);
  if (type === EXTERNREF) proposals.use("referenceTypes", at);
  if (type === FUNCREF || type === EXTERNREF) return type;
  if (type === 0x63 || type === 0x64) proposals.use("functionReferences", at);
  if (type >= 0x69 && type <= 0x74) proposals.use("gc", at);
  throw reader.fault("no type of values", at);
}

/**
 * Reads what a reference is to.
 *
 * @param reader Stands where it begins.
 * @param proposals What the module may use.
 * @returns The type of the reference.
 * @throws {SandboxError} If it is none, or not allowed.
 */
export function readReferenceType(
  reader: Reader,
  proposals: Proposals,
): number {
  const at = reader.at;
  // a type of the module's own
  if ((reader.bytes[at] ?? 0) < 0x40) proposals.use("functionReferences", at);
  const type = readValueType(reader, proposals);
  if (isReference(type)) return type;
  throw reader.fault("no type of references", at);
}

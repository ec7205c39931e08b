/**
 * The locals that a function declares before its code.
 *
 * @module
 */

import { FEATURE_BITS as F } from "./features.ts";
import type { ByteReader } from "./reader.ts";

/** Locals of a function, without its parameters. */
export interface Locals {
  /** How many there are. */
  readonly count: number;
  /** Features that their types belong to. */
  readonly features: number;
  /** Whether there are references among them. */
  readonly references: boolean;
}

/** Features of the types that locals may have, by their byte. */
const TYPE_FEATURES: Readonly<Record<number, number>> = Object.freeze({
  0x7b: F.simd,
  0x70: F.referenceTypes,
  0x6f: F.referenceTypes,
  0x69: F.exceptions,
  0x74: F.exceptions,
  0x63: F.functionReferences,
  0x64: F.functionReferences,
});

/**
 * Reads them.
 *
 * @param reader At the beginning of a function's body.
 * @returns What they are; the reader is at the code then.
 */
export function readLocals(reader: ByteReader): Locals {
  let count = 0;
  let features = 0;
  let references = false;
  const groups = reader.count(2);
  for (let group = 0; group < groups; group++) {
    count += reader.u32();
    const type = reader.u8();
    if (type === 0x63 || type === 0x64) reader.skipLeb(5);
    if (type < 0x7c) features |= TYPE_FEATURES[type] ?? F.gc;
    if (type < 0x7b) references = true;
  }
  return { count, features, references };
}

/**
 * Reads segments: what goes into tables and memories, at the start or later.
 *
 * @module
 */

import { readConstant } from "./constants.ts";
import type { Proposals } from "./proposals.ts";
import type { Reader } from "./reader.ts";
import {
  type Constant,
  type DataSegment,
  type ElementSegment,
  FUNCREF,
  I32,
  type ModuleParts,
} from "./types.ts";
import { readReferenceType } from "./value_types.ts";

/** Most elements of one segment. */
const MAX_ITEMS = 500_000;

/**
 * Reads a segment of elements.
 *
 * @param reader Stands where it begins.
 * @param parts What the module has declared before it.
 * @param proposals What the module may use.
 * @returns The segment.
 * @throws {SandboxError} If it is not valid, or not allowed.
 */
export function readElements(
  reader: Reader,
  parts: ModuleParts,
  proposals: Proposals,
): ElementSegment {
  const at = reader.at;
  const flags = reader.u32();
  if (flags > 7) throw reader.fault("no segment of elements", at);
  if (flags > 0) proposals.use("bulkMemory", at);
  const isActive = (flags & 1) === 0;
  const isNamed = (flags & 2) !== 0;
  const isExpressions = (flags & 4) !== 0;
  const table = isActive && isNamed ? reader.u32() : 0;
  const offset = isActive
    ? readConstant(reader, I32, parts, proposals)
    : undefined;
  const type = flags % 4 === 0
    ? FUNCREF
    : isExpressions
    ? readReferenceType(reader, proposals)
    : elementKind(reader);
  if (isActive && parts.tables[table]?.element !== type) {
    throw reader.fault("no table of this type", at);
  }
  const count = reader.count("elements", MAX_ITEMS);
  const items = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    items[index] = isExpressions
      ? reference(readConstant(reader, type, parts, proposals))
      : functionAt(reader, parts);
  }
  return { table, offset, type, items, declares: !isActive && isNamed };
}

function elementKind(reader: Reader): number {
  if (reader.u8() !== 0) throw reader.fault("no kind of elements");
  return FUNCREF;
}

function functionAt(reader: Reader, parts: ModuleParts): number {
  const index = reader.u32();
  if (index >= parts.functions.length) throw reader.fault("no such function");
  parts.referable.add(index);
  return index + 1;
}

/** A reference as one number; an expression that gives one has one step. */
function reference([step]: Constant): number {
  const [op, operand] = step ?? [0, 0n];
  return op === 0x23 ? -Number(operand) - 1 : Number(operand);
}

/**
 * Reads a segment of data.
 *
 * @param reader Stands where it begins.
 * @param parts What the module has declared before it.
 * @param proposals What the module may use.
 * @returns The segment, whose bytes are a copy.
 * @throws {SandboxError} If it is not valid, or not allowed.
 */
export function readData(
  reader: Reader,
  parts: ModuleParts,
  proposals: Proposals,
): DataSegment {
  const at = reader.at;
  const flags = reader.u32();
  if (flags > 2) throw reader.fault("no segment of data", at);
  if (flags > 0) proposals.use("bulkMemory", at);
  const memory = flags === 2 ? reader.u32() : 0;
  if (flags !== 1 && memory >= parts.memories.length) {
    throw reader.fault("no such memory", at);
  }
  const offset = flags === 1
    ? undefined
    : readConstant(reader, I32, parts, proposals);
  return { offset, bytes: reader.take(reader.u32()).slice() };
}

/**
 * Writes a module so that the host reaches all of it: memories and tables whose
 * size it tells, and the start function, which must run under the deadline and
 * with the memory at hand.
 *
 * @module
 */

import {
  KINDS,
  type ModuleLayout,
  type NumberType,
  RESERVED,
} from "../v8/layout.ts";
import { ByteReader } from "../v8/reader.ts";
import { ByteWriter } from "../v8/writer.ts";

/** Export that was the start function. */
export const START_EXPORT: string = `${RESERVED}start`;
/** Beginning of the exports of memories; their numbers follow. */
export const MEMORY_EXPORT_PREFIX: string = `${RESERVED}memory`;
/** Beginning of the exports of tables; their numbers follow. */
export const TABLE_EXPORT_PREFIX: string = `${RESERVED}table`;

const IMPORT = 2;
const EXPORT = 7;
const START = 8;
/** In which order sections stand; those of data and of tags come in between. */
const BEFORE_EXPORTS: readonly number[] = [1, 2, 3, 4, 5, 13, 6];
/** More than an export that is added takes, in bytes. */
const EXPORT_BYTES = 48;

/** An export that is added. */
interface Added {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/**
 * Adds the exports, and takes the start function out.
 *
 * @param bytes The module as it is to run.
 * @param layout What it declares.
 * @returns The new module.
 */
export function exposed(
  bytes: Uint8Array<ArrayBuffer>,
  layout: Pick<ModuleLayout, "memories" | "tables" | "start">,
): Uint8Array<ArrayBuffer> {
  const added = addedTo(layout);
  const out = new ByteWriter(bytes.length + EXPORT_BYTES * (added.length + 1));
  out.copy(bytes, 0, 8);
  const reader = new ByteReader(bytes, 8);
  let isWritten = false;
  while (reader.pos < bytes.length) {
    const at = reader.pos;
    const id = reader.u8();
    const size = reader.u32();
    const start = reader.pos;
    reader.skip(size);
    if (id !== 0 && !isWritten && !BEFORE_EXPORTS.includes(id)) {
      isWritten = true;
      const own = id === EXPORT ? { bytes, start, end: reader.pos } : undefined;
      writeExports(out, added, own);
      if (id === EXPORT) continue;
    }
    if (id !== START) out.copy(bytes, at, reader.pos);
  }
  if (!isWritten) writeExports(out, added, undefined);
  return out.bytes.slice();
}

function addedTo(
  { memories, tables, start }: Pick<
    ModuleLayout,
    "memories" | "tables" | "start"
  >,
): readonly Added[] {
  const [FUNCTION, TABLE, MEMORY] = [0, 1, 2];
  const added: Added[] = [];
  memories.forEach(({ imported }, index) => {
    if (imported) return;
    const name = `${MEMORY_EXPORT_PREFIX}${index}`;
    added.push({ name, kind: MEMORY, index });
  });
  tables.forEach(({ imported, min, max }, index) => {
    // what cannot grow is counted as it is, and code may rely on it more
    if (imported || max === min) return;
    const name = `${TABLE_EXPORT_PREFIX}${index}`;
    added.push({ name, kind: TABLE, index });
  });
  if (start !== undefined) {
    added.push({ name: START_EXPORT, kind: FUNCTION, index: start });
  }
  return added;
}

function writeExports(
  out: ByteWriter,
  added: readonly Added[],
  own: { bytes: Uint8Array; start: number; end: number } | undefined,
): void {
  out.byte(EXPORT).sized(() => {
    const reader = own && new ByteReader(own.bytes, own.start, own.end);
    out.u32((reader?.u32() ?? 0) + added.length);
    if (own !== undefined) out.copy(own.bytes, reader?.pos, own.end);
    for (const { name, kind, index } of added) {
      out.name(name).byte(kind).u32(index);
    }
  });
}

const NUMBER_TYPES = new Map<number, NumberType>([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
]);

/**
 * Types of the globals that a module imports, in their order.
 *
 * @param layout The module; the gate has let it pass.
 * @returns Each type; undefined for vectors and references.
 */
export function importedGlobals(
  { bytes, sections }: Pick<ModuleLayout, "bytes" | "sections">,
): readonly (NumberType | undefined)[] {
  const section = sections.get(IMPORT);
  if (section === undefined) return [];
  const reader = new ByteReader(bytes, section.start, section.end);
  const types: (NumberType | undefined)[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    reader.name();
    reader.name();
    switch (KINDS[reader.u8()]) {
      case "function":
        reader.skipLeb();
        break;
      case "table":
        skipType(reader);
        skipSize(reader);
        break;
      case "memory":
        skipSize(reader);
        break;
      case "global":
        types.push(NUMBER_TYPES.get(skipType(reader)));
        reader.skip(1);
        break;
      default:
        reader.skip(1);
        reader.skipLeb();
    }
  }
  return types;
}

/** Passes over a type, and gives its first byte. */
function skipType(reader: ByteReader): number {
  const type = reader.u8();
  // a reference to a type that follows
  if (type === 0x63 || type === 0x64) reader.skipLeb();
  return type;
}

function skipSize(reader: ByteReader): void {
  const hasMaximum = (reader.u8() & 1) === 1;
  reader.skipLeb();
  if (hasMaximum) reader.skipLeb();
}

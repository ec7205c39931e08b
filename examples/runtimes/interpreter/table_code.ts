/**
 * Reads the instructions on whole memories and tables.
 *
 * @module
 */

import type { Checker } from "./checker.ts";
import type { Proposals } from "./proposals.ts";
import type { Reader } from "./reader.ts";
import { I32, type ModuleParts } from "./types.ts";

/** The function that is read. */
export interface Sink {
  readonly reader: Reader;
  readonly checker: Checker;
  readonly parts: ModuleParts;
  readonly proposals: Proposals;
  /** Writes code, if anything leads to it. */
  emit(...numbers: readonly number[]): void;
}

/**
 * Reads one.
 *
 * @param sink The function.
 * @param op The opcode; 0x100 is added to those behind the prefix 0xfc.
 * @param at Where it stands.
 * @throws {SandboxError} If it is none, not valid or not allowed.
 */
export function readTableOrMemory(sink: Sink, op: number, at: number): void {
  const { reader, checker, proposals, parts } = sink;
  const takes = (...types: readonly number[]) => checker.popAll(types);
  switch (op) {
    case 0x25:
    case 0x26: {
      proposals.use("referenceTypes", at);
      const [table, element] = tableAt(sink);
      if (op === 0x26) takes(I32, element);
      else {
        takes(I32);
        checker.push(element);
      }
      return sink.emit(op, table);
    }
    case 0x3f:
    case 0x40:
      memoryAt(sink);
      if (op === 0x40) takes(I32);
      checker.push(I32);
      return sink.emit(op);
    case 0x108: {
      proposals.use("bulkMemory", at);
      const segment = dataAt(sink);
      memoryAt(sink);
      takes(I32, I32, I32);
      return sink.emit(op, segment);
    }
    case 0x109:
      proposals.use("bulkMemory", at);
      return sink.emit(op, dataAt(sink));
    case 0x10a:
    case 0x10b:
      proposals.use("bulkMemory", at);
      memoryAt(sink);
      if (op === 0x10a) memoryAt(sink);
      takes(I32, I32, I32);
      return sink.emit(op);
    case 0x10c: {
      proposals.use("bulkMemory", at);
      const segment = reader.u32();
      const [table, element] = tableAt(sink);
      if (parts.elements[segment]?.type !== element) {
        throw reader.fault("no segment of this type", at);
      }
      takes(I32, I32, I32);
      return sink.emit(op, segment, table);
    }
    case 0x10d: {
      proposals.use("bulkMemory", at);
      const segment = reader.u32();
      if (segment >= parts.elements.length) {
        throw reader.fault("no such segment", at);
      }
      return sink.emit(op, segment);
    }
    case 0x10e: {
      proposals.use("bulkMemory", at);
      const [to, element] = tableAt(sink);
      const [from, other] = tableAt(sink);
      if (element !== other) throw reader.fault("tables differ in type", at);
      takes(I32, I32, I32);
      return sink.emit(op, to, from);
    }
    case 0x10f:
    case 0x110:
    case 0x111: {
      proposals.use("referenceTypes", at);
      const [table, element] = tableAt(sink);
      if (op === 0x10f) takes(element, I32);
      if (op === 0x111) takes(I32, element, I32);
      else checker.push(I32);
      return sink.emit(op, table);
    }
    default:
      proposals.refuse(op, at);
      throw reader.fault("no such instruction", at);
  }
}

function tableAt({ reader, parts }: Sink): readonly [number, number] {
  const index = reader.u32();
  const table = parts.tables[index];
  if (table === undefined) throw reader.fault("no such table");
  return [index, table.element];
}

function memoryAt({ reader, parts, proposals }: Sink): void {
  const at = reader.at;
  const index = reader.u32();
  if (index > 0) proposals.use("multiMemory", at);
  if (parts.memories.length === 0) throw reader.fault("no memory", at);
}

function dataAt({ reader, parts }: Sink): number {
  const { dataCount } = parts;
  const index = reader.u32();
  if (dataCount === undefined) throw reader.fault("segments are not counted");
  if (index >= dataCount) throw reader.fault("no such segment");
  return index;
}

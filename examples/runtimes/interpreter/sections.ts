/**
 * Reads what a module declares. Nothing of it is trusted: each index, count and
 * size is checked before it is used.
 *
 * @module
 */

import { readConstant } from "./constants.ts";
import { readData, readElements } from "./segments.ts";
import type { Proposals } from "./proposals.ts";
import { Reader } from "./reader.ts";
import {
  type FunctionType,
  type GlobalType,
  type ImportEntry,
  MAX_PAGES,
  type ModuleParts,
  type SizeRange,
  type TableType,
} from "./types.ts";
import { readReferenceType, readValueType } from "./value_types.ts";

/** Most entries of each list: what a module makes us keep is bounded. */
const MOST = Object.freeze({
  types: 10_000,
  values: 1_000,
  typeValues: 100_000,
  externals: 10_000,
  functions: 500_000,
  tables: 100,
  globals: 100_000,
  segments: 100_000,
});

/** Magic number and version. */
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** The order of the sections, by their numbers. */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
/** What begins a type of the proposal for garbage collection. */
const GC_FORMS = [0x4e, 0x4f, 0x50, 0x5e, 0x5f];
/** What begins a table whose elements have another first value than null. */
const INITIALIZED_TABLE = 0x40;
const KINDS = ["function", "table", "memory", "global", "tag"] as const;

/** Reads the sections of one module. */
export class Sections {
  /** What was read. */
  readonly parts: ModuleParts = {
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    elements: [],
    data: [],
    referable: new Set(),
    bodies: [],
    importedFunctions: 0,
    importedGlobals: 0,
    dataCount: undefined,
    start: undefined,
  };
  readonly #proposals: Proposals;
  readonly #interned = new Map<string, FunctionType>();
  #typeValues = 0;

  /**
   * Reads them.
   *
   * @param bytes The module.
   * @param proposals What it may use.
   * @throws {SandboxError} If it is not valid, or not allowed.
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, proposals: Proposals) {
    this.#proposals = proposals;
    const reader = new Reader(bytes);
    for (const expected of HEADER) {
      if (reader.done || reader.u8() !== expected) {
        throw reader.fault("no WebAssembly module of version 1", 0);
      }
    }
    let last = -1;
    while (!reader.done) {
      const at = reader.at;
      const id = reader.u8();
      const part = reader.part(reader.u32());
      if (id === 0) {
        part.name();
        continue;
      }
      if (id === 13) proposals.use("exceptions", at);
      const place = ORDER.indexOf(id);
      if (place <= last) throw reader.fault("a section out of order", at);
      last = place;
      this.#section(id, part);
      if (!part.done) throw part.fault("a section is too long");
    }
    this.#finish(reader);
  }

  #section(id: number, reader: Reader): void {
    const { parts } = this;
    switch (id) {
      case 1:
        return this.#each(
          reader,
          "types",
          MOST.types,
          () => this.#type(reader),
        );
      case 2:
        return this.#each(
          reader,
          "imports",
          MOST.externals,
          () => this.#import(reader),
        );
      case 3:
        return this.#each(reader, "functions", MOST.functions, () => {
          parts.functions.push(this.#typeAt(reader));
        });
      case 4:
        return this.#each(
          reader,
          "tables",
          MOST.tables,
          () => this.#addTable(reader),
        );
      case 5:
        return this.#each(reader, "memories", MOST.tables, () => {
          this.#addMemory(reader);
        });
      case 6:
        return this.#each(
          reader,
          "globals",
          MOST.globals,
          () => this.#global(reader),
        );
      case 7:
        return this.#exports(reader);
      case 8:
        return this.#start(reader);
      case 9:
        return this.#each(reader, "segments", MOST.segments, () => {
          parts.elements.push(readElements(reader, parts, this.#proposals));
        });
      case 10:
        return this.#each(reader, "functions", MOST.functions, () => {
          const { at, end } = reader.part(reader.u32());
          parts.bodies.push([at, end]);
        });
      case 11:
        return this.#each(reader, "segments", MOST.segments, () => {
          parts.data.push(readData(reader, parts, this.#proposals));
        });
      default:
        this.#proposals.use("bulkMemory", reader.at);
        parts.dataCount = reader.u32();
    }
  }

  #each(reader: Reader, what: string, most: number, read: () => void): void {
    const count = reader.count(what, most);
    for (let index = 0; index < count; index++) read();
  }

  #type(reader: Reader): void {
    const at = reader.at;
    const form = reader.u8();
    if (GC_FORMS.includes(form)) this.#proposals.use("gc", at);
    if (form !== 0x60) throw reader.fault("no type of functions", at);
    const params = this.#valueTypes(reader);
    const results = this.#valueTypes(reader);
    const key = `${params.join()};${results.join()}`;
    const known = this.#interned.get(key);
    const type = known ?? { id: this.#interned.size, params, results };
    if (known === undefined) this.#interned.set(key, type);
    this.parts.types.push(type);
  }

  #valueTypes(reader: Reader): readonly number[] {
    const count = reader.count("parameters or results", MOST.values);
    this.#typeValues += count;
    if (this.#typeValues > MOST.typeValues) {
      throw reader.tooMuch(`more than ${MOST.typeValues} values in types`);
    }
    return Array.from({ length: count }, () => this.#valueType(reader));
  }

  #valueType(reader: Reader): number {
    return readValueType(reader, this.#proposals);
  }

  #import(reader: Reader): void {
    const { parts } = this;
    const module = reader.name();
    const name = reader.name();
    const at = reader.at;
    const kind = KINDS[reader.u8()];
    if (kind === undefined) throw reader.fault("no kind of import", at);
    if (kind === "tag") this.#proposals.use("exceptions", at);
    let entry: ImportEntry = { module, name, kind };
    if (kind === "function") {
      const type = this.#typeAt(reader);
      parts.functions.push(type);
      parts.importedFunctions++;
      entry = { ...entry, type };
    } else if (kind === "global") {
      const global = this.#globalType(reader);
      parts.globals.push(global);
      parts.importedGlobals++;
      entry = { ...entry, global };
    } else if (kind === "table") this.#addTable(reader);
    else this.#addMemory(reader);
    parts.imports.push(entry);
  }

  #typeAt(reader: Reader): FunctionType {
    const at = reader.at;
    const type = this.parts.types[reader.u32()];
    if (type === undefined) throw reader.fault("no such type", at);
    return type;
  }

  #addTable(reader: Reader): void {
    const { tables } = this.parts;
    const at = reader.at;
    if (tables.length > 0) this.#proposals.use("referenceTypes", at);
    if (reader.bytes[at] === INITIALIZED_TABLE) {
      this.#proposals.use("functionReferences", at);
    }
    const element = readReferenceType(reader, this.#proposals);
    const table: TableType = { element, ...this.#size(reader, 2 ** 32 - 1) };
    tables.push(table);
  }

  #addMemory(reader: Reader): void {
    const { memories } = this.parts;
    if (memories.length > 0) this.#proposals.use("multiMemory", reader.at);
    memories.push(this.#size(reader, MAX_PAGES));
  }

  #size(reader: Reader, most: number): SizeRange {
    const at = reader.at;
    const flags = reader.u8();
    if ((flags & 4) !== 0) this.#proposals.use("memory64", at);
    if ((flags & 2) !== 0) this.#proposals.use("threads", at);
    if (flags > 1) throw reader.fault("no such size", at);
    const min = reader.u32();
    const max = flags === 1 ? reader.u32() : most;
    if (min > max || max > most) throw reader.fault("a size is too large", at);
    return { min, max, hasMax: flags === 1 };
  }

  #globalType(reader: Reader): GlobalType {
    const type = this.#valueType(reader);
    const mutable = reader.u8();
    if (mutable > 1) throw reader.fault("no mutability", reader.at - 1);
    return { type, mutable: mutable === 1 };
  }

  #global(reader: Reader): void {
    const { parts } = this;
    const type = this.#globalType(reader);
    const value = readConstant(reader, type.type, parts, this.#proposals);
    parts.globals.push({ ...type, value });
  }

  #exports(reader: Reader): void {
    const { functions, tables, memories, globals, exports, referable } =
      this.parts;
    const spaces = [functions, tables, memories, globals];
    const names = new Set<string>();
    this.#each(reader, "exports", MOST.externals, () => {
      const at = reader.at;
      const name = reader.name();
      const number = reader.u8();
      const kind = KINDS[number];
      const index = reader.u32();
      if (kind === undefined || index >= (spaces[number]?.length ?? 0)) {
        throw reader.fault("no such export", at);
      }
      if (names.has(name)) throw reader.fault("an export exists twice", at);
      names.add(name);
      if (kind === "function") referable.add(index);
      exports.push({ name, kind, index });
    });
  }

  #start(reader: Reader): void {
    const index = reader.u32();
    const type = this.parts.functions[index];
    if (type === undefined || type.params.length + type.results.length > 0) {
      throw reader.fault("no start function");
    }
    this.parts.start = index;
  }

  #finish(reader: Reader): void {
    const { functions, importedFunctions, bodies, data, dataCount } =
      this.parts;
    if (functions.length - importedFunctions !== bodies.length) {
      throw reader.fault("functions and their code differ in number");
    }
    if (dataCount !== undefined && dataCount !== data.length) {
      throw reader.fault("segments of data differ in number");
    }
  }
}

/**
 * Writes a module anew so that its limits hold. Nothing is renumbered: what is
 * added stands behind what was there.
 *
 * - The module's own memories become imports, so that the host makes them and
 *   caps them; one more memory, the last, holds the flag of the deadline.
 * - Tables get a maximum.
 * - The start function becomes an export, so that it runs under the limits.
 * - Fuel is one more global, exported.
 * - Checks, charges and helpers go where the plan says.
 * - Custom sections are dropped, but for names, whose text is made printable.
 *
 * @module
 */

import { CheckWriter } from "./checks.ts";
import {
  type Instrumentation,
  type Limits,
  type ModuleLayout,
  RESERVED,
  type TableLayout,
} from "./layout.ts";
import { writeNames } from "./names.ts";
import { refused } from "./bounds.ts";
import { Insert } from "./plan.ts";
import { ByteReader } from "./reader.ts";
import type { Scanner } from "./scan.ts";
import { ByteWriter } from "./writer.ts";

/** Module that the memories are imported from. */
export const MEMORY_MODULE: string = `${RESERVED}memory`;
/** Name in {@linkcode MEMORY_MODULE} of the memory that holds the flag. */
export const FLAG_NAME = "flag";
/** Export that was the start function. */
export const START_EXPORT: string = `${RESERVED}start`;
/** Export that holds the fuel. */
export const FUEL_EXPORT: string = `${RESERVED}fuel`;
/** Export that is 1 if the guest trapped on purpose: then the fuel is exact. */
export const SETTLED_EXPORT: string = `${RESERVED}settled`;
/** Beginning of the exports of tables. */
export const TABLE_EXPORT: string = `${RESERVED}table`;

const TYPE = 1;
const IMPORT = 2;
const FUNCTION = 3;
const TABLE = 4;
const MEMORY = 5;
const GLOBAL = 6;
const EXPORT = 7;
const START = 8;
const CODE = 10;

/** V8 counts shorter functions as small. */
const SMALL_BYTES = 50;
/** Most functions of a module that V8 takes, imported ones included. */
const MAX_FUNCTIONS = 1_000_000;

/** Sections by number, in the order in which they must stand. */
const ORDER = [TYPE, IMPORT, FUNCTION, TABLE, 13, GLOBAL, EXPORT, 9, 12, CODE];
const DATA = 11;

/** Longest function that V8 compiles. */
const MAX_FUNCTION_BYTES = 7_654_321;

/** Longest text that one insertion can take, in bytes. */
const INSERT_BYTES = 18;

/**
 * Writes a module with its limits.
 *
 * @param layout The module, which the engine has validated.
 * @param scanner The scanner that has gone over all its functions.
 * @param mode Which limits the code is to carry.
 * @returns The new module.
 * @throws {SandboxError} With code `module-refused`, if a function becomes too
 * long for the engine.
 */
export function rewrite(
  layout: ModuleLayout,
  scanner: Scanner,
  mode: Instrumentation,
): Uint8Array<ArrayBuffer> {
  return new Rewriter(layout, scanner, mode).write();
}

/**
 * The largest size of each table that a module defines: its own, but all of
 * them together hold no more than the cap.
 *
 * @param tables The tables that the module defines.
 * @param cap The cap, in elements.
 * @returns One number for each, undefined for none.
 */
export function tableMaxima(
  tables: readonly TableLayout[],
  cap: number,
): readonly (number | undefined)[] {
  const initial = tables.reduce((sum, { min }) => sum + min, 0);
  const share = Math.floor((cap - initial) / Math.max(1, tables.length));
  return tables.map(({ min, max }) => {
    const largest = Math.min(max ?? Infinity, min + share);
    return Number.isFinite(largest) ? largest : undefined;
  });
}

/**
 * Writes the size of a memory or a table.
 *
 * @param out Where to.
 * @param limits What the module declares.
 * @param max The largest size, if there is one.
 */
export function writeSize(
  out: ByteWriter,
  { min, is64, shared }: Limits,
  max: number | undefined,
): void {
  const flags = (max === undefined ? 0 : 1) | (shared ? 2 : 0) |
    (is64 ? 4 : 0);
  out.byte(flags).u32(min);
  // beyond this all are the same: far more than an engine gives
  if (max !== undefined) out.u32(Math.min(max, 2 ** 53));
}

/**
 * Writes the section of the tables, with their maxima, if there are any.
 *
 * @param out Where to.
 * @param layout The module.
 * @param cap What all of them may hold together, in elements.
 */
export function writeTables(
  out: ByteWriter,
  { bytes, tables }: ModuleLayout,
  cap: number,
): void {
  const own = tables.filter(({ imported }) => !imported);
  if (own.length === 0) return;
  const maxima = tableMaxima(own, cap);
  out.byte(TABLE).sized(() => {
    out.u32(own.length);
    own.forEach((table, index) => {
      if (table.init !== undefined) out.u8(0x40, 0);
      out.copy(bytes, ...table.type);
      writeSize(out, table, maxima[index]);
      if (table.init !== undefined) out.copy(bytes, ...table.init);
    });
  });
}

class Rewriter {
  readonly #layout: ModuleLayout;
  readonly #scanner: Scanner;
  readonly #mode: Instrumentation;
  readonly #out: ByteWriter;
  readonly #checks: CheckWriter;
  /** How many functions are there only to be short. */
  readonly #fillers: number;

  constructor(layout: ModuleLayout, scanner: Scanner, mode: Instrumentation) {
    this.#layout = layout;
    this.#scanner = scanner;
    this.#mode = mode;
    this.#out = new ByteWriter(
      layout.bytes.length + scanner.plan.length / 3 * INSERT_BYTES + 4096 +
        layout.bodies.length * 5,
    );
    this.#fillers = mode.deadline || mode.fuel ? this.#countFillers() : 0;
    this.#checks = new CheckWriter(this.#out, mode, {
      flag: layout.memories.length,
      fuel: layout.globals,
    });
  }

  write(): Uint8Array<ArrayBuffer> {
    this.#out.copy(this.#layout.bytes, 0, 8);
    for (const id of ORDER) this.#section(id);
    this.#verbatim(DATA);
    writeNames(this.#out, this.#layout);
    return this.#out.bytes;
  }

  #section(id: number): void {
    const { memories, functionTypes, types } = this.#layout;
    const helpers = this.#scanner.helpers;
    switch (id) {
      case TYPE:
        return this.#extend(
          id,
          helpers.length,
          (index) => helpers.writeType(this.#out, index),
        );
      case IMPORT: {
        const own = memories.filter(({ imported }) => !imported);
        return this.#extend(
          id,
          own.length + 1,
          (index) => this.#memoryImport(own[index], index),
        );
      }
      case FUNCTION:
        return this.#functions(helpers.length, types.length);
      case TABLE:
        return writeTables(this.#out, this.#layout, this.#mode.tableElements);
      case GLOBAL:
        // the fuel, an i64, and whether it is settled, an i32; both begin at 0
        return this.#extend(id, this.#mode.fuel ? 2 : 0, (index) => {
          if (index === 0) this.#out.u8(0x7e, 1, 0x42, 0, 0x0b);
          else this.#out.u8(0x7f, 1, 0x41, 0, 0x0b);
        });
      case EXPORT:
        return this.#exports();
      case CODE:
        if (functionTypes.length > 0) this.#code();
        return;
      case MEMORY:
      case START:
        return;
      default:
        return this.#verbatim(id);
    }
  }

  #verbatim(id: number): void {
    const section = this.#layout.sections.get(id);
    if (section === undefined) return;
    const { start, end } = section;
    this.#out.byte(id).u32(end - start).copy(this.#layout.bytes, start, end);
  }

  /** Copies a section and adds entries at its end. */
  #extend(id: number, added: number, write: (index: number) => void): void {
    if (added === 0) return this.#verbatim(id);
    const { bytes, sections } = this.#layout;
    const section = sections.get(id);
    this.#out.byte(id).sized((out) => {
      if (section === undefined) out.u32(added);
      else {
        const reader = new ByteReader(bytes, section.start, section.end);
        out.u32(reader.u32() + added).copy(bytes, reader.pos, section.end);
      }
      for (let index = 0; index < added; index++) write(index);
    });
  }

  #memoryImport(limits: Limits | undefined, index: number): void {
    const out = this.#out.name(MEMORY_MODULE);
    if (limits === undefined) {
      // the flag: one shared page
      out.name(FLAG_NAME).u8(0x02, 0x03, 1, 1);
      return;
    }
    out.name(String(index)).byte(0x02);
    writeSize(out, limits, limits.max);
  }

  #exports(): void {
    const { start, tables, globals } = this.#layout;
    const added: [name: string, kind: number, index: number][] = [];
    if (start !== undefined) added.push([START_EXPORT, 0, start]);
    if (this.#mode.fuel) {
      added.push([FUEL_EXPORT, 3, globals], [SETTLED_EXPORT, 3, globals + 1]);
    }
    tables.forEach(({ imported }, index) => {
      if (!imported) added.push([`${TABLE_EXPORT}${index}`, 1, index]);
    });
    this.#extend(EXPORT, added.length, (index) => {
      const [name, kind, target] = added[index] ?? ["", 0, 0];
      this.#out.name(name).byte(kind).u32(target);
    });
  }

  #code(): void {
    const { bodies } = this.#layout;
    const { helpers } = this.#scanner;
    const out = this.#out.byte(CODE);
    const size = out.openSize();
    out.u32(bodies.length / 2 + helpers.length + this.#fillers);
    let entry = 0;
    for (let index = 0; index < bodies.length / 2; index++) {
      entry = this.#body(index, entry);
    }
    for (let index = 0; index < helpers.length; index++) {
      const body = out.openSize();
      helpers.writeBody(out, index, this.#checks, this.#layout.globals);
      out.closeSize(body);
    }
    // no locals, unreachable
    for (let index = 0; index < this.#fillers; index++) out.u8(3, 0, 0, 0x0b);
    out.closeSize(size);
  }

  /** Types of the functions that are added. */
  #functions(added: number, firstType: number): void {
    const { functionTypes, importedFunctions } = this.#layout;
    const filler = functionTypes[importedFunctions] ?? 0;
    this.#extend(FUNCTION, added + this.#fillers, (index) => {
      this.#out.u32(index < added ? firstType + index : filler);
    });
  }

  /**
   * How many functions must be added so that half of all are small. V8 inlines
   * less if few are: it takes that for the work of an optimizing toolchain,
   * and checks make small functions longer. See RATIONALE.md.
   */
  #countFillers(): number {
    const { bodies, importedFunctions } = this.#layout;
    const { plan, helpers } = this.#scanner;
    const count = bodies.length / 2;
    let small = 0;
    let entry = 0;
    for (let index = 0; index < count; index++) {
      const end = bodies[2 * index + 1] ?? 0;
      const first = entry;
      while (entry < plan.length && (plan.data[entry] ?? 0) < end) entry += 3;
      const length = end - (bodies[2 * index] ?? 0);
      if (first === entry && length < SMALL_BYTES) small++;
    }
    const declared = count + helpers.length;
    return count === 0 ? 0 : Math.max(
      0,
      Math.min(
        declared - 2 * small,
        MAX_FUNCTIONS - importedFunctions - declared,
      ),
    );
  }

  /** Writes one body, and returns where the next one's entries begin. */
  #body(index: number, first: number): number {
    const { bytes, bodies } = this.#layout;
    const start = bodies[2 * index] ?? 0;
    const end = bodies[2 * index + 1] ?? 0;
    const { data, length } = this.#scanner.plan;
    let last = first;
    let touched = false;
    let cached = false;
    while (last < length && (data[last] ?? 0) < end) {
      const kind = (data[last + 1] ?? 0) & 15;
      if (kind !== Insert.none) touched = true;
      if (
        kind === Insert.loop ||
        (kind >= Insert.charge && kind <= Insert.spill)
      ) cached = true;
      last += 3;
    }
    const out = this.#out;
    if (!touched) {
      out.u32(end - start).copy(bytes, start, end);
      return last;
    }
    const size = out.openSize();
    let pos = start;
    let local = 0;
    if (cached && this.#mode.fuel) {
      pos = data[first] ?? 0;
      local = this.#declareLocal(index, start, pos);
    }
    this.#insert(first, last, { pos, end, local });
    out.closeSize(size);
    if (out.length - size > MAX_FUNCTION_BYTES) {
      throw refused(
        `function ${index} would grow beyond what the engine takes, ` +
          `${MAX_FUNCTION_BYTES} bytes, by the checks that it needs`,
        { reason: "function too complex", offset: start },
      );
    }
    return last;
  }

  /** Copies a body from `pos` on, with the entries of the plan put in. */
  #insert(
    first: number,
    last: number,
    { pos, end, local }: { pos: number; end: number; local: number },
  ): void {
    const { data } = this.#scanner.plan;
    const { bytes, functionTypes } = this.#layout;
    const out = this.#out;
    let from = pos;
    for (let entry = first; entry < last; entry += 3) {
      const packed = data[entry + 1] ?? 0;
      const kind = packed & 15;
      if (kind === Insert.none) continue;
      const place = data[entry] ?? 0;
      out.copy(bytes, from, place);
      if (kind === Insert.helper) {
        out.byte(0x10).u32(functionTypes.length + (packed >>> 4));
      } else this.#checks.write(kind, packed >>> 4, local);
      from = data[entry + 2] ?? 0;
    }
    out.copy(bytes, from, end);
  }

  /** Copies the locals with one more, and returns the index of that one. */
  #declareLocal(index: number, start: number, code: number): number {
    const { bytes, functionTypes, importedFunctions, paramCounts } =
      this.#layout;
    const type = functionTypes[importedFunctions + index] ?? 0;
    const reader = new ByteReader(bytes, start, code);
    const groups = reader.u32();
    this.#out.u32(groups + 1).copy(bytes, reader.pos, code).byte(1).byte(0x7e);
    let locals = paramCounts[type] ?? 0;
    for (let group = 0; group < groups; group++) {
      locals += reader.u32();
      const type = reader.u8();
      if (type === 0x63 || type === 0x64) reader.skipLeb();
    }
    return locals;
  }
}

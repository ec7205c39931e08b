/**
 * Reads the declarations of a module. Every count is checked against the bytes
 * that are left, nothing recurses, and what is not known is refused.
 *
 * Format: https://webassembly.github.io/spec/core/binary/modules.html
 *
 * @module
 */

import { quote } from "../../_text.ts";
import {
  type List,
  MAX_COUNTS,
  MAX_ELEMENTS,
  MAX_TAG_PARAMS,
  refused,
  tooMany,
} from "./bounds.ts";
import { skipConstant } from "./constants.ts";
import { FEATURE_BITS as F } from "./features.ts";
import {
  type ExportLayout,
  type ImportLayout,
  KINDS,
  type Limits,
  type MemoryLayout,
  type ModuleLayout,
  RESERVED,
  type Section,
  type TableLayout,
} from "./layout.ts";
import { ByteReader } from "./reader.ts";
import { TypeReader } from "./type_reader.ts";

/** Sections by number, in the order in which they must stand. */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** Reads a module's declarations into the fields of a {@linkcode ModuleLayout}. */
export class ModuleParser {
  readonly #reader: ByteReader;
  readonly #sections = new Map<number, Section>();
  readonly #types: TypeReader;
  readonly #imports: ImportLayout[] = [];
  readonly #exports: ExportLayout[] = [];
  readonly #functionTypes: number[] = [];
  readonly #memories: MemoryLayout[] = [];
  readonly #tables: TableLayout[] = [];
  readonly #elementLengths: number[] = [];
  readonly #dataLengths: number[] = [];
  readonly #bodies: number[] = [];
  #importedFunctions = 0;
  #elements = 0;
  #globals = 0;
  #start: number | undefined;
  #names: Section | undefined;

  /**
   * Constructs a parser.
   *
   * @param bytes The module; nobody else may change it.
   */
  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    this.#reader = new ByteReader(bytes);
    this.#types = new TypeReader(this.#reader);
  }

  /**
   * Reads the whole module.
   *
   * @returns What it declares.
   * @throws {SandboxError} With code `invalid-module` or `module-refused`.
   */
  parse(): ModuleLayout {
    this.#header();
    let last = -1;
    while (this.#reader.pos < this.bytes.length) {
      const section = this.#section();
      if (section.id === 0) {
        this.#custom(section);
        continue;
      }
      const place = ORDER.indexOf(section.id);
      if (place < 0) {
        this.#reader.fail(`section ${section.id} is not known`, section.start);
      }
      if (place <= last) {
        this.#reader.fail(
          `section ${section.id} is out of order`,
          section.start,
        );
      }
      last = place;
      this.#sections.set(section.id, section);
      this.#payload(section);
    }
    const defined = this.#functionTypes.length - this.#importedFunctions;
    if (defined !== this.#bodies.length / 2) {
      this.#reader.fail("functions and bodies differ in number");
    }
    return this.#layout();
  }

  #layout(): ModuleLayout {
    return {
      bytes: this.bytes,
      sections: this.#sections,
      names: this.#names,
      types: this.#types.types,
      paramCounts: this.#types.paramCounts,
      resultCounts: this.#types.resultCounts,
      referring: this.#types.referring,
      imports: this.#imports,
      exports: this.#exports,
      importedFunctions: this.#importedFunctions,
      functionTypes: this.#functionTypes,
      memories: this.#memories,
      tables: this.#tables,
      globals: this.#globals,
      start: this.#start,
      elementLengths: this.#elementLengths,
      dataLengths: this.#dataLengths,
      bodies: this.#bodies,
      features: this.#types.features |
        (this.#memories.length > 1 ? F.multiMemory : 0),
    };
  }

  #header(): void {
    const { bytes } = this;
    const magic = [0, 0x61, 0x73, 0x6d];
    if (!magic.every((byte, index) => bytes[index] === byte)) {
      this.#reader.fail(
        bytes.length === 0
          ? "it is empty"
          : "it does not begin with \\0asm, so it is no WebAssembly (text must be assembled first)",
        0,
      );
    }
    const version = bytes.subarray(4, 8).join();
    if (version === "13,0,1,0") {
      throw refused(
        "it is a component; only core modules run here (extract the core module)",
        { reason: "component" },
      );
    }
    if (version !== "1,0,0,0") this.#reader.fail("the version is not 1", 4);
    this.#reader.pos = 8;
  }

  #section(): Section {
    const reader = this.#reader;
    reader.end = this.bytes.length;
    const id = reader.u8();
    const size = reader.u32();
    if (size > this.bytes.length - reader.pos) {
      reader.fail(`section ${id} claims ${size} bytes, more than there are`);
    }
    const start = reader.pos;
    reader.end = start + size;
    return { id, start, end: reader.end };
  }

  #custom({ end }: Section): void {
    const name = this.#reader.name();
    if (name === "name" && this.#names === undefined) {
      this.#names = { id: 0, start: this.#reader.pos, end };
    }
    this.#reader.pos = end;
  }

  #payload({ id, end }: Section): void {
    const reader = this.#reader;
    switch (id) {
      case 1:
        this.#list("types", 2, () => this.#types.entry());
        break;
      case 2:
        this.#list("imports", 4, () => this.#import());
        break;
      case 3:
        this.#list(
          "functions",
          1,
          () => this.#functionTypes.push(this.#types.functionType()),
        );
        break;
      case 4:
        this.#list("tables", 3, () => this.#tables.push(this.#table()));
        break;
      case 5:
        this.#list(
          "memories",
          2,
          () => this.#memories.push(this.#memory(false)),
        );
        break;
      case 6:
        this.#list("globals", 3, () => this.#global());
        break;
      case 7:
        this.#list("exports", 3, () => this.#export());
        break;
      case 8:
        this.#start = reader.u32();
        break;
      case 9:
        this.#list("element segments", 2, () => this.#elementSegment());
        break;
      case 10:
        this.#list("functions", 3, () => this.#body());
        break;
      case 11:
        this.#list("data segments", 2, () => this.#data());
        break;
      case 12:
        reader.u32();
        break;
      case 13:
        this.#list("tags", 2, () => this.#tag());
        break;
    }
    if (reader.pos !== end) {
      reader.fail(`section ${id} is longer than its contents`);
    }
  }

  /** Reads the entries of a section, if they are not too many. */
  #list(what: List, itemBytes: number, read: () => void): void {
    const count = this.#reader.count(itemBytes);
    if (count > MAX_COUNTS[what]) throw tooMany(what, this.#reader.pos);
    for (let index = 0; index < count; index++) read();
  }

  #limits(allowShared: boolean): Limits {
    const reader = this.#reader;
    const flags = reader.u8();
    if (flags > 7 || (!allowShared && (flags & 2) !== 0)) {
      reader.fail(`limits flag ${flags} is not known`, reader.pos - 1);
    }
    const is64 = (flags & 4) !== 0;
    const read = () => is64 ? reader.u64() : reader.u32();
    const min = read();
    const max = (flags & 1) !== 0 ? read() : undefined;
    const shared = (flags & 2) !== 0;
    if (is64) this.#types.features |= F.memory64;
    if (shared) this.#types.features |= F.threads;
    return { min, max, is64, shared };
  }

  #memory(imported: boolean): MemoryLayout {
    return { ...this.#limits(true), imported };
  }

  #table(): TableLayout {
    const reader = this.#reader;
    const hasInit = reader.bytes[reader.pos] === 0x40;
    if (hasInit) {
      reader.skip(1);
      if (reader.u8() !== 0) reader.fail("a table's prefix is not 0x40 0x00");
      this.#types.features |= F.functionReferences;
    }
    const table = this.#tableType(false);
    if (!hasInit) return table;
    const start = reader.pos;
    this.#expression();
    return { ...table, init: [start, reader.pos] };
  }

  #tableType(imported: boolean): TableLayout {
    const reader = this.#reader;
    const start = reader.pos;
    // one table of functions is WebAssembly 1.0
    if (reader.bytes[start] === 0x70) reader.u8();
    else this.#types.kept();
    const end = reader.pos;
    const limits = this.#limits(false);
    if (this.#tables.length > 0) this.#types.features |= F.referenceTypes;
    return { ...limits, imported, type: [start, end], init: undefined };
  }

  #tag(): void {
    const reader = this.#reader;
    if (reader.u8() !== 0) reader.fail("a tag's attribute is not 0");
    const type = this.#types.functionType();
    this.#types.features |= F.exceptions;
    const params = new ByteReader(this.bytes, this.#types.types[type]);
    const count = params.count();
    let weight = count;
    for (let index = 0; index < count; index++) {
      const form = params.u8();
      if (form === 0x7b) weight += 3;
      // exceptions that hold references make lists as long as the guest likes
      if (form < 0x7b) this.#types.features |= F.gc;
    }
    if (weight > MAX_TAG_PARAMS) {
      throw refused(
        `an exception carries more than ${MAX_TAG_PARAMS} values`,
        { reason: "exception too large", offset: reader.pos },
      );
    }
  }

  #import(): void {
    const reader = this.#reader;
    const module = reader.name();
    const name = reader.name();
    this.#reserved(module);
    this.#reserved(name);
    const kind = KINDS[reader.u8()];
    let type = 0;
    let mutable = false;
    if (kind === "function") {
      type = this.#types.functionType();
      this.#functionTypes.push(type);
      this.#importedFunctions++;
    } else if (kind === "table") this.#tables.push(this.#tableType(true));
    else if (kind === "memory") this.#memories.push(this.#memory(true));
    else if (kind === "global") mutable = this.#globalType();
    else if (kind === "tag") this.#tag();
    else return reader.fail("an import is of a kind that is not known");
    this.#imports.push({ module, name, kind, type, mutable });
  }

  #globalType(): boolean {
    this.#types.kept();
    const mutable = this.#reader.u8();
    if (mutable > 1) this.#reader.fail("a global is neither const nor var");
    this.#globals++;
    return mutable === 1;
  }

  #global(): void {
    this.#globalType();
    this.#expression();
  }

  #export(): void {
    const reader = this.#reader;
    const name = reader.name();
    this.#reserved(name);
    const kind = KINDS[reader.u8()];
    if (kind === undefined) {
      return reader.fail("an export is of a kind that is not known");
    }
    this.#exports.push({ name, kind, index: reader.u32() });
  }

  #reserved(name: string): void {
    if (!name.startsWith(RESERVED)) return;
    throw refused(
      `it uses the name ${quote(name)}, and names that begin with ` +
        `"${RESERVED}" are reserved`,
      { reason: "reserved name", offset: this.#reader.pos },
    );
  }

  #elementSegment(): void {
    const reader = this.#reader;
    const flags = reader.u32();
    if (flags > 7) reader.fail(`element flag ${flags} is not known`);
    const active = (flags & 1) === 0;
    if (active && (flags & 2) !== 0) reader.u32();
    if (active) this.#expression();
    const byExpression = (flags & 4) !== 0;
    if ((flags & 3) !== 0) {
      if (byExpression) this.#types.value();
      else if (reader.u8() !== 0) reader.fail("an element kind is not known");
    }
    if (flags !== 0) this.#types.features |= F.bulkMemory;
    const count = reader.count();
    for (let index = 0; index < count; index++) {
      if (byExpression) this.#expression();
      else reader.u32();
    }
    this.#elements += count;
    if (this.#elements > MAX_ELEMENTS) {
      throw refused(
        `its segments hold more than ${MAX_ELEMENTS} elements, which would ` +
          "take too long to instantiate",
        { reason: "too many elements", offset: reader.pos },
      );
    }
    this.#elementLengths.push(count);
  }

  #data(): void {
    const reader = this.#reader;
    const flags = reader.u32();
    if (flags > 2) reader.fail(`data flag ${flags} is not known`);
    if (flags === 2) reader.u32();
    if (flags !== 1) this.#expression();
    else this.#types.features |= F.bulkMemory;
    const length = reader.u32();
    reader.skip(length);
    this.#dataLengths.push(length);
  }

  #body(): void {
    const reader = this.#reader;
    const size = reader.u32();
    const start = reader.pos;
    reader.skip(size);
    this.#bodies.push(start, reader.pos);
  }

  #expression(): void {
    this.#types.features |= skipConstant(this.#reader);
  }
}

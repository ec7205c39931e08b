/**
 * What a module declares: everything the gate and the rewriter must know of
 * it, but the code.
 *
 * @module
 */

import type { ModuleFeatures } from "./features.ts";
import { ByteReader } from "./reader.ts";

/** Kind of an import or export, as the JavaScript API spells it. */
export type ExternalKind = "function" | "table" | "memory" | "global" | "tag";

/** Kinds by their number in the binary format. */
export const KINDS: readonly ExternalKind[] = Object.freeze([
  "function",
  "table",
  "memory",
  "global",
  "tag",
]);

/** A section: its payload is `bytes[start, end)`. */
export interface Section {
  /** Number of the section. */
  readonly id: number;
  /** Offset of the payload. */
  readonly start: number;
  /** Offset behind the payload. */
  readonly end: number;
}

/** Size of a memory in pages or of a table in elements. */
export interface Limits {
  /** Initial size. */
  readonly min: number;
  /** Largest size, if declared. */
  readonly max: number | undefined;
  /** Whether it is addressed with 64 bits. */
  readonly is64: boolean;
  /** Whether threads may share it. */
  readonly shared: boolean;
}

/** A memory. */
export interface MemoryLayout extends Limits {
  /** Whether it is imported. */
  readonly imported: boolean;
}

/** A table. */
export interface TableLayout extends Limits {
  /** Whether it is imported. */
  readonly imported: boolean;
  /** Where its element type stands, as `[start, end)`. */
  readonly type: readonly [start: number, end: number];
  /** Where its initial value's expression stands, if it has one. */
  readonly init: readonly [start: number, end: number] | undefined;
}

/** An import. */
export interface ImportLayout {
  /** Name of the module it comes from. */
  readonly module: string;
  /** Its name there. */
  readonly name: string;
  /** What it is. */
  readonly kind: ExternalKind;
  /** Index of a function's type, 0 for other kinds. */
  readonly type: number;
  /** Whether a global is mutable. */
  readonly mutable: boolean;
}

/** An export. */
export interface ExportLayout {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly kind: ExternalKind;
  /** Index in the space of its kind. */
  readonly index: number;
}

/** A number type. */
export type NumberType = "i32" | "i64" | "f32" | "f64";

/** Signature of a function. `"other"` stands for vectors and references. */
export interface Signature {
  /** Types of the parameters. */
  readonly params: readonly (NumberType | "other")[];
  /** Types of the results. */
  readonly results: readonly (NumberType | "other")[];
}

/** What a module declares. */
export interface ModuleLayout {
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Sections by number, custom ones left out. */
  readonly sections: ReadonlyMap<number, Section>;
  /** The name section's payload behind its own name, if there is one. */
  readonly names: Section | undefined;
  /** By type: offset of its parameters' vector, or 0 if it is no function. */
  readonly types: readonly number[];
  /** By type: how many parameters it has, or fields if it is a structure. */
  readonly paramCounts: readonly number[];
  /** By type: how many results it has. */
  readonly resultCounts: readonly number[];
  /** Types of functions that take or give references. */
  readonly referring: ReadonlySet<number>;
  /** The imports, in order. */
  readonly imports: readonly ImportLayout[];
  /** The exports, in order. */
  readonly exports: readonly ExportLayout[];
  /** How many functions are imported. */
  readonly importedFunctions: number;
  /** Type of each function, imported ones first. */
  readonly functionTypes: readonly number[];
  /** Memories, imported ones first. */
  readonly memories: readonly MemoryLayout[];
  /** Tables, imported ones first. */
  readonly tables: readonly TableLayout[];
  /** How many globals there are, imported ones included. */
  readonly globals: number;
  /** Index of the start function, if there is one. */
  readonly start: number | undefined;
  /** How many elements each element segment holds. */
  readonly elementLengths: readonly number[];
  /** How many bytes each data segment holds. */
  readonly dataLengths: readonly number[];
  /** Start and end of each function's body, locals included. */
  readonly bodies: readonly number[];
  /** Mask of the features that the declarations use. */
  readonly features: number;
}

/** Which limits the code is to carry. */
export interface Instrumentation {
  /** Checks of the flag that the watchdog sets. */
  readonly deadline: boolean;
  /** Charges of fuel. */
  readonly fuel: boolean;
  /** Cap of all tables together, in elements. */
  readonly tableElements: number;
}

/** Bounds on a module, besides those of `ResourceLimits`. */
export interface GateOptions {
  /**
   * Which proposals the module may use.
   *
   * @default {DEFAULT_FEATURES}
   */
  features?: ModuleFeatures;
  /**
   * Longest module, in bytes.
   *
   * @default {16_777_216}
   */
  moduleBytes?: number;
  /**
   * Longest body of one function, in bytes.
   *
   * @default {262_144}
   */
  functionBytes?: number;
}

/** What the rewriter adds begins with this; guests may not use it. */
export const RESERVED = "wasm_sandbox:";

const NUMBER_TYPES: readonly (readonly [number, NumberType])[] = [
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
];
const TYPE_NAMES = new Map<number, NumberType>(NUMBER_TYPES);

/**
 * The signature of a function type that the gate has accepted.
 *
 * @param layout The module.
 * @param type Index of the type.
 * @returns The signature.
 */
export function signature(layout: ModuleLayout, type: number): Signature {
  const reader = new ByteReader(layout.bytes, layout.types[type]);
  const read = () =>
    Array.from({ length: reader.u32() }, () => {
      const byte = reader.u8();
      if (byte === 0x63 || byte === 0x64) reader.skipLeb();
      return TYPE_NAMES.get(byte) ?? "other";
    });
  return { params: read(), results: read() };
}

/**
 * The function types of a module, each as text that tells it from others.
 *
 * @param layout The module.
 */
export function* functionTypes(
  { bytes, types }: ModuleLayout,
): Iterable<string> {
  for (const start of types) {
    if (start === 0) continue;
    const end = skipTypes(bytes, skipTypes(bytes, start));
    yield String.fromCharCode(...bytes.subarray(start, end));
  }
}

/** Where a vector of types ends that the gate has accepted. */
function skipTypes(bytes: Uint8Array, start: number): number {
  const reader = new ByteReader(bytes, start);
  const count = reader.u32();
  for (let index = 0; index < count; index++) {
    const type = reader.u8();
    if (type === 0x63 || type === 0x64) reader.skipLeb();
  }
  return reader.pos;
}

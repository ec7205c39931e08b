/**
 * What the parser, the validator and the machine tell each other.
 *
 * @module
 */

import type {
  ExternalKind,
  NumberType,
  Signature,
} from "@wasm-sandbox/core/runtime";

/** Types of values, by their byte in the binary format. */
export const I32 = 0x7f;
/** A 64-bit integer. */
export const I64 = 0x7e;
/** A number of 32 bits. */
export const F32 = 0x7d;
/** A number of 64 bits. */
export const F64 = 0x7c;
/** A reference to a function, or null. */
export const FUNCREF = 0x70;
/** A reference to something of the host's; only null can be had here. */
export const EXTERNREF = 0x6f;
/** Stands for any type, in code that nothing leads to. */
export const UNKNOWN = 0;

/** Bytes of a page of memory. */
export const PAGE_BYTES = 65_536;
/** Most pages that an address of 32 bits reaches. */
export const MAX_PAGES = 65_536;

/** A function's type. Two of the same types are the same object. */
export interface FunctionType {
  /** Number of the type, the same for all that are equal. */
  readonly id: number;
  /** Types of the parameters. */
  readonly params: readonly number[];
  /** Types of the results. */
  readonly results: readonly number[];
}

/** A size, and how far it may grow. */
export interface SizeRange {
  /** Initial size. */
  readonly min: number;
  /** Largest size. */
  readonly max: number;
  /** Whether the module says so itself. */
  readonly hasMax: boolean;
}

/** A table. */
export interface TableType extends SizeRange {
  /** Type of its elements. */
  readonly element: number;
}

/** A global. */
export interface GlobalType {
  /** Type of its value. */
  readonly type: number;
  /** Whether it can be set. */
  readonly mutable: boolean;
}

/** One step of a constant expression: an opcode and its operand. */
export type ConstantStep = readonly [op: number, operand: bigint];
/** A constant expression, in the order in which it is calculated. */
export type Constant = readonly ConstantStep[];

/** A global that the module defines. */
export interface GlobalDefinition extends GlobalType {
  /** Its first value. */
  readonly value: Constant;
}

/** An import. */
export interface ImportEntry {
  /** Name of the module. */
  readonly module: string;
  /** Name within it. */
  readonly name: string;
  /** What it is. */
  readonly kind: ExternalKind;
  /** Its type, if it is a function. */
  readonly type?: FunctionType;
  /** Its type, if it is a global. */
  readonly global?: GlobalType;
}

/** An export. */
export interface ExportEntry {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly kind: ExternalKind;
  /** Its place among those of its kind. */
  readonly index: number;
}

/** A segment of elements or of data. */
interface Segment {
  /** Where it goes at the start; undefined if the code copies it. */
  readonly offset: Constant | undefined;
}

/** Elements for a table. */
export interface ElementSegment extends Segment {
  /** The table it goes to. */
  readonly table: number;
  /** Type of the elements. */
  readonly type: number;
  /**
   * References: 0 is null, `index + 1` a function, and `-index - 1` what a
   * global holds.
   */
  readonly items: Int32Array;
  /** Whether it only says which functions may be referred to. */
  readonly declares: boolean;
}

/** Bytes for a memory. */
export interface DataSegment extends Segment {
  /** The bytes. */
  readonly bytes: Uint8Array;
}

/** What a module declares, and where its code stands. */
export interface ModuleParts {
  readonly types: FunctionType[];
  readonly imports: ImportEntry[];
  /** Types of all functions, imported ones first. */
  readonly functions: FunctionType[];
  readonly tables: TableType[];
  readonly memories: SizeRange[];
  /** All globals, imported ones first. */
  readonly globals: (GlobalType | GlobalDefinition)[];
  readonly exports: ExportEntry[];
  readonly elements: ElementSegment[];
  readonly data: DataSegment[];
  /** Functions that code may refer to. */
  readonly referable: Set<number>;
  /** Where each function's body stands, as start and end. */
  readonly bodies: (readonly [start: number, end: number])[];
  /** How many functions are imported. */
  importedFunctions: number;
  /** How many globals are imported. */
  importedGlobals: number;
  /** How many segments of data there are, if code may ask. */
  dataCount: number | undefined;
  /** The start function. */
  start: number | undefined;
}

/** Code as the machine runs it: places of all functions in one list. */
export interface MachineCode {
  /** Instructions with their operands. */
  readonly code: Int32Array;
  /** By function: where it begins. */
  readonly entries: Int32Array;
  /** By function: its type's number. */
  readonly types: Int32Array;
  /** By function: how many parameters it takes. */
  readonly params: Int32Array;
  /** By function: its parameters and locals. */
  readonly locals: Int32Array;
  /** By function: all slots of the stack that it may need. */
  readonly slots: Int32Array;
}

const NAMES: Readonly<Record<number, NumberType>> = {
  [I32]: "i32",
  [I64]: "i64",
  [F32]: "f32",
  [F64]: "f64",
};

/** Whether a type is one of references. */
export function isReference(type: number): boolean {
  return type === FUNCREF || type === EXTERNREF;
}

/**
 * A function's type as the package spells it.
 *
 * @param type The type.
 * @returns The signature.
 */
export function signatureOf({ params, results }: FunctionType): Signature {
  const spell = (type: number) => NAMES[type] ?? "other";
  return Object.freeze({
    params: Object.freeze(params.map(spell)),
    results: Object.freeze(results.map(spell)),
  });
}

/**
 * What a random module declares, before its code is written: types, functions,
 * globals, tables, memory and segments.
 *
 * @module
 */

import { Random } from "../v8/_random.ts";
import { funcType } from "../wasm.ts";
import {
  NUMBERS,
  type NumberType,
  type Operator,
  operators,
  type Type,
  TYPE_BYTES,
} from "./_operators.ts";

/** What a function or a block takes and gives. */
export interface Signature<T extends Type = Type> {
  readonly params: readonly T[];
  readonly results: readonly T[];
}

/** A function, the host's or the module's own. */
export interface FunctionShape {
  readonly index: number;
  readonly signature: Signature;
  /** Whether the host can call it. */
  readonly exported: boolean;
}

/** A global of the module's own. */
export interface GlobalShape {
  readonly index: number;
  readonly type: Type;
  readonly mutable: boolean;
}

/** A table. */
export interface TableShape {
  readonly index: number;
  readonly type: "funcref" | "externref";
  readonly min: number;
  readonly max: number;
}

/** A segment, of bytes or of functions. */
export interface SegmentShape {
  readonly index: number;
  readonly length: number;
  /** Where it is put at the start, if it is. */
  readonly offset: number | undefined;
}

/** A function of the host's. */
export interface HostShape extends FunctionShape {
  readonly name: string;
  readonly signature: Signature<NumberType>;
}

/** The import that notes the memory's content. */
export const CHECKPOINT = 0;
/** The imported constant. */
export const IMPORTED_GLOBAL = 0;
/** The global that counts down what a call may still do, so that it ends. */
export const STEPS_GLOBAL = 1;

/** What a module declares. */
export interface Shape {
  readonly seed: number;
  readonly hosts: readonly HostShape[];
  /** The module's own functions. */
  readonly functions: readonly FunctionShape[];
  readonly globals: readonly GlobalShape[];
  readonly tables: readonly TableShape[];
  readonly memory: { readonly min: number; readonly max: number };
  readonly data: readonly SegmentShape[];
  readonly elements: readonly SegmentShape[];
  /** What the table of functions holds at the start: indices of functions. */
  readonly slots: readonly number[];
  /** Whether vectors are used. */
  readonly simd: boolean;
  /** Instructions that may be used, by the type of their result. */
  readonly operators: ReadonlyMap<Type, readonly Operator[]>;
  /** One instruction out of so many is not kept from trapping. */
  readonly caution: number;
  readonly hasStart: boolean;
  readonly types: TypeList;
  /** The encodings of operators that were written, as hexadecimal digits. */
  readonly written: Set<string>;
}

/** The function types of a module, which grow as its code is written. */
export class TypeList {
  readonly #types: number[][] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of a type. */
  of({ params, results }: Signature): number {
    const key = `${params} ${results}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const bytes = (types: readonly Type[]) =>
      types.map((type) => TYPE_BYTES[type]);
    this.#numbers.set(key, this.#types.length);
    return this.#types.push(funcType(bytes(params), bytes(results))) - 1;
  }

  /** All of them, as section 1 holds them. */
  get encoded(): readonly number[][] {
    return this.#types;
  }
}

/** Random numbers for one part of a module, whatever the others drew. */
export function randomOf(seed: number, ...part: readonly number[]): Random {
  return new Random(
    part.reduce((mixed, number) => Math.imul(mixed, 31) + number | 0, seed),
  );
}

function some<T>(random: Random, most: number, items: readonly T[]): T[] {
  return Array.from(
    { length: random.below(most + 1) },
    () => random.pick(items),
  );
}

/**
 * Plans a module.
 *
 * @param seed Which one.
 * @returns What it declares.
 */
export function shapeOf(seed: number): Shape {
  const random = randomOf(seed, 0x5a);
  const simd = random.below(5) < 3;
  const inner: Type[] = [...NUMBERS, "i32", "funcref", "externref"];
  if (simd) inner.push("v128", "v128");
  const hosts = Array.from({ length: 1 + random.below(3) }, (_, index) => ({
    index: CHECKPOINT + 1 + index,
    name: `h${index}`,
    signature: {
      params: some(random, 4, NUMBERS),
      results: some(random, random.pick([1, 1, 3]), NUMBERS),
    },
    exported: false,
  }));
  const first = CHECKPOINT + 1 + hosts.length;
  const functions = Array.from({ length: 3 + random.below(6) }, (_, index) => {
    const exported = index === 0 || random.below(2) === 0;
    const types = exported ? NUMBERS : inner;
    const signature: Signature = {
      params: some(random, 4, types),
      results: some(random, random.pick([1, 1, 1, 3]), types),
    };
    return { index: first + index, signature, exported };
  });
  const globals = Array.from({ length: 3 + random.below(5) }, (_, index) => ({
    index: STEPS_GLOBAL + 1 + index,
    type: random.pick(inner),
    mutable: random.below(5) > 0,
  }));
  return {
    seed,
    hosts,
    functions,
    globals,
    ...storage(random, first + functions.length),
    simd,
    operators: operators(simd),
    caution: random.pick([3, 20, 60, 200, 1000]),
    hasStart: random.below(4) === 0,
    types: new TypeList(),
    written: new Set(),
  };
}

/** Memory, tables and segments; some of them are empty. */
function storage(
  random: Random,
  functions: number,
): Pick<Shape, "tables" | "memory" | "data" | "elements" | "slots"> {
  const min = random.pick([1, 1, 1, 1, 1, 2, 2, 0]);
  const size = 4 + random.below(8);
  const slots = Array.from(
    { length: size - random.below(3) },
    () => random.below(functions),
  );
  const segment =
    (most: number, isActive: boolean, room: number) =>
    (_: unknown, index: number): SegmentShape => {
      const length = random.below(Math.min(most, room) + 1);
      return {
        index,
        length,
        offset: isActive ? random.below(room - length + 1) : undefined,
      };
    };
  const bytes = min * 65_536;
  return {
    memory: { min, max: min + random.below(4) },
    tables: [
      { index: 0, type: "funcref", min: size, max: size + random.below(9) },
      { index: 1, type: "externref", min: 4, max: 4 + random.below(9) },
    ],
    slots,
    data: [
      ...[0, 1].map(segment(200, true, bytes)),
      ...[2, 3].map(segment(100, false, 100)),
    ].map((each, index) => ({ ...each, index })),
    // the first fills the table; the last only declares
    elements: [
      { index: 0, length: slots.length, offset: 0 },
      { index: 1, length: random.below(5), offset: undefined },
      { index: 2, length: random.below(5), offset: undefined },
    ],
  };
}

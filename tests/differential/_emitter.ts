/**
 * Where the code of one function is gathered: its bytes, its locals and the
 * labels that it may branch to.
 *
 * @module
 */

import type { Random } from "../v8/_random.ts";
import { leb } from "../wasm.ts";
import { zero } from "./_constants.ts";
import type { Type } from "./_operators.ts";
import {
  type FunctionShape,
  randomOf,
  type Shape,
  STEPS_GLOBAL,
} from "./_shape.ts";

/** Instructions that several parts write. */
export const Op = Object.freeze({
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i32Eqz: 0x45,
  i32LtS: 0x48,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  misc: 0xfc,
  simd: 0xfd,
});

/** Locals that every function has, so that what reads them finds some. */
const SPARE: readonly Type[] = ["i32", "i32", "i64", "f32", "f64", "funcref"];
/** What a top-level statement may hold, about. */
const STATEMENT_NODES = 40;

/** Gathers the code of one function. */
export class Emitter {
  readonly shape: Shape;
  readonly self: FunctionShape;
  readonly out: number[] = [];
  /** What decides; each top-level statement has its own. */
  random: Random;
  /** How many more nodes the statement may have. */
  budget = STATEMENT_NODES;
  readonly #locals: Type[];
  /** Locals that may be read and written anywhere. */
  readonly #shared: number;
  /** What a branch to each label takes, the innermost last. */
  readonly #labels: (readonly Type[])[] = [];

  constructor(shape: Shape, self: FunctionShape) {
    this.shape = shape;
    this.self = self;
    this.random = randomOf(shape.seed, self.index);
    const vectors: Type[] = shape.simd ? ["v128"] : [];
    this.#locals = [...self.signature.params, ...SPARE, ...vectors];
    this.#shared = this.#locals.length;
    this.#labels.push(self.signature.results);
  }

  /** Groups of the locals, as a body declares them. */
  get declared(): readonly (readonly [number, Type])[] {
    return this.#locals.slice(this.self.signature.params.length)
      .map((type) => [1, type] as const);
  }

  emit(...bytes: readonly number[]): void {
    for (const byte of bytes) this.out.push(byte);
  }

  /** Writes an instruction with an index behind it. */
  indexed(opcode: number, index: number): void {
    this.emit(opcode, ...leb(index));
  }

  i32(value: number): void {
    this.emit(Op.i32Const);
    for (let rest = value;; rest >>= 7) {
      if (rest >= -64 && rest < 64) return this.emit(rest & 127);
      this.emit(rest & 127 | 128);
    }
  }

  zeros(types: readonly Type[]): void {
    for (const type of types) this.emit(...zero(type));
  }

  /** Begins a statement that is the same whatever stands before it. */
  restart(random: Random): void {
    this.random = random;
    this.budget = STATEMENT_NODES;
  }

  /** True once out of so many times. */
  once(inSoMany: number): boolean {
    return this.random.below(inSoMany) === 0;
  }

  /** A local of a type that any part may use, if there is one. */
  sharedLocal(type: Type): number | undefined {
    const found = this.#locals.slice(0, this.#shared)
      .flatMap((each, index) => each === type ? [index] : []);
    return found.length === 0 ? undefined : this.random.pick(found);
  }

  /** A new local, for one use. */
  temporary(type: Type): number {
    return this.#locals.push(type) - 1;
  }

  /** Takes values off the stack into new locals. */
  intoTemporaries(types: readonly Type[]): number[] {
    const locals = types.map((type) => this.temporary(type));
    for (const local of locals.toReversed()) this.indexed(Op.localSet, local);
    return locals;
  }

  /** Begins a block, a loop or an if; `label` is what a branch to it takes. */
  open(
    opcode: number,
    params: readonly Type[],
    results: readonly Type[],
    label: readonly Type[] = results,
  ): void {
    if (params.length + results.length === 0) this.emit(opcode, 0x40);
    else this.indexed(opcode, this.shape.types.of({ params, results }));
    this.#labels.push(label);
  }

  close(): void {
    this.emit(Op.end);
    this.#labels.pop();
  }

  /** A label that can be branched to, and what that takes. */
  label(): { readonly depth: number; readonly types: readonly Type[] } {
    const depth = this.random.below(this.#labels.length);
    return { depth, types: this.#labels.at(-1 - depth) ?? [] };
  }

  /** Labels that take the same as another. */
  labelsLike(types: readonly Type[]): number[] {
    return this.#labels.toReversed()
      .flatMap((each, depth) => `${each}` === `${types}` ? [depth] : []);
  }

  /** Counts a step, and returns at once if there were too many. */
  countStep(): void {
    this.indexed(Op.globalGet, STEPS_GLOBAL);
    this.i32(1);
    this.emit(Op.i32Sub);
    this.indexed(Op.globalSet, STEPS_GLOBAL);
    this.indexed(Op.globalGet, STEPS_GLOBAL);
    this.i32(0);
    this.emit(Op.i32LtS);
    this.open(Op.if, [], []);
    this.zeros(this.self.signature.results);
    this.emit(Op.return);
    this.close();
  }
}

/**
 * Writes random expressions: code that leaves one value of a type.
 *
 * No engine promises the bits of a NaN that arithmetic makes. So wherever the
 * bits of a float could be seen otherwise than as a float (stored, taken for an
 * integer, put in a vector) they are of a value whose bits are known, or any NaN
 * is replaced by one with known bits first.
 *
 * @module
 */

import { leb } from "../wasm.ts";
import { constant, littleEndian } from "./_constants.ts";
import { Emitter, Op } from "./_emitter.ts";
import type { Operator, Type } from "./_operators.ts";
import { type FunctionShape, IMPORTED_GLOBAL, STEPS_GLOBAL } from "./_shape.ts";

/** Loads and stores of each type: the opcode, and log2 of its width. */
export type Access = readonly [opcode: readonly number[], width: number];

const LOADS: Readonly<Partial<Record<Type, readonly Access[]>>> = {
  i32: [[[0x28], 2], [[0x2c], 0], [[0x2d], 0], [[0x2e], 1], [[0x2f], 1]],
  i64: [
    ...[[[0x29], 3], [[0x30], 0], [[0x31], 0], [[0x32], 1]] as const,
    ...[[[0x33], 1], [[0x34], 2], [[0x35], 2]] as const,
  ],
  f32: [[[0x2a], 2]],
  f64: [[[0x2b], 3]],
  v128: [
    [[0xfd, 0], 4],
    ...[1, 2, 3, 4, 5, 6].map((sub): Access => [[0xfd, sub], 3]),
    ...[0, 1, 2, 3].map((width): Access => [[0xfd, 7 + width], width]),
    ...[[[0xfd, 0x5c], 2], [[0xfd, 0x5d], 3]] as const,
  ],
};

/** Bytes of a page of memory. */
const PAGE = 65_536;

type Maker = readonly [weight: number, make: (depth: number) => void];

/** Writes expressions. */
export abstract class Expressions extends Emitter {
  /** Writes some statements, for the inside of a block. */
  abstract statements(depth: number): void;

  /**
   * Writes an expression.
   *
   * @param type What it leaves.
   * @param depth How deep it may nest.
   */
  expression(type: Type, depth: number): void {
    if (depth <= 0 || this.budget-- <= 0) return this.leaf(type);
    const next = depth - 1;
    const makers: Maker[] = [
      [2, () => this.leaf(type)],
      [10, () => this.operation(type, next)],
      [LOADS[type] === undefined ? 0 : 2, () => this.load(type, next)],
      [1, () => this.select(type, next)],
      [1, () => this.blockOf(type, next)],
      [1, () => this.ifOf(type, next)],
      [1, () => this.callFor(type, next)],
      [1, () => this.teeOf(type, next)],
      [2, () => this.special(type, next)],
      [0.1, () => this.never(next)],
      [0.5, () => this.branchOver(type, next)],
    ];
    this.choose(makers, next);
  }

  expressions(types: readonly Type[], depth: number): void {
    for (const type of types) this.expression(type, depth);
  }

  choose(makers: readonly Maker[], depth: number): void {
    const sum = makers.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.random.below(1000) / 1000 * sum;
    for (const [weight, make] of makers) {
      left -= weight;
      if (left < 0) return make(depth);
    }
  }

  /** A constant, a local or a global. */
  leaf(type: Type): void {
    const kind = this.random.below(4);
    if (kind === 0) {
      const known = this.shape.globals.filter((each) => each.type === type)
        .map(({ index }) => index);
      if (type === "i32") known.push(IMPORTED_GLOBAL, STEPS_GLOBAL);
      if (known.length > 0) {
        return this.indexed(Op.globalGet, this.random.pick(known));
      }
    }
    const local = this.sharedLocal(type);
    if (kind < 3 && local !== undefined) {
      return this.indexed(Op.localGet, local);
    }
    this.emit(...constant(this.random, type));
  }

  operation(type: Type, depth: number): void {
    const known = this.shape.operators.get(type) ?? [];
    if (known.length === 0) return this.special(type, depth);
    const operator = this.random.pick(known);
    operator.params.forEach((param, index) => {
      const isLast = index === operator.params.length - 1;
      if (operator.exact === index) this.exact(param, depth);
      else if (isLast && operator.guard !== undefined) {
        this.#guarded(operator, param, depth);
      } else this.expression(param, depth);
    });
    this.emit(...operator.bytes);
    this.shape.written.add(Uint8Array.from(operator.bytes).toHex());
    if (operator.lanes !== undefined) {
      this.emit(this.random.below(operator.lanes));
    }
    if (operator.nan !== undefined) this.#settleLanes(operator.nan);
  }

  /** An operand that mostly does not trap. */
  #guarded({ guard }: Operator, type: Type, depth: number): void {
    if (this.once(this.shape.caution)) return this.expression(type, depth);
    if (guard === "divisor") {
      this.expression(type, depth);
      // its lowest bit set: never zero; and no sign, so never -1
      if (type === "i32") {
        this.emit(0x41, 1, 0x72, 0x41, 1, 0x74, 0x41, 1, 0x76);
      } else this.emit(0x42, 1, 0x84, 0x42, 1, 0x86, 0x42, 1, 0x88);
      return;
    }
    // an integer of 31 bits without a sign fits everywhere
    this.expression("i32", depth);
    this.emit(0x41, 1, 0x76, type === "f32" ? 0xb2 : 0xb7);
    this.emit(type === "f32" ? 0x91 : 0x9f); // sqrt: a fraction, too
  }

  /** A value all whose bits are known. */
  exact(type: Type, depth: number): void {
    if (type !== "f32" && type !== "f64") return this.expression(type, depth);
    const single = type === "f32";
    this.choose([
      [1, () => this.emit(...constant(this.random, type))],
      [1, () => this.load(type, depth)],
      [1, () => {
        this.expression(single ? "i32" : "i64", depth);
        this.emit(single ? 0xbe : 0xbf);
      }],
      [depth > 0 ? 1 : 0, () => {
        this.exact(type, depth - 1);
        this.emit((single ? 0x8b : 0x99) + this.random.below(2)); // abs, neg
      }],
      [4, () => {
        this.expression(type, depth);
        this.#settle(type);
      }],
    ], depth);
  }

  /** Replaces a NaN on the stack. */
  #settle(type: "f32" | "f64"): void {
    const local = this.temporary(type);
    this.indexed(Op.localTee, local);
    if (type === "f32") this.emit(0x43, 0, 0, 0xc0, 0x7f);
    else this.emit(0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f);
    this.indexed(Op.localGet, local);
    this.indexed(Op.localGet, local);
    this.emit(type === "f32" ? 0x5b : 0x61, Op.select);
  }

  /** Replaces NaNs in the lanes of the vector on the stack. */
  #settleLanes(lanes: "f32x4" | "f64x2"): void {
    const single = lanes === "f32x4";
    const local = this.temporary("v128");
    const nan = single
      ? littleEndian(0x7fc00000_7fc00000n, 8)
      : littleEndian(0x7ff80000_00000000n, 8);
    this.indexed(Op.localTee, local);
    this.emit(Op.simd, 0x0c, ...nan, ...nan);
    this.indexed(Op.localGet, local);
    this.indexed(Op.localGet, local);
    this.emit(Op.simd, single ? 0x41 : 0x47, Op.simd, 0x52);
  }

  load(type: Type, depth: number): void {
    const [opcode, width] = this.random.pick(LOADS[type] ?? []);
    const offset = this.address(depth);
    this.emit(...opcode);
    this.memarg(width, offset);
  }

  /** Writes where an access goes, and returns the offset that it adds. */
  address(depth: number): number {
    const { min } = this.shape.memory;
    if (!this.once(this.shape.caution)) {
      this.expression("i32", depth);
      this.i32(0x7ff8);
      this.emit(Op.i32And);
      return this.random.pick([0, 0, 1, 4, 100, 0x7fe0]);
    }
    const near = this.random.below(24);
    switch (this.random.below(4)) {
      case 0:
        this.i32(min * PAGE - near);
        return this.random.below(9);
      case 1:
        this.i32(this.random.below(9));
        return min * PAGE - near >>> 0;
      case 2:
        this.emit(Op.memorySize, 0);
        this.i32(16);
        this.emit(0x74); // i32.shl
        this.i32(near);
        this.emit(Op.i32Sub);
        return this.random.below(9);
      default:
        this.expression("i32", depth);
        return this.random.pick([0, 1, 0x7fffffff, 0xffffffff]);
    }
  }

  memarg(width: number, offset: number): void {
    this.emit(this.random.below(width + 1), ...leb(offset));
  }

  select(type: Type, depth: number): void {
    this.expressions([type, type, "i32"], depth);
    if (type === "funcref" || type === "externref") {
      this.emit(Op.selectTyped, 1, type === "funcref" ? 0x70 : 0x6f);
    } else this.emit(Op.select);
  }

  blockOf(type: Type, depth: number): void {
    const param = this.random.pick(["i32", "i64", "f64"] as const);
    if (this.once(2)) this.open(Op.block, [], [type]);
    else {
      this.expression(param, depth);
      this.open(Op.block, [param], [type]);
      this.intoTemporaries([param]);
    }
    this.statements(depth);
    this.expression(type, depth);
    this.close();
  }

  ifOf(type: Type, depth: number): void {
    this.expression("i32", depth);
    this.open(Op.if, [], [type]);
    this.statements(depth);
    this.expression(type, depth);
    this.emit(Op.else);
    this.expression(type, depth);
    this.close();
  }

  /** Calls a function one of whose results is of the type. */
  callFor(type: Type, depth: number): void {
    const { hosts, functions } = this.shape;
    const known = [...hosts, ...functions, ...functions].filter((
      { signature },
    ) => signature.results.includes(type));
    if (known.length === 0) return this.leaf(type);
    const { index, signature: { results } } = this.random.pick(known);
    this.call(index, depth);
    const locals = this.intoTemporaries(results);
    const place = results.indexOf(type);
    this.indexed(Op.localGet, locals[place] ?? 0);
  }

  /** Calls a function, by its index or through the table. */
  call(index: number, depth: number): void {
    const { signature } = this.functionAt(index);
    this.expressions(signature.params, depth);
    if (this.once(3) && this.slotFor(index, depth)) {
      this.indexed(Op.callIndirect, this.shape.types.of(signature));
      return this.emit(0);
    }
    this.indexed(Op.call, index);
  }

  /** Writes the place in the table where a function was at the start. */
  slotFor(index: number, depth: number): boolean {
    if (this.once(this.shape.caution)) {
      this.expression("i32", depth);
      this.i32(this.random.pick([3, 7, 15]));
      this.emit(Op.i32And);
      return true;
    }
    const slot = this.shape.slots.indexOf(index);
    if (slot >= 0) this.i32(slot);
    return slot >= 0;
  }

  functionAt(index: number): Pick<FunctionShape, "index" | "signature"> {
    const { hosts, functions } = this.shape;
    return [...hosts, ...functions].find((each) => each.index === index) ??
      { index, signature: { params: [], results: [] } };
  }

  teeOf(type: Type, depth: number): void {
    const local = this.sharedLocal(type);
    this.expression(type, depth);
    if (local !== undefined) this.indexed(Op.localTee, local);
  }

  /** What only one type has. */
  special(type: Type, depth: number): void {
    const [functions, references] = this.shape.tables;
    switch (type) {
      case "i32":
        return this.#sizes(depth);
      case "v128":
        this.expressions(["v128", "v128"], depth);
        this.emit(Op.simd, 0x0d); // shuffle
        for (let lane = 0; lane < 16; lane++) this.emit(this.random.below(32));
        return;
      case "funcref":
        if (this.once(2)) {
          const known = [...this.shape.hosts, ...this.shape.functions];
          return this.indexed(Op.refFunc, this.random.pick(known).index);
        }
        this.#place(depth, functions?.min);
        return this.emit(Op.tableGet, 0);
      case "externref":
        this.#place(depth, references?.min);
        return this.emit(Op.tableGet, 1);
      default:
        return this.leaf(type);
    }
  }

  /** A place in a table that mostly is in bounds. */
  #place(depth: number, size = 1): void {
    if (this.once(this.shape.caution)) return this.expression("i32", depth);
    this.i32(this.random.below(size));
  }

  #sizes(depth: number): void {
    const table = this.random.below(2);
    switch (this.random.below(6)) {
      case 0:
      case 1:
        return this.emit(Op.memorySize, 0);
      case 2:
        this.i32(this.random.pick([0, 1, 1, 2, 65_536, -1]));
        return this.emit(Op.memoryGrow, 0);
      case 3:
        return this.emit(Op.misc, 0x10, table); // table.size
      case 4:
        this.expression(table === 0 ? "funcref" : "externref", depth);
        this.i32(this.random.pick([0, 1, 2, 3, 1000, -1]));
        return this.emit(Op.misc, 0x0f, table); // table.grow
      default:
        this.expression(table === 0 ? "funcref" : "externref", depth);
        return this.emit(Op.refIsNull);
    }
  }

  /** Goes elsewhere: what follows is never reached, and valid all the same. */
  never(depth: number): void {
    if (this.once(this.shape.caution)) return this.emit(Op.unreachable);
    const { depth: label, types } = this.label();
    this.expressions(types, depth);
    this.indexed(Op.br, label);
  }

  /** A value that a branch may take along instead. */
  branchOver(type: Type, depth: number): void {
    const labels = this.labelsLike([type]);
    this.expression(type, depth);
    if (labels.length === 0) return;
    this.expression("i32", depth);
    this.indexed(Op.brIf, this.random.pick(labels));
  }
}

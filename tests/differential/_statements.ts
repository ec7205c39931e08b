/**
 * Writes random statements, and the bodies of functions out of them.
 *
 * @module
 */

import { leb } from "../wasm.ts";
import { Op } from "./_emitter.ts";
import { type Access, Expressions } from "./_expressions.ts";
import { NUMBERS, type Type } from "./_operators.ts";
import { CHECKPOINT, randomOf } from "./_shape.ts";

const STORES: Readonly<Partial<Record<Type, readonly Access[]>>> = {
  i32: [[[0x36], 2], [[0x3a], 0], [[0x3b], 1]],
  i64: [[[0x37], 3], [[0x3c], 0], [[0x3d], 1], [[0x3e], 2]],
  f32: [[[0x38], 2]],
  f64: [[[0x39], 3]],
  v128: [[[0xfd, 0x0b], 4]],
};

/** How deep expressions of a top-level statement nest. */
const DEPTH = 4;
/** Most top-level statements of a function. */
const MOST_STATEMENTS = 9;
/** Longest bulk operation that mostly is written. */
const BULK_MASK = 0xff;

/** Writes statements. */
export class Statements extends Expressions {
  /**
   * Writes the whole body.
   *
   * @param without Which top-level statements to leave out.
   */
  body(without: (statement: number) => boolean): void {
    const { seed } = this.shape;
    const { index, signature: { results } } = this.self;
    this.countStep();
    const count = 1 + this.random.below(MOST_STATEMENTS);
    for (let number = 0; number < count; number++) {
      this.restart(randomOf(seed, index, number));
      if (!without(number)) this.statement(DEPTH);
    }
    this.restart(randomOf(seed, index, count));
    this.expressions(results, DEPTH);
  }

  override statements(depth: number): void {
    for (let left = this.random.below(3); left > 0; left--) {
      this.statement(depth - 1);
    }
  }

  /** Writes a statement: code that leaves the stack as it was. */
  statement(depth: number): void {
    this.choose([
      [4, () => this.#setLocal(depth)],
      [3, () => this.#setGlobal(depth)],
      [5, () => this.#store(depth)],
      [2, () => this.#if(depth)],
      [1, () => this.#block(depth)],
      [2, () => this.#loop(depth)],
      [1, () => this.#branchIf(depth)],
      [1, () => this.#branchTable(depth)],
      [0.5, () => this.#returnIf(depth)],
      [2, () => this.#callAny(depth)],
      [2, () => this.#bulk(depth)],
      [2, () => this.#table(depth)],
      [0.5, () => this.indexed(Op.call, CHECKPOINT)],
      [0.7, () => this.#tailCallIf(depth)],
      [this.shape.simd ? 1 : 0, () => this.#lane(depth)],
    ], depth);
  }

  #setLocal(depth: number): void {
    const type = this.random.pick(this.#types());
    const local = this.sharedLocal(type);
    this.expression(type, depth);
    if (local === undefined) this.emit(Op.drop);
    else this.indexed(Op.localSet, local);
  }

  #types(): readonly Type[] {
    const { simd } = this.shape;
    return [...NUMBERS, "funcref", ...(simd ? ["v128"] as const : [])];
  }

  #setGlobal(depth: number): void {
    const known = this.shape.globals.filter(({ mutable }) => mutable);
    if (known.length === 0) return this.#store(depth);
    const { index, type } = this.random.pick(known);
    this.expression(type, depth);
    this.indexed(Op.globalSet, index);
  }

  #store(depth: number): void {
    const types: readonly Type[] = this.shape.simd
      ? [...NUMBERS, "v128"]
      : NUMBERS;
    const type = this.random.pick(types);
    const [opcode, width] = this.random.pick(STORES[type] ?? []);
    const offset = this.address(depth - 1);
    this.exact(type, depth);
    this.emit(...opcode);
    this.memarg(width, offset);
  }

  /** Loads or stores one lane of a vector. */
  #lane(depth: number): void {
    const width = this.random.below(4);
    const isLoad = this.once(2);
    const local = this.sharedLocal("v128") ?? 0;
    const offset = this.address(depth - 1);
    this.expression("v128", depth - 1);
    this.emit(Op.simd, (isLoad ? 0x54 : 0x58) + width);
    this.memarg(width, offset);
    this.emit(this.random.below(16 >> width));
    if (isLoad) this.indexed(Op.localSet, local);
  }

  #if(depth: number): void {
    this.expression("i32", depth);
    this.open(Op.if, [], []);
    this.statement(depth - 1);
    if (this.once(2)) {
      this.emit(Op.else);
      this.statement(depth - 1);
    }
    this.close();
  }

  #some(most: number): Type[] {
    const types = this.#types();
    return Array.from(
      { length: this.random.below(most + 1) },
      () => this.random.pick(types),
    );
  }

  /** A block with parameters and results. */
  #block(depth: number): void {
    const [params, results] = [this.#some(2), this.#some(3)];
    this.expressions(params, depth - 1);
    this.open(Op.block, params, results);
    this.intoTemporaries(params);
    this.statements(depth);
    this.expressions(results, depth - 1);
    this.close();
    this.#keep(results);
  }

  /** Takes values off the stack, into locals that others read. */
  #keep(types: readonly Type[]): void {
    for (const type of types.toReversed()) {
      const local = this.sharedLocal(type);
      if (local === undefined) this.emit(Op.drop);
      else this.indexed(Op.localSet, local);
    }
  }

  /** A loop, which counts what it takes. */
  #loop(depth: number): void {
    const params = this.#some(2);
    const results = this.#some(2);
    this.expressions(params, depth - 1);
    this.open(Op.loop, params, results, params);
    this.intoTemporaries(params);
    this.countStep();
    this.statement(depth - 1);
    this.statements(depth);
    this.expressions(params, depth - 1);
    this.expression("i32", depth - 1);
    this.indexed(Op.brIf, 0);
    this.#keep(params);
    this.expressions(results, depth - 1);
    this.close();
    this.#keep(results);
  }

  #branchIf(depth: number): void {
    const { depth: label, types } = this.label();
    this.expressions(types, depth - 1);
    this.expression("i32", depth);
    this.indexed(Op.brIf, label);
    this.#keep(types);
  }

  #branchTable(depth: number): void {
    this.open(Op.block, [], []);
    const { types } = this.label();
    const labels = this.labelsLike(types);
    const targets = Array.from(
      { length: 1 + this.random.below(6) },
      () => this.random.pick(labels),
    );
    this.expressions(types, depth - 1);
    this.expression("i32", depth - 1);
    if (this.once(2)) this.emit(0x41, 3, 0x71); // i32.and 3
    this.indexed(Op.brTable, targets.length - 1);
    this.emit(...targets.flatMap((target) => leb(target)));
    this.close();
  }

  #returnIf(depth: number): void {
    this.expression("i32", depth);
    this.open(Op.if, [], []);
    this.expressions(this.self.signature.results, depth - 1);
    this.emit(Op.return);
    this.close();
  }

  #callAny(depth: number): void {
    const { hosts, functions } = this.shape;
    const { index, signature } = this.random.pick([...hosts, ...functions]);
    this.call(index, depth - 1);
    this.#keep(signature.results);
  }

  #tailCallIf(depth: number): void {
    const mine = `${this.self.signature.results}`;
    const known = [...this.shape.hosts, ...this.shape.functions].filter((
      { signature },
    ) => `${signature.results}` === mine);
    const { index, signature } = this.random.pick([this.self, ...known]);
    this.expression("i32", depth - 1);
    this.open(Op.if, [], []);
    this.expressions(signature.params, depth - 1);
    if (this.once(2) && this.slotFor(index, depth - 1)) {
      this.indexed(Op.returnCallIndirect, this.shape.types.of(signature));
      this.emit(0);
    } else this.indexed(Op.returnCall, index);
    this.close();
  }

  /** A place and a length that mostly are in bounds of the memory. */
  #stretch(depth: number): void {
    this.#masked(0x7fff, depth);
  }

  #masked(mask: number, depth: number): void {
    this.expression("i32", depth);
    if (this.once(this.shape.caution)) return;
    this.i32(mask);
    this.emit(Op.i32And);
  }

  #bulk(depth: number): void {
    const next = depth - 2;
    const segment = this.random.pick(this.shape.data);
    const kind = this.random.below(7);
    if (kind === 6) {
      return this.emit(Op.misc, 9, this.random.pick(this.shape.data).index);
    }
    this.#stretch(next);
    if (kind < 2) {
      this.expression("i32", next);
      this.#masked(this.random.pick([BULK_MASK, 0x7fff]), next);
      this.emit(Op.misc, 0x0b, 0); // memory.fill
    } else if (kind < 4) {
      this.#stretch(next);
      this.#masked(this.random.pick([BULK_MASK, 0x7fff]), next);
      this.emit(Op.misc, 0x0a, 0, 0); // memory.copy
    } else {
      // an active segment is empty once it was copied
      const isEmpty = segment.offset !== undefined;
      const careless = this.once(this.shape.caution);
      const most = isEmpty && !careless ? 0 : segment.length;
      const start = this.random.below(most + 1);
      this.i32(start);
      this.i32(this.random.below(most - start + (careless ? 3 : 1)));
      this.emit(Op.misc, 8, segment.index, 0); // memory.init
    }
  }

  #table(depth: number): void {
    const next = depth - 2;
    const table = this.random.pick(this.shape.tables);
    const careless = this.once(this.shape.caution);
    const start = this.random.below(table.min + (careless ? 4 : 0));
    const most = careless ? table.max : table.min - start;
    this.i32(start);
    switch (this.random.below(5)) {
      case 0:
        this.expression(table.type, next);
        return this.emit(Op.tableSet, table.index);
      case 1:
        this.expression(table.type, next);
        this.i32(this.random.below(most + 1));
        return this.emit(Op.misc, 0x11, table.index); // table.fill
      case 2: {
        const from = this.random.below(table.min);
        this.i32(from);
        this.i32(this.random.below(Math.min(most, table.min - from) + 1));
        return this.emit(Op.misc, 0x0e, table.index, table.index); // table.copy
      }
      default:
        this.emit(Op.drop);
        return this.#initTable(careless);
    }
  }

  /** table.init, and sometimes elem.drop before it. */
  #initTable(careless: boolean): void {
    const { index, length, offset } = this.random.pick(this.shape.elements);
    const most = offset === undefined || careless ? length : 0;
    const [table] = this.shape.tables;
    if (this.once(8)) this.emit(Op.misc, 0x0d, index);
    const start = this.random.below(most + 1);
    const count = Math.min(most - start, table?.min ?? 0);
    this.i32(this.random.below((table?.min ?? 0) - count + 1));
    this.i32(start);
    this.i32(this.random.below(count + 1));
    this.emit(Op.misc, 0x0c, index, 0);
  }
}

/**
 * Reads a function's code: checks its types and writes what the machine runs,
 * with every branch resolved. Code that nothing leads to is only checked.
 *
 * @module
 */

import { Checker, LOOP } from "./checker.ts";
import { BLOCK, Control, IF } from "./control.ts";
import { type Emitter, RETURN } from "./emitter.ts";
import { Locals } from "./locals.ts";
import { accessOf, FIRST_STORE, type Operator } from "./operators.ts";
import type { Proposals } from "./proposals.ts";
import { Reader } from "./reader.ts";
import { readTableOrMemory, type Sink } from "./table_code.ts";
import {
  F32,
  F64,
  FUNCREF,
  type FunctionType,
  I32,
  I64,
  isReference,
  type ModuleParts,
  UNKNOWN,
} from "./types.ts";
import { readReferenceType, readValueType } from "./value_types.ts";

/** What functions are read with. */
export interface BodyOptions {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly parts: ModuleParts;
  readonly proposals: Proposals;
  readonly operators: readonly (Operator | undefined)[];
  readonly emitter: Emitter;
}

/** Reads one function. */
export class Body implements Sink {
  readonly reader: Reader;
  readonly checker: Checker;
  readonly parts: ModuleParts;
  readonly proposals: Proposals;
  readonly #operators: readonly (Operator | undefined)[];
  readonly #emitter: Emitter;
  readonly #control: Control;
  readonly #type: FunctionType;
  readonly #locals: Locals;

  /**
   * Reads it.
   *
   * @param index Its place among those that the module defines.
   * @param options What it is read with.
   * @throws {SandboxError} If it is not valid, or not allowed.
   */
  constructor(index: number, options: BodyOptions) {
    const { bytes, parts, proposals, operators, emitter } = options;
    const [start = 0, end = 0] = parts.bodies[index] ?? [];
    this.reader = new Reader(bytes, start, end);
    this.checker = new Checker(this.reader);
    this.parts = parts;
    this.proposals = proposals;
    this.#operators = operators;
    this.#emitter = emitter;
    const type = parts.functions[parts.importedFunctions + index];
    if (type === undefined) throw this.reader.fault("no such function");
    this.#type = type;
    this.#locals = new Locals(this.reader, type.params, proposals);
    this.#control = new Control(this, emitter, this.#locals.count);
    this.checker.open(0, [], type.results);
    while (!this.checker.isOver) this.#instruction();
    if (!this.reader.done) throw this.reader.fault("code behind the end");
  }

  /** Its parameters and locals. */
  get locals(): number {
    return this.#locals.count;
  }

  /** All slots that a call of it may need. */
  get slots(): number {
    return this.#locals.count + 1 + this.checker.highest;
  }

  /** Writes code, if anything leads to it. */
  emit(...numbers: readonly number[]): void {
    if (this.checker.isAlive) this.#emitter.add(...numbers);
  }

  #instruction(): void {
    const { checker, reader } = this;
    const at = reader.at;
    const op = reader.u8();
    const operator = this.#operators[op];
    if (operator !== undefined) return this.#calculate(op, operator);
    if (op >= 0x28 && op <= 0x3e) return this.#access(op);
    switch (op) {
      case 0x00:
        this.emit(op);
        return checker.cut();
      case 0x01:
        return;
      case BLOCK:
      case LOOP:
      case IF:
        return this.#control.open(op);
      case 0x05:
        return this.#control.otherwise(at);
      case 0x0b:
        return this.#control.end();
      case 0x0c:
        return this.#control.branch();
      case 0x0d:
        return this.#control.branchIf();
      case 0x0e:
        return this.#control.branchTable();
      case 0x0f:
        this.emit(RETURN, this.#type.results.length, 2 * this.#locals.count);
        checker.popAll(this.#type.results);
        return checker.cut();
      case 0x10:
        return this.#call();
      case 0x11:
        return this.#callIndirect(at);
      case 0x1a:
        checker.pop();
        return this.emit(op);
      case 0x1b:
      case 0x1c:
        return this.#select(op, at);
      case 0x20:
      case 0x21:
      case 0x22:
        return this.#local(op);
      case 0x23:
      case 0x24:
        return this.#global(op);
      case 0x41:
        checker.push(I32);
        return this.emit(op, reader.s32());
      case 0x42:
        checker.push(I64);
        return this.#wide(op, reader.s64());
      case 0x43:
        checker.push(F32);
        return this.emit(op, Number(BigInt.asIntN(32, reader.bits(4))));
      case 0x44:
        checker.push(F64);
        return this.#wide(op, reader.bits(8));
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#reference(op, at);
      case 0xfc:
        return this.#prefixed(at);
      default:
        return readTableOrMemory(this, op, at);
    }
  }

  #calculate(op: number, { takes, count, gives }: Operator): void {
    for (let index = 0; index < count; index++) this.checker.pop(takes);
    this.checker.push(gives);
    this.emit(op);
  }

  #prefixed(at: number): void {
    const op = 0x100 + this.reader.u32();
    const operator = this.#operators[op];
    if (operator !== undefined) return this.#calculate(op, operator);
    readTableOrMemory(this, op, at);
  }

  #access(op: number): void {
    const { checker, reader, parts } = this;
    const { type, log2 } = accessOf(op) ?? { type: UNKNOWN, log2: 0 };
    const at = reader.at;
    const alignment = reader.u32();
    if (alignment >= 0x40 && alignment < 0x80) {
      this.proposals.use("multiMemory", at);
    }
    if (alignment > log2) throw reader.fault("no such alignment", at);
    if (parts.memories.length === 0) throw reader.fault("no memory", at);
    const offset = reader.u32();
    if (op >= FIRST_STORE) checker.pop(type);
    checker.pop(I32);
    if (op < FIRST_STORE) checker.push(type);
    this.emit(op, offset | 0);
  }

  #wide(op: number, bits: bigint): void {
    const high = Number(BigInt.asIntN(32, bits >> 32n));
    this.emit(op, Number(BigInt.asIntN(32, bits)), high);
  }

  #call(): void {
    const index = this.reader.u32();
    const type = this.parts.functions[index];
    if (type === undefined) throw this.reader.fault("no such function");
    this.emit(0x10, index);
    this.checker.popAll(type.params);
    this.checker.pushAll(type.results);
  }

  #callIndirect(at: number): void {
    const { checker, reader, parts } = this;
    const type = parts.types[reader.u32()];
    const table = reader.u32();
    if (type === undefined || parts.tables[table]?.element !== FUNCREF) {
      throw reader.fault("no such type, or no table of functions", at);
    }
    checker.pop(I32);
    this.emit(0x11, type.id, table);
    checker.popAll(type.params);
    checker.pushAll(type.results);
  }

  #select(op: number, at: number): void {
    const { checker, reader } = this;
    checker.pop(I32);
    if (op === 0x1c) {
      this.proposals.use("referenceTypes", at);
      if (reader.u32() !== 1) throw reader.fault("not one type", at);
      const type = readValueType(reader, this.proposals);
      checker.pop(type);
      checker.pop(type);
      checker.push(type);
    } else {
      const second = checker.pop();
      const first = checker.pop(second);
      const type = first === UNKNOWN ? second : first;
      if (isReference(type)) throw reader.fault("a select of references", at);
      checker.push(type);
    }
    this.emit(0x1b);
  }

  #local(op: number): void {
    const { checker, reader } = this;
    const index = reader.u32();
    const type = this.#locals.type(index);
    if (type === undefined) throw reader.fault("no such local");
    if (op !== 0x20) checker.pop(type);
    if (op !== 0x21) checker.push(type);
    this.emit(op, 2 * index);
  }

  #global(op: number): void {
    const { checker, reader } = this;
    const index = reader.u32();
    const global = this.parts.globals[index];
    if (global === undefined || (op === 0x24 && !global.mutable)) {
      throw reader.fault("no such global, or it cannot be set");
    }
    if (op === 0x24) checker.pop(global.type);
    else checker.push(global.type);
    this.emit(op, 2 * index);
  }

  /** A reference is a number here: 0 is null, and `index + 1` a function. */
  #reference(op: number, at: number): void {
    const { checker, reader, proposals, parts } = this;
    proposals.use("referenceTypes", at);
    if (op === 0xd1) {
      checker.popReference();
      checker.push(I32);
      return this.emit(0x45);
    }
    if (op === 0xd0) {
      checker.push(readReferenceType(reader, proposals));
      return this.emit(0x41, 0);
    }
    const index = reader.u32();
    if (!parts.referable.has(index)) throw reader.fault("no such function", at);
    checker.push(FUNCREF);
    this.emit(0x41, index + 1);
  }
}

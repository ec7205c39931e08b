/**
 * Reads the instructions that shape the control flow, and resolves branches.
 *
 * @module
 */

import { type Block, type Checker, labelTypes, LOOP } from "./checker.ts";
import {
  BRANCH,
  BRANCH_IF,
  BRANCH_TABLE,
  type Emitter,
  GOTO,
  GOTO_IF,
  IF_ZERO,
  JUMP,
  RETURN,
} from "./emitter.ts";
import type { Sink } from "./table_code.ts";
import { type FunctionType, I32 } from "./types.ts";
import { readValueType } from "./value_types.ts";

/** Opcode of a block. */
export const BLOCK = 0x02;
/** Opcode of an `if`. */
export const IF = 0x04;

/** Reads the control flow of one function. */
export class Control {
  readonly #sink: Sink;
  readonly #checker: Checker;
  readonly #emitter: Emitter;
  readonly #locals: number;

  /**
   * Constructs it.
   *
   * @param sink The function.
   * @param emitter Where its code goes.
   * @param locals How many parameters and locals it has.
   */
  constructor(sink: Sink, emitter: Emitter, locals: number) {
    this.#sink = sink;
    this.#checker = sink.checker;
    this.#emitter = emitter;
    this.#locals = locals;
  }

  /** First slot of the operands: behind the locals, and the way back. */
  get #firstSlot(): number {
    return this.#locals + 1;
  }

  #blockType(): Pick<FunctionType, "params" | "results"> {
    const { reader } = this.#sink;
    const at = reader.at;
    const byte = reader.bytes[at] ?? 0;
    if (byte === 0x40 && at < reader.end) {
      reader.u8();
      return NOTHING;
    }
    if (byte > 0x40 && byte < 0x80) {
      return {
        params: [],
        results: [readValueType(reader, this.#sink.proposals)],
      };
    }
    const type = this.#sink.parts.types[reader.s33()];
    if (type === undefined) throw reader.fault("no such type", at);
    return type;
  }

  /** Opens a block, a loop or an `if`. */
  open(op: number): void {
    const checker = this.#checker;
    const { params, results } = this.#blockType();
    if (op === IF) checker.pop(I32);
    checker.popAll(params);
    const target = op === LOOP ? this.#emitter.here : -1;
    const block = checker.open(op, params, results, target);
    if (op !== IF || !checker.isAlive) return;
    this.#sink.emit(IF_ZERO);
    block.otherwise = this.#emitter.here;
    this.#sink.emit(-1);
  }

  /** Begins the other part of an `if`. */
  otherwise(at: number): void {
    const checker = this.#checker;
    if (checker.innermost.op !== IF || checker.innermost.hasElse) {
      throw this.#sink.reader.fault("an else without an if", at);
    }
    const wasAlive = checker.isAlive;
    const block = checker.close();
    block.hasElse = true;
    if (wasAlive) {
      this.#emitter.add(JUMP);
      this.#emitter.target(block);
    }
    if (block.otherwise >= 0) this.#emitter.patch([block.otherwise]);
    block.otherwise = -1;
    checker.reopen(block);
  }

  /** Ends what is open. */
  end(): void {
    const checker = this.#checker;
    const block = checker.close();
    if (block.op === IF && !block.hasElse && !same(block.takes, block.gives)) {
      throw this.#sink.reader.fault("an if without an else changes the stack");
    }
    if (block.otherwise >= 0) this.#emitter.patch([block.otherwise]);
    this.#emitter.patch(block.fixups);
    if (block.op === 0) {
      this.#emitter.add(RETURN, block.gives.length, 2 * this.#locals);
      return;
    }
    checker.pushAll(block.gives);
  }

  /** A branch. */
  branch(): void {
    const block = this.#checker.block(this.#sink.reader.u32());
    this.#jump(block, GOTO, BRANCH);
    this.#checker.popAll(labelTypes(block));
    this.#checker.cut();
  }

  /** A branch if a value is not zero. */
  branchIf(): void {
    this.#checker.pop(I32);
    const block = this.#checker.block(this.#sink.reader.u32());
    this.#jump(block, GOTO_IF, BRANCH_IF);
    this.#checker.carry(labelTypes(block));
  }

  /** Writes a branch, the shorter one if the stack is as it should be. */
  #jump(block: Block, plain: number, moving: number): void {
    if (!this.#checker.isAlive) return;
    const { length } = labelTypes(block);
    if (this.#checker.height === block.height + length) {
      this.#emitter.add(plain);
      this.#emitter.target(block);
    } else {
      this.#emitter.add(moving);
      this.#emitter.destination(block, this.#firstSlot);
    }
  }

  /** One of several branches. */
  branchTable(): void {
    const { reader } = this.#sink;
    const checker = this.#checker;
    checker.pop(I32);
    const count = reader.count("branches", 100_000);
    const depths = Array.from({ length: count + 1 }, () => reader.u32());
    const last = checker.block(depths[count] ?? 0);
    const { length } = labelTypes(last);
    this.#sink.emit(BRANCH_TABLE, count);
    // many branches to blocks of the same types are checked once
    const seen = new Set<readonly number[]>();
    for (const depth of depths) {
      const block = checker.block(depth);
      const types = labelTypes(block);
      if (types.length !== length) throw reader.fault("branches differ");
      if (!seen.has(types)) checker.peek(types);
      seen.add(types);
      if (checker.isAlive) this.#emitter.destination(block, this.#firstSlot);
    }
    checker.popAll(labelTypes(last));
    checker.cut();
  }
}

const NOTHING = Object.freeze({ params: [], results: [] });

function same(first: readonly number[], second: readonly number[]): boolean {
  return first.length === second.length &&
    first.every((type, index) => type === second[index]);
}

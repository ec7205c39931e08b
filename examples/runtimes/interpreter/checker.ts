/**
 * Checks the types of a function's code, as the appendix "Validation
 * Algorithm" of the WebAssembly specification does it: a stack of types, and a
 * stack of the blocks that are open.
 *
 * @module
 */

import type { Reader } from "./reader.ts";
import { isReference, UNKNOWN } from "./types.ts";

/** A block that is open. */
export interface Block {
  /** Opcode that opened it; 0 is the function itself. */
  readonly op: number;
  /** Types that it takes. */
  readonly takes: readonly number[];
  /** Types that it leaves. */
  readonly gives: readonly number[];
  /** Values beneath it. */
  readonly height: number;
  /** Whether nothing leads to it. */
  readonly isDead: boolean;
  /** Where a branch to it goes, if that is known already: back to a loop. */
  readonly target: number;
  /** Places in the machine's code to be filled in with where it ends. */
  readonly fixups: number[];
  /** The place to be filled in with where its `else` begins, or -1. */
  otherwise: number;
  /** Whether its `else` was read. */
  hasElse: boolean;
  /** Whether nothing leads to the code that is read now. */
  isCut: boolean;
}

/** Deepest nesting of blocks. */
const MAX_NESTING = 20_000;
/** Highest stack of one function: far more than a compiler needs. */
const MAX_HEIGHT = 50_000;

/** Checks the types of one function. */
export class Checker {
  readonly #reader: Reader;
  readonly #types: number[] = [];
  readonly #blocks: Block[] = [];
  #highest = 0;
  /** Steps that were taken: types may be checked often in little code. */
  #work = 0;
  readonly #mostWork: number;

  /**
   * Constructs it.
   *
   * @param reader Reads the function, and knows where a fault is.
   */
  constructor(reader: Reader) {
    this.#reader = reader;
    this.#mostWork = 10_000 + 32 * (reader.end - reader.at);
  }

  /** How many values are on the stack. */
  get height(): number {
    return this.#types.length;
  }

  /** The most that there were. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether all blocks are closed. */
  get isOver(): boolean {
    return this.#blocks.length === 0;
  }

  /** Whether something leads to the code that is read now. */
  get isAlive(): boolean {
    const { isDead = true, isCut = true } = this.#blocks.at(-1) ?? {};
    return !isDead && !isCut;
  }

  /** The innermost block. */
  get innermost(): Block {
    return this.block(0);
  }

  /** The block that a branch goes to. */
  block(depth: number): Block {
    const block = this.#blocks.at(-1 - depth);
    if (block === undefined) throw this.#reader.fault("no such block");
    return block;
  }

  /** Puts a type onto the stack. */
  push(type: number): void {
    if (this.#types.push(type) <= this.#highest) return;
    this.#highest = this.#types.length;
    if (this.#highest > MAX_HEIGHT) {
      throw this.#reader.tooMuch(`more than ${MAX_HEIGHT} values on a stack`);
    }
  }

  /** Takes a type of the stack; it must be the one, if one is given. */
  pop(expected: number = UNKNOWN): number {
    const { height, isCut } = this.innermost;
    if (this.#types.length === height) {
      if (isCut) return UNKNOWN;
      throw this.#reader.fault("a value is missing on the stack");
    }
    const type = this.#types.pop() ?? UNKNOWN;
    if (type !== expected && type !== UNKNOWN && expected !== UNKNOWN) {
      throw this.#reader.fault("a value is of another type");
    }
    return type;
  }

  /** Puts several types onto the stack. */
  pushAll(types: readonly number[]): void {
    this.#count(types.length);
    for (const type of types) this.push(type);
  }

  /** Takes several types of the stack, the last one first. */
  popAll(types: readonly number[]): void {
    this.#count(types.length);
    for (let index = types.length - 1; index >= 0; index--) {
      this.pop(types[index]);
    }
  }

  /** Takes a reference of the stack. */
  popReference(): void {
    const type = this.pop();
    if (type === UNKNOWN || isReference(type)) return;
    throw this.#reader.fault("a value is no reference");
  }

  /** Opens a block, whose values have been taken off the stack. */
  open(
    op: number,
    takes: readonly number[],
    gives: readonly number[],
    target = -1,
  ): Block {
    if (this.#blocks.length === MAX_NESTING) {
      throw this.#reader.tooMuch(`more than ${MAX_NESTING} nested blocks`);
    }
    const block: Block = {
      op,
      takes,
      gives,
      height: this.#types.length,
      isDead: this.#blocks.length > 0 && !this.isAlive,
      target,
      fixups: [],
      otherwise: -1,
      hasElse: false,
      isCut: false,
    };
    this.#blocks.push(block);
    this.pushAll(takes);
    return block;
  }

  /** Closes the innermost block. What it leaves is not on the stack then. */
  close(): Block {
    const block = this.innermost;
    this.popAll(block.gives);
    if (this.#types.length !== block.height) {
      throw this.#reader.fault("a block leaves too many values");
    }
    this.#blocks.pop();
    return block;
  }

  /** Opens the other part of an `if` that was just closed. */
  reopen(block: Block): void {
    block.isCut = false;
    this.#blocks.push(block);
    this.pushAll(block.takes);
  }

  /** Says that nothing leads to what follows in the innermost block. */
  cut(): void {
    const block = this.innermost;
    this.#types.length = block.height;
    block.isCut = true;
  }

  /** Checks that a branch finds what it takes along, and leaves it there. */
  carry(types: readonly number[]): void {
    this.popAll(types);
    this.pushAll(types);
  }

  /**
   * As {@linkcode Checker.carry}, for one of several branches: what has no
   * known type keeps none.
   */
  peek(types: readonly number[]): void {
    this.#count(types.length);
    const taken = types.map((_, index) =>
      this.pop(types[types.length - 1 - index])
    );
    for (const type of taken.reverse()) this.push(type);
  }

  #count(steps: number): void {
    this.#work += steps;
    if (this.#work > this.#mostWork) {
      throw this.#reader.tooMuch("blocks whose types take too long to check");
    }
  }
}

/** Types that a branch to a block takes along. */
export function labelTypes({ op, takes, gives }: Block): readonly number[] {
  return op === LOOP ? takes : gives;
}

/** Opcode of a loop. */
export const LOOP = 0x03;

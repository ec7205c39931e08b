/**
 * Functions that stand in for bulk operations: they charge by length, and move
 * what is long in pieces with a check before each, so that one instruction
 * cannot outrun the deadline. What an operation does and when it traps stays
 * the same: bounds are checked for the whole length before the first piece.
 *
 * @module
 */

import type { CheckWriter } from "./checks.ts";
import type { Instrumentation, ModuleLayout } from "./layout.ts";
import { BYTES_PER_FUEL, PIECE_BYTES, PIECE_ELEMENTS } from "./opcodes.ts";
import { refused } from "./bounds.ts";
import type { ByteWriter } from "./writer.ts";

/** The operation stays as it is, with a check before it. */
export const BRIEF = -2;
/** The operation stays as it is. */
const HARMLESS = -1;

const MEMORY_INIT = 0x08;
const MEMORY_COPY = 0x0a;
const MEMORY_FILL = 0x0b;
const TABLE_INIT = 0x0c;
const TABLE_COPY = 0x0e;
const TABLE_FILL = 0x11;

/** Most helpers of one module: each is a function of some 150 bytes. */
const MAX_HELPERS = 1_000;

/** Longest charge for one operation, so that the fuel cannot wrap around. */
const MAX_CHARGE_BITS = 53;

interface Helper {
  /** The operation behind the prefix 0xfc. */
  readonly operation: number;
  /** Its immediates, in the order of the binary format. */
  readonly a: number;
  readonly b: number;
}

/** Types of the parameters, and how many units the segment has, if any. */
interface Shape {
  /** Which memory or table is written. */
  readonly target: number;
  /** Whether the target is addressed with 64 bits. */
  readonly target64: boolean;
  /** Whether the second operand is wide, or undefined if it is a value. */
  readonly source64: boolean | undefined;
  /** Which memory or table is read, if one is. */
  readonly source: number | undefined;
  /** Whether the length is wide. */
  readonly length64: boolean;
  /** Length of the segment that is read, if one is. */
  readonly segment: number | undefined;
  /** Whether it works on a memory, and not a table. */
  readonly memory: boolean;
}

/** The helpers that one module needs, numbered in order of first use. */
export class HelperTable {
  readonly #layout: ModuleLayout;
  readonly #mode: Instrumentation;
  readonly #helpers: Helper[] = [];
  readonly #numbers = new Map<string, number>();

  /**
   * Constructs an empty table.
   *
   * @param layout The module.
   * @param mode Which limits the code is to carry.
   */
  constructor(layout: ModuleLayout, mode: Instrumentation) {
    this.#layout = layout;
    this.#mode = mode;
  }

  /** How many helpers there are. */
  get length(): number {
    return this.#helpers.length;
  }

  /**
   * Finds the helper for an operation.
   *
   * @param operation The number behind the prefix 0xfc.
   * @param a Its first immediate.
   * @param b Its second, or 0.
   * @returns Number of the helper, or {@linkcode BRIEF}, or −1 for nothing.
   */
  find(operation: number, a: number, b: number): number {
    const shape = this.#shape({ operation, a, b });
    const { fuel, deadline } = this.#mode;
    if (shape === undefined || !(fuel || deadline)) return HARMLESS;
    if (!fuel && this.#longest(shape) <= piece(shape)) return BRIEF;
    const key = `${operation} ${a} ${b}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#helpers.length === MAX_HELPERS) {
      throw refused(
        `its code has more than ${MAX_HELPERS} different bulk operations`,
        { reason: "too many bulk operations" },
      );
    }
    this.#numbers.set(key, this.#helpers.length);
    return this.#helpers.push({ operation, a, b }) - 1;
  }

  /**
   * Writes the type of a helper.
   *
   * @param out Where to.
   * @param number Which helper.
   */
  writeType(out: ByteWriter, number: number): void {
    const helper = this.#helpers[number];
    const shape = helper && this.#shape(helper);
    if (helper === undefined || shape === undefined) return;
    out.byte(0x60).byte(3).byte(numberType(shape.target64));
    if (shape.source64 !== undefined) out.byte(numberType(shape.source64));
    else if (shape.memory) out.byte(0x7f);
    else {
      const [start = 0, end = 0] = this.#layout.tables[shape.target]?.type ??
        [];
      out.copy(this.#layout.bytes, start, end);
    }
    out.byte(numberType(shape.length64)).byte(0);
  }

  /**
   * Writes the code of a helper, locals included.
   *
   * @param out Where to.
   * @param number Which helper.
   * @param checks Writes the checks.
   * @param fuel Index of the global that holds the fuel.
   */
  writeBody(
    out: ByteWriter,
    number: number,
    checks: CheckWriter,
    fuel: number,
  ): void {
    const helper = this.#helpers[number];
    const shape = helper && this.#shape(helper);
    if (helper === undefined || shape === undefined) return;
    const body = new BulkBody(out, helper, shape, this.#mode, checks);
    out.byte(1).byte(3).byte(0x7e);
    body.widen();
    if (this.#mode.fuel) body.charge(fuel);
    else checks.check({ deadline: true, atomic: false, fuel: false });
    if (this.#longest(shape) > piece(shape)) body.pieces();
    body.rest();
    out.byte(0x0b);
  }

  /** Most units that the operation can move without trapping. */
  #longest({ memory, target, segment }: Shape): number {
    if (segment !== undefined) return segment;
    const table = this.#layout.tables[target];
    if (memory || table === undefined) return Infinity;
    return Math.min(
      table.max ?? Infinity,
      table.imported ? Infinity : this.#mode.tableElements,
    );
  }

  #shape({ operation, a, b }: Helper): Shape | undefined {
    const { memories, tables, dataLengths, elementLengths } = this.#layout;
    const memory = operation <= MEMORY_FILL;
    const spaces = memory ? memories : tables;
    const wide = (index: number) => spaces[index]?.is64 === true;
    switch (operation) {
      case MEMORY_FILL:
      case TABLE_FILL:
        return {
          memory,
          target: a,
          target64: wide(a),
          source: undefined,
          source64: undefined,
          length64: wide(a),
          segment: undefined,
        };
      case MEMORY_COPY:
      case TABLE_COPY:
        return {
          memory,
          target: a,
          target64: wide(a),
          source: b,
          source64: wide(b),
          length64: wide(a) && wide(b),
          segment: undefined,
        };
      case MEMORY_INIT:
      case TABLE_INIT:
        return {
          memory,
          target: b,
          target64: wide(b),
          source: undefined,
          source64: false,
          length64: false,
          segment: (memory ? dataLengths : elementLengths)[a] ?? 0,
        };
    }
  }
}

function piece({ memory }: Shape): number {
  return memory ? PIECE_BYTES : PIECE_ELEMENTS;
}

function numberType(wide: boolean): number {
  return wide ? 0x7e : 0x7f;
}

// parameters: 0 target, 1 source or value, 2 length; then the same, widened
const TARGET = 3;
const SOURCE = 4;
const LENGTH = 5;

/** Writes one helper's code. */
class BulkBody {
  readonly #out: ByteWriter;
  readonly #helper: Helper;
  readonly #shape: Shape;
  readonly #mode: Instrumentation;
  readonly #checks: CheckWriter;

  constructor(
    out: ByteWriter,
    helper: Helper,
    shape: Shape,
    mode: Instrumentation,
    checks: CheckWriter,
  ) {
    this.#out = out;
    this.#helper = helper;
    this.#shape = shape;
    this.#mode = mode;
    this.#checks = checks;
  }

  /** Copies the parameters into locals of 64 bits. */
  widen(): void {
    const { target64, source64, length64 } = this.#shape;
    this.#widen(0, TARGET, target64);
    if (source64 !== undefined) this.#widen(1, SOURCE, source64);
    this.#widen(2, LENGTH, length64);
  }

  /** Charges by length, and traps if that was too much. */
  charge(fuel: number): void {
    const out = this.#out.byte(0x23).u32(fuel);
    this.#get(LENGTH);
    if (this.#shape.memory) {
      this.#const(Math.log2(BYTES_PER_FUEL));
      out.byte(0x88); // i64.shr_u
    } else {
      this.#const(1);
      this.#const(MAX_CHARGE_BITS);
      out.byte(0x86); // i64.shl
      this.#get(LENGTH);
      this.#const(MAX_CHARGE_BITS);
      // select the length if it has no bits beyond the longest charge
      out.byte(0x88).byte(0x50).byte(0x1b);
    }
    out.byte(0x7d).byte(0x24).u32(fuel);
    this.#checks.check({ ...this.#mode, atomic: false });
  }

  /** While more than one piece is left and all is in bounds: one piece. */
  pieces(): void {
    const out = this.#out;
    const { segment, source, target } = this.#shape;
    const size = piece(this.#shape);
    out.byte(0x02).byte(0x40); // block
    this.#get(LENGTH);
    this.#const(size);
    out.byte(0x58).byte(0x0d).byte(0); // i64.le_u, br_if
    this.#leaveIfOutside(TARGET, () => this.#sizeOf(target));
    if (segment !== undefined) {
      this.#leaveIfOutside(SOURCE, () => this.#const(segment));
    } else if (source !== undefined) {
      this.#leaveIfOutside(SOURCE, () => this.#sizeOf(source));
    }
    if (source === target) {
      this.#get(TARGET);
      this.#get(SOURCE);
      out.byte(0x56).byte(0x04).byte(0x40); // i64.gt_u, if
      this.#loop(size, true);
      out.byte(0x05);
      this.#loop(size, false);
      out.byte(0x0b);
    } else this.#loop(size, false);
    out.byte(0x0b);
  }

  /** Does what is left, or all of it so that it traps. */
  rest(): void {
    this.#operate(false, () => this.#get(LENGTH));
  }

  /** Moves pieces, from the last one down if `backward`. */
  #loop(size: number, backward: boolean): void {
    const out = this.#out.byte(0x03).byte(0x40); // loop
    this.#checks.check({ ...this.#mode, atomic: true });
    if (backward) this.#add(LENGTH, -size);
    this.#operate(backward, () => this.#const(size));
    if (!backward) {
      this.#add(TARGET, size);
      this.#add(SOURCE, size);
      this.#add(LENGTH, -size);
    }
    this.#get(LENGTH);
    this.#const(size);
    out.byte(0x56).byte(0x0d).byte(0).byte(0x0b); // i64.gt_u, br_if, end
  }

  /** The operation itself; from the end of what is left if `backward`. */
  #operate(backward: boolean, length: () => void): void {
    const out = this.#out;
    const { target64, source64, length64 } = this.#shape;
    const operand = (local: number, wide: boolean) => {
      this.#get(local);
      if (backward) {
        this.#get(LENGTH);
        out.byte(0x7c);
      }
      if (!wide) out.byte(0xa7);
    };
    operand(TARGET, target64);
    if (source64 === undefined) out.byte(0x20).byte(1);
    else operand(SOURCE, source64);
    length();
    if (!length64) out.byte(0xa7);
    const { operation, a, b } = this.#helper;
    out.byte(0xfc).u32(operation).u32(a);
    if (operation !== MEMORY_FILL && operation !== TABLE_FILL) out.u32(b);
  }

  /** Leaves the block if length > size or place > size − length. */
  #leaveIfOutside(local: number, size: () => void): void {
    const out = this.#out;
    this.#get(LENGTH);
    size();
    out.byte(0x56).byte(0x0d).byte(0);
    this.#get(local);
    size();
    this.#get(LENGTH);
    out.byte(0x7d).byte(0x56).byte(0x0d).byte(0);
  }

  #sizeOf(index: number): void {
    const out = this.#out;
    const { memory } = this.#shape;
    const { source, source64, target64 } = this.#shape;
    const wide = index === source ? source64 === true : target64;
    if (memory) out.byte(0x3f).u32(index);
    else out.byte(0xfc).byte(0x10).u32(index);
    if (!wide) out.byte(0xad);
    if (!memory) return;
    this.#const(16);
    out.byte(0x86);
  }

  #widen(from: number, to: number, wide: boolean): void {
    const out = this.#out.byte(0x20).byte(from);
    if (!wide) out.byte(0xad); // i64.extend_i32_u
    out.byte(0x21).byte(to);
  }

  #add(local: number, value: number): void {
    this.#get(local);
    this.#const(value);
    this.#out.byte(0x7c).byte(0x21).byte(local);
  }

  #get(local: number): void {
    this.#out.byte(0x20).byte(local);
  }

  #const(value: number): void {
    this.#out.byte(0x42).s32(value);
  }
}

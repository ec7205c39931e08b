/**
 * Scans the instructions that have odd immediates, stand behind a prefix, or
 * may take long.
 *
 * @module
 */

import { BRIEF, type HelperTable } from "./bulk.ts";
import type { CodeReader } from "./code_reader.ts";
import {
  ATOMIC_HEIGHT,
  GC_HEIGHT,
  MISC_HEIGHT,
  SIMD_HEIGHT,
  type StackHeight,
} from "./height.ts";
import type { Instrumentation, ModuleLayout } from "./layout.ts";
import type { Meter } from "./meter.ts";
import {
  Act,
  ATOMIC,
  BYTES_PER_FUEL,
  GC,
  GROW_COST,
  MISC,
  SIMD,
  Sub,
} from "./opcodes.ts";
import { refused } from "./bounds.ts";
import { Insert, type Plan } from "./plan.ts";

/** Longest constant length of an operation that stays as it is, in bytes. */
const BRIEF_OPERATION_BYTES = 4096;

const MEMORY_INIT = 0x08;
const MEMORY_COPY = 0x0a;
const MEMORY_FILL = 0x0b;
const TABLE_GROW = 0x0f;
const STRUCT_NEW = 0x00;
const ARRAY_NEW_FIXED = 0x08;
const BR_ON_CAST = 0x18;

/** What the scanner must do about an operation. */
export type Effect = "none" | "runtime" | "call" | "branch";

/** What operations work on: the scanner's own. */
export interface OperationParts {
  /** The module. */
  readonly layout: ModuleLayout;
  /** Which limits the code is to carry. */
  readonly mode: Instrumentation;
  /** Reads immediates. */
  readonly code: CodeReader;
  /** Follows the height of the stack. */
  readonly height: StackHeight;
  /** Plans charges. */
  readonly meter: Meter;
  /** Where checks and helpers go. */
  readonly plan: Plan;
  /** The helpers that the code will call. */
  readonly helpers: HelperTable;
}

/** Scans operations one after the other. */
export class Operations {
  /** Features that they use. */
  features = 0;
  /** Place of the last i32.const's value. */
  constant = 0;

  readonly #parts: OperationParts;
  readonly #code: CodeReader;
  readonly #height: StackHeight;

  /**
   * Constructs a scanner of operations.
   *
   * @param parts What they work on.
   */
  constructor(parts: OperationParts) {
    this.#parts = parts;
    this.#code = parts.code;
    this.#height = parts.height;
  }

  /**
   * Scans one operation.
   *
   * @param opcode Its first byte, which has been read.
   * @param kind What {@linkcode Act} says of it.
   * @returns `"runtime"` if the engine does it in a function of its own,
   * `"call"` if it became a call, `"branch"` if its immediates begin
   * with a label, which has not been read.
   */
  scan(opcode: number, kind: number): Effect {
    const code = this.#code;
    const at = code.pos - 1;
    switch (kind) {
      case Act.memarg:
        code.memarg();
        return "none";
      case Act.selectTyped: {
        const count = code.leb();
        for (let index = 0; index < count && code.pos < code.end; index++) {
          code.blockType();
        }
        return "none";
      }
      case Act.reference:
        code.leb();
        return "runtime";
      case Act.grow:
        code.leb();
        return this.#slow(at, GROW_COST - 1);
      case Act.prefixMisc:
        return this.#misc(at, code.leb());
      case Act.prefixSimd:
        return this.#simd(at, code.leb());
      case Act.prefixGc:
        return this.#gc(at, code.leb());
      case Act.prefixAtomic:
        return this.#atomic(at, code.leb());
      default:
        return unknown(at, [opcode]);
    }
  }

  /** Passes over what follows the label of a branch on a cast. */
  finishBranch(): void {
    this.#code.leb();
    this.#code.leb();
  }

  #misc(at: number, sub: number): Effect {
    const { helpers, meter, plan } = this.#parts;
    const code = this.#code;
    this.features |= MISC.feature[sub] ?? 0;
    const form = MISC.act[sub] ?? Sub.unknown;
    if (form === Sub.unknown) return unknown(at, [0xfc, sub]);
    this.#height.now += MISC_HEIGHT[sub] ?? 0;
    if (form === Sub.none) return "none";
    const a = code.leb();
    const b = form === Sub.leb2 ? code.leb() : 0;
    if (sub === TABLE_GROW) return this.#slow(at, GROW_COST - 1);
    if (sub === MEMORY_INIT || sub === MEMORY_COPY || sub === MEMORY_FILL) {
      const length = this.#constantBefore(at);
      if (length >= 0 && length <= BRIEF_OPERATION_BYTES) {
        return this.#slow(at, Math.floor(length / BYTES_PER_FUEL));
      }
    }
    const helper = helpers.find(sub, a, b);
    if (helper === BRIEF) return this.#slow(at, 0);
    if (helper < 0) return "runtime";
    meter.call(at);
    if (!meter.dead) plan.add(at, Insert.helper, helper, code.pos);
    return "call";
  }

  /** The constant that the instruction at `at` takes last, or −1. */
  #constantBefore(at: number): number {
    if (this.constant === 0) return -1;
    const code = this.#code;
    const { pos } = code;
    code.pos = this.constant;
    const value = code.leb();
    const isAdjacent = code.pos === at;
    code.pos = pos;
    // the sign is the last byte's
    const isNegative = ((code.bytes[at - 1] ?? 0) & 0x40) !== 0;
    return isAdjacent && !isNegative ? value : -1;
  }

  #simd(at: number, sub: number): Effect {
    const code = this.#code;
    this.features |= SIMD.feature[sub] ?? 0;
    this.#height.now += SIMD_HEIGHT[sub] ?? 0;
    switch (SIMD.act[sub]) {
      case Sub.none:
        return "none";
      case Sub.memarg:
        code.memarg();
        return "none";
      case Sub.memargLane:
        code.memarg();
        code.pos++;
        return "none";
      case Sub.lane:
        code.pos++;
        return "none";
      case Sub.bytes16:
        code.pos += 16;
        return "none";
      default:
        return unknown(at, [0xfd, sub]);
    }
  }

  #gc(at: number, sub: number): Effect {
    const code = this.#code;
    const form = GC.act[sub] ?? Sub.unknown;
    if (form === Sub.unknown) return unknown(at, [0xfb, sub]);
    this.#height.now += GC_HEIGHT[sub] ?? 0;
    if (form === Sub.none) return "none";
    if (sub >= BR_ON_CAST) {
      code.pos++;
      return "branch";
    }
    const type = code.leb();
    const count = form === Sub.leb2 ? code.leb() : 0;
    if (sub === STRUCT_NEW) {
      this.#height.now -= this.#parts.layout.paramCounts[type] ?? 0;
    } else if (sub === ARRAY_NEW_FIXED) this.#height.now -= count;
    // what makes or moves arrays may take long
    const isLong = (sub >= 0x06 && sub <= 0x0a) || (sub >= 0x10 && sub <= 0x13);
    return isLong ? this.#slow(at, 0) : "none";
  }

  #atomic(at: number, sub: number): Effect {
    const form = ATOMIC.act[sub] ?? Sub.unknown;
    if (form === Sub.unknown) return unknown(at, [0xfe, sub]);
    this.#height.now += ATOMIC_HEIGHT[sub] ?? 0;
    if (form === Sub.lane) this.#code.pos++;
    else this.#code.memarg();
    return "none";
  }

  /** Something that costs more than one instruction, and may take long. */
  #slow(at: number, cost: number): Effect {
    const { meter, mode, plan } = this.#parts;
    meter.spend(cost, at);
    if (mode.deadline && !meter.dead) plan.add(at, Insert.point);
    return "runtime";
  }
}

function unknown(offset: number, bytes: readonly number[]): never {
  const text = bytes
    .map((byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(" ");
  throw refused(`instruction ${text} is not known`, {
    reason: "unknown instruction",
    offset,
  });
}

/**
 * The instructions that carry the limits.
 *
 * A check divides by the flag and drops the quotient: while the flag is 1 the
 * optimizer leaves a load and a compare with a trap behind it, no branch that
 * would part a loop; when the watchdog sets it to 0 the guest traps, and no
 * handler in the guest can catch a trap. See RATIONALE.md.
 *
 * @module
 */

import type { Instrumentation } from "./layout.ts";
import { Insert } from "./plan.ts";
import type { ByteWriter } from "./writer.ts";

const I32_CONST = 0x41;
const I64_CONST = 0x42;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I64_SUB = 0x7d;
const I64_GE_S = 0x59;
const I64_LT_S = 0x53;
const UNREACHABLE = 0x00;
const IF = 0x04;
const NO_RESULT = 0x40;
const END = 0x0b;
const I32_AND = 0x71;
const I32_DIV_U = 0x6e;
const DROP = 0x1a;

/** What a check looks at. */
export interface Check {
  /** Whether at the flag. */
  readonly deadline: boolean;
  /** Whether the flag's load may not be moved out of a loop. */
  readonly atomic: boolean;
  /** Whether at the fuel in the global. */
  readonly fuel: boolean;
}

/** Writes checks and charges for one module. */
export class CheckWriter {
  readonly #out: ByteWriter;
  readonly #mode: Instrumentation;
  /** Index of the memory that holds the flag. */
  readonly #flag: number;
  /** Index of the global that holds the fuel. */
  readonly #fuel: number;

  /**
   * Constructs a writer of checks.
   *
   * @param out Where they go.
   * @param mode Which limits they carry.
   * @param indices Of the flag's memory and the fuel's global.
   */
  constructor(
    out: ByteWriter,
    mode: Instrumentation,
    indices: { flag: number; fuel: number },
  ) {
    this.#out = out;
    this.#mode = mode;
    this.#flag = indices.flag;
    this.#fuel = indices.fuel;
  }

  /**
   * Writes what one entry of a plan stands for.
   *
   * @param kind One of {@linkcode Insert}, but `none` and `helper`.
   * @param cost What to charge.
   * @param local The local that caches the fuel.
   */
  write(kind: number, cost: number, local: number): void {
    const { deadline, fuel } = this.#mode;
    switch (kind) {
      case Insert.settled:
        this.#out.byte(I32_CONST).byte(1).byte(GLOBAL_SET).u32(this.#fuel + 1);
        return;
      case Insert.loop:
        if (fuel) this.#stopOrSpill(local);
        if (deadline) this.check({ deadline, atomic: true, fuel: false });
        return;
      case Insert.loopGlobal:
        return this.check({ deadline, atomic: true, fuel });
      case Insert.entry:
        return this.check({ deadline, atomic: false, fuel });
      case Insert.point:
        return this.check({ deadline: true, atomic: false, fuel: false });
      case Insert.charge:
        return this.#charge(LOCAL_GET, local, cost, LOCAL_SET, local);
      case Insert.load:
        return this.#charge(GLOBAL_GET, this.#fuel, cost, LOCAL_SET, local);
      case Insert.spill:
        return this.#charge(LOCAL_GET, local, cost, GLOBAL_SET, this.#fuel);
      case Insert.chargeGlobal:
        return this.#charge(
          GLOBAL_GET,
          this.#fuel,
          cost,
          GLOBAL_SET,
          this.#fuel,
        );
    }
  }

  /**
   * Writes one check.
   *
   * @param check What it looks at.
   */
  check({ deadline, atomic, fuel }: Check): void {
    const out = this.#out;
    out.byte(I32_CONST).byte(1);
    if (deadline) {
      out.byte(I32_CONST).byte(0);
      if (atomic) out.byte(0xfe).byte(0x10);
      else out.byte(0x28);
      // alignment 2, with the bit that says that a memory index follows
      out.byte(0x42).u32(this.#flag).byte(0);
    }
    if (fuel) {
      out.byte(GLOBAL_GET).u32(this.#fuel);
      out.byte(I64_CONST).byte(0).byte(I64_GE_S);
      if (deadline) out.byte(I32_AND);
    }
    out.byte(I32_DIV_U).byte(DROP);
  }

  /** Traps if the local is below 0, with the global set to it for the host. */
  #stopOrSpill(local: number): void {
    this.#out.byte(LOCAL_GET).u32(local).byte(I64_CONST).byte(0).byte(I64_LT_S)
      .byte(IF).byte(NO_RESULT)
      .byte(LOCAL_GET).u32(local).byte(GLOBAL_SET).u32(this.#fuel)
      .byte(UNREACHABLE).byte(END);
  }

  #charge(
    from: number,
    source: number,
    cost: number,
    to: number,
    target: number,
  ): void {
    const out = this.#out.byte(from).u32(source);
    if (cost > 0) out.byte(I64_CONST).s32(cost).byte(I64_SUB);
    out.byte(to).u32(target);
  }
}

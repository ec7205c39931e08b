/**
 * The loop that runs the code. The stack is seen as places of 32 bits, two for
 * each slot. A frame is the parameters and locals of a function, a slot with
 * the way back to its caller, and its operands; so calls of the guest's own
 * functions take no stack of JavaScript's.
 *
 * @module
 */

import { load, store } from "./accesses.ts";
import { bulk, type BulkContext } from "./bulk.ts";
import { calculate } from "./calculate.ts";
import { LimitReached, Trap } from "./errors.ts";
import type { HostLink } from "./host_link.ts";
import type { Meter } from "./meter.ts";
import { accessOf } from "./operators.ts";
import type { Slots } from "./slots.ts";
import type { MachineCode } from "./types.ts";

/** What code runs with. */
export interface RunContext extends BulkContext {
  readonly code: MachineCode;
  readonly globals: Slots;
  readonly meter: Meter;
  readonly host: HostLink;
}

/** Where the machine stands. */
export interface Registers {
  /** Place of the next instruction; -1 if the outermost function returned. */
  pc: number;
  /** Where the stack ends. */
  sp: number;
  /** Where the frame begins. */
  fp: number;
}

/** A call of the host that gave a promise. */
export interface Waiting {
  /** The import. */
  readonly callee: number;
  /** Where its results go. */
  readonly frame: number;
  /** What it waits for. */
  readonly promise: PromiseLike<unknown>;
}

/** Bytes that each load and store reaches. */
const REACH: readonly number[] = Object.freeze(
  Array.from(
    { length: 0x17 },
    (_, op) => 2 ** (accessOf(op + 0x28)?.log2 ?? 3),
  ),
);

/**
 * Runs until the outermost function returns, or the host has to wait.
 *
 * @param context What the code runs with.
 * @param registers Where the machine stands, and then stood when it stopped.
 * @param first The function to call, whose arguments are on the stack; -1 to go
 * on where it stands.
 * @returns What it waits for, if it does.
 */
export function run(
  context: RunContext,
  registers: Registers,
  first: number,
): Waiting | undefined {
  const { meter, globals, host, stack, store: { memory, tables } } = context;
  const { code, entries, types, params, locals, slots } = context.code;
  const { i32 } = stack;
  const shared = globals.i32;
  let { view, length } = memory;
  let { pc, sp, fp } = registers;
  let { budget } = meter;
  let callee = first;
  // whether the meter has the budget, and not this loop
  let isOutside = false;
  try {
    for (;;) {
      if (callee >= 0) {
        const frame = sp - 2 * (params[callee] as number);
        const way = frame + 2 * (locals[callee] as number);
        if (frame + 2 * (slots[callee] as number) > i32.length) {
          throw new LimitReached("stack");
        }
        budget -= 1 + ((way - frame) >> 4);
        for (let at = sp; at < way; at++) i32[at] = 0;
        i32[way] = pc;
        i32[way + 1] = fp;
        fp = frame;
        sp = way + 2;
        pc = entries[callee] as number;
        callee = -1;
      }
      const op = code[pc++] as number;
      if (--budget < 0) {
        isOutside = true;
        budget = meter.refill(budget);
        isOutside = false;
      }
      // numbers and no names: only so does the engine jump to them at once
      switch (op) {
        case 0x00:
          budget++;
          throw new Trap("unreachable");
        case 0x10: // call
          callee = code[pc++] as number;
          continue;
        case 0x11: { // call_indirect
          const table = tables[code[pc + 1] as number];
          sp -= 2;
          const index = (i32[sp] as number) >>> 0;
          if (table === undefined || index >= table.length) {
            throw new Trap("undefined element");
          }
          const reference = table.items[index] as number;
          if (reference === 0) throw new Trap("uninitialized element");
          if (types[reference - 1] !== code[pc]) {
            throw new Trap("indirect call type mismatch");
          }
          callee = reference - 1;
          pc += 2;
          continue;
        }
        case 0x1a: // drop
          budget++;
          sp -= 2;
          continue;
        case 0x1b: // select
          sp -= 4;
          if (i32[sp + 2] === 0) sp = carry(i32, sp + 2, 1, sp - 2);
          continue;
        case 0x20: { // local.get
          const at = fp + (code[pc++] as number);
          i32[sp++] = i32[at] as number;
          i32[sp++] = i32[at + 1] as number;
          continue;
        }
        case 0x21: { // local.set
          const at = fp + (code[pc++] as number);
          i32[at + 1] = i32[--sp] as number;
          i32[at] = i32[--sp] as number;
          continue;
        }
        case 0x22: { // local.tee
          const at = fp + (code[pc++] as number);
          i32[at] = i32[sp - 2] as number;
          i32[at + 1] = i32[sp - 1] as number;
          continue;
        }
        case 0x23: { // global.get
          const at = code[pc++] as number;
          i32[sp++] = shared[at] as number;
          i32[sp++] = shared[at + 1] as number;
          continue;
        }
        case 0x24: { // global.set
          const at = code[pc++] as number;
          shared[at + 1] = i32[--sp] as number;
          shared[at] = i32[--sp] as number;
          continue;
        }
        case 0x28: { // i32.load
          const address = ((i32[sp - 2] as number) >>> 0) +
            ((code[pc++] as number) >>> 0);
          if (address + 4 > length) throw outside();
          i32[sp - 2] = view.getInt32(address, true);
          continue;
        }
        case 0x36: { // i32.store
          sp -= 4;
          const address = ((i32[sp] as number) >>> 0) +
            ((code[pc++] as number) >>> 0);
          if (address + 4 > length) throw outside();
          view.setInt32(address, i32[sp + 2] as number, true);
          continue;
        }
        case 0x41:
        case 0x43: // constants of 32 bits
          i32[sp] = code[pc++] as number;
          sp += 2;
          continue;
        case 0x42:
        case 0x44: // constants of 64 bits
          i32[sp++] = code[pc++] as number;
          i32[sp++] = code[pc++] as number;
          continue;
        case 0x45: // i32.eqz
          i32[sp - 2] = i32[sp - 2] === 0 ? 1 : 0;
          continue;
        case 0x6a: // i32.add
          sp -= 2;
          i32[sp - 2] = (i32[sp - 2] as number) + (i32[sp] as number);
          continue;
        case 0x6b: // i32.sub
          sp -= 2;
          i32[sp - 2] = (i32[sp - 2] as number) - (i32[sp] as number);
          continue;
        case 0x71: // i32.and
          sp -= 2;
          i32[sp - 2] = (i32[sp - 2] as number) & (i32[sp] as number);
          continue;
        case 0x120: // the end of a then-part
          budget++;
          pc = code[pc] as number;
          continue;
        case 0x121: // br
          pc = code[pc] as number;
          continue;
        case 0x123: // if
          sp -= 2;
          pc = i32[sp] === 0 ? code[pc] as number : pc + 1;
          continue;
        case 0x124: // br_if
          sp -= 2;
          pc = i32[sp] === 0 ? pc + 1 : code[pc] as number;
          continue;
        case 0x125: // br_if that takes values along
          sp -= 2;
          if (i32[sp] === 0) {
            pc += 3;
            continue;
          }
          break;
        case 0x126: // br_table
          sp -= 2;
          pc += 1 +
            3 * Math.min((i32[sp] as number) >>> 0, code[pc] as number);
          break;
        case 0x122: // br that takes values along
          break;
        case 0x127: { // the end of a function
          budget++;
          const way = fp + (code[pc + 1] as number);
          const back = i32[way] as number;
          const caller = i32[way + 1] as number;
          sp = carry(i32, sp, code[pc] as number, fp);
          fp = caller;
          pc = back;
          if (pc < 0) return undefined;
          continue;
        }
        case 0x128: { // a function of the host, in a frame of its own
          const imported = code[pc] as number;
          const frame = fp;
          const way = frame + 2 * (params[imported] as number);
          // only the call itself costs
          budget += 2 + ((way - frame) >> 4);
          pc = i32[way] as number;
          fp = i32[way + 1] as number;
          sp = frame + 2 * host.resultCount(imported);
          meter.budget = budget;
          isOutside = true;
          const promise = host.call(imported, stack, frame);
          budget = meter.budget;
          isOutside = false;
          if (promise !== undefined) {
            return { callee: imported, frame, promise };
          }
          if (pc < 0) return undefined;
          continue;
        }
        default:
          if (op < 0x36) {
            const address = ((i32[sp - 2] as number) >>> 0) +
              ((code[pc++] as number) >>> 0);
            if (address + (REACH[op - 0x28] as number) > length) {
              throw outside();
            }
            load(op, view, address, i32, sp - 2);
          } else if (op < 0x3f) {
            sp -= 4;
            const address = ((i32[sp] as number) >>> 0) +
              ((code[pc++] as number) >>> 0);
            if (address + (REACH[op - 0x28] as number) > length) {
              throw outside();
            }
            store(op, view, address, stack, sp + 2);
          } else if (op < 0x108 && op > 0x40) sp = calculate(op, stack, sp);
          continue;
        case 0x25:
        case 0x26:
        case 0x3f:
        case 0x40:
        case 0x108:
        case 0x109:
        case 0x10a:
        case 0x10b:
        case 0x10c:
        case 0x10d:
        case 0x10e:
        case 0x10f:
        case 0x110:
        case 0x111: // whole memories and tables
          meter.budget = budget;
          isOutside = true;
          sp = bulk(
            op,
            code[pc] as number,
            code[pc + 1] as number,
            sp,
            context,
          );
          pc += op === 0x10c || op === 0x10e ? 2 : IMMEDIATE.has(op) ? 1 : 0;
          budget = meter.budget;
          isOutside = false;
          ({ view, length } = memory);
          continue;
      }
      // a branch that takes values along
      sp = carry(
        i32,
        sp,
        code[pc + 1] as number,
        fp + (code[pc + 2] as number),
      );
      pc = code[pc] as number;
    }
  } finally {
    if (!isOutside) meter.budget = budget;
    registers.pc = pc;
    registers.sp = sp;
    registers.fp = fp;
  }
}

/** Instructions on whole memories and tables that name one thing. */
const IMMEDIATE: ReadonlySet<number> = new Set(
  [0x25, 0x26, 0x108, 0x109, 0x10d, 0x10f, 0x110, 0x111],
);

/** Takes slots from the end of the stack to a lower place. */
function carry(
  i32: Int32Array,
  sp: number,
  count: number,
  to: number,
): number {
  const from = sp - 2 * count;
  for (let at = 0; at < 2 * count; at++) {
    i32[to + at] = i32[from + at] as number;
  }
  return to + 2 * count;
}

function outside(): Trap {
  return new Trap("out of bounds memory access");
}

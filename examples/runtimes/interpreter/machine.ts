/**
 * The machine of one instance.
 *
 * @module
 */

import type { WasmValue } from "@wasm-sandbox/core/runtime";
import type { HostLink } from "./host_link.ts";
import type { Meter } from "./meter.ts";
import { type Registers, run, type RunContext } from "./run.ts";
import { Slots } from "./slots.ts";
import type { Store } from "./store.ts";
import type { FunctionType, MachineCode } from "./types.ts";

/** What a machine runs with. */
export interface MachineParts {
  readonly code: MachineCode;
  /** Types of all functions. */
  readonly functions: readonly FunctionType[];
  readonly store: Store;
  readonly globals: Slots;
  readonly meter: Meter;
  readonly host: HostLink;
  /** How large its stack is. */
  readonly stackBytes: number;
}

/** A part of a guest's work; what it waits for is yielded. */
export type Work<T> = Generator<PromiseLike<unknown>, T, unknown>;

/** Runs the functions of one instance. */
export class Machine {
  readonly #context: RunContext;
  readonly #functions: readonly FunctionType[];

  /**
   * Constructs it.
   *
   * @param parts What it runs with.
   */
  constructor({ functions, stackBytes, ...parts }: MachineParts) {
    this.#functions = functions;
    this.#context = {
      ...parts,
      stack: new Slots(Math.floor(stackBytes / 8)),
      charge: (units) => parts.meter.charge(units),
    };
  }

  /**
   * Calls a function.
   *
   * @param callee The function.
   * @param args Its arguments, checked.
   * @returns Its results.
   * @throws {Trap} If it does not return, and whatever else ends it.
   */
  *call(
    callee: number,
    args: readonly WasmValue[],
  ): Work<readonly WasmValue[]> {
    const { stack, host } = this.#context;
    const { params = [], results = [] } = this.#functions[callee] ?? {};
    params.forEach((type, index) =>
      stack.write(2 * index, type, args[index] ?? 0)
    );
    const registers: Registers = { pc: -1, sp: 2 * params.length, fp: 0 };
    let waiting = run(this.#context, registers, callee);
    while (waiting !== undefined) {
      const { callee: imported, frame, promise } = waiting;
      let value: unknown;
      try {
        value = yield promise;
      } catch (cause) {
        throw host.rejected(imported, cause);
      }
      host.answer(imported, stack, frame, value);
      if (registers.pc < 0) break;
      waiting = run(this.#context, registers, -1);
    }
    this.#context.meter.settle();
    return results.map((type, index) => stack.read(2 * index, type));
  }

  /** Lets go of all its memory, at once. */
  free(): void {
    this.#context.stack.free();
    this.#context.store.memory.free();
  }
}

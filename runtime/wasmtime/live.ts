/**
 * The engine's side of an instance: what it is linked with, and what of its
 * exports is used.
 *
 * @module
 */

import { MEMORY_EXPORT } from "../../communication/guest_abi.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type { NumberType } from "../types.ts";
import type { Code } from "./code_cache.ts";
import {
  MEMORY_EXPORT_PREFIX,
  START_EXPORT,
  TABLE_EXPORT_PREFIX,
} from "./exposed.ts";
import { ADAPTER_MEMORY, LATER_TABLE } from "./glue.ts";
import { type Caller, handlerOf, HostFrame } from "./host_call.ts";
import { MemoryView } from "./memory.ts";
import type { Native, Pointer } from "./native.ts";
import type { Binding, Later, UnitPlan } from "./plan.ts";
import {
  type Extern,
  EXTERN_BYTES,
  EXTERN_KIND,
  type Handle,
  handleOf,
  type InstanceHandle,
  RAW_BYTES,
  Store,
} from "./store.ts";

/** An exported function. */
export interface Entry {
  /** Its name. */
  readonly name: string;
  /** The function. */
  readonly func: Handle;
  /** Types of its parameters. */
  readonly params: readonly (NumberType | "other")[];
  /** Types of its results. */
  readonly results: readonly (NumberType | "other")[];
  /** How many of either there are at the most. */
  readonly slots: number;
}

/** Code of a module, and of what stands around it. */
export interface UnitCode {
  /** The module. */
  readonly main: Code;
  /** Its adapter, if it imports functions of the host. */
  readonly adapter: Code | undefined;
  /** Its constants, if it imports any. */
  readonly constants: Code | undefined;
  /** For each of its bindings to a function that comes later. */
  readonly later: ReadonlyMap<Later, LaterCode>;
}

/** Code of what stands for a function that comes later. */
export interface LaterCode {
  /** Calls it. */
  readonly caller: Code;
  /** Puts it where it is called. */
  readonly filler: Code;
}

/** What an instance is linked from. */
export interface LinkParts {
  /** The library. */
  readonly native: Native;
  /** The engine. */
  readonly engine: Pointer;
  /** The modules, in the order in which they are made. */
  readonly plans: readonly UnitPlan[];
  /** Their code. */
  readonly codes: ReadonlyMap<UnitPlan, UnitCode>;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** The guest, for the host. */
  readonly caller: Caller;
}

/** A table that a function is put into once it is there. */
interface Slot {
  readonly table: Extern;
  readonly later: Later;
  readonly filler: Pointer;
}

/** The engine's side of an instance, until it is let go. */
export class Live implements Disposable {
  readonly store: Store;
  /** Start functions and the like, in the order in which they are to run. */
  readonly starts: Handle[] = [];
  readonly #native: Native;
  readonly #parts: LinkParts;
  readonly #instances = new Map<string, InstanceHandle>();
  readonly #slots: Slot[] = [];
  readonly #frames: HostFrame[] = [];
  readonly #ids: number[] = [];
  readonly #entries = new Map<string, Entry>();
  /** The memory that each module exports, by its place. */
  readonly #unitMemories = new Map<number, MemoryView>();
  /** All memories. */
  readonly #memories: MemoryView[] = [];
  readonly #tables: Handle[] = [];
  #fixedElements = 0;

  /**
   * Links modules. Nothing of the guest's runs.
   *
   * @param parts What they are linked from.
   * @throws {GuestStop} If segments of a module do not fit.
   * @throws {LinkFailure} If what a module is given does not fit.
   */
  constructor(parts: LinkParts) {
    const { native, engine, plans, limits } = parts;
    this.#native = native;
    this.#parts = parts;
    this.store = new Store(native, engine, limits);
    try {
      this.store.deadline(LINK_TICKS);
      if (limits.fuel !== undefined) this.store.fuel = LINK_FUEL;
      for (const plan of plans) this.#link(plan);
      if (limits.fuel !== undefined) this.store.fuel = 0n;
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The memory that messages go through, if it is exported. */
  get memory(): MemoryView | undefined {
    return this.#unitMemories.get(0);
  }

  /** The memory that one of the modules exports. */
  memoryOf(unit: number): MemoryView | undefined {
    return this.#unitMemories.get(unit);
  }

  /** An exported function of the main module. */
  entry(name: string): Entry | undefined {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = this.#find(name);
      if (entry !== undefined) this.#entries.set(name, entry);
    }
    return entry;
  }

  /** Bytes of all memories, and elements of all tables. */
  sizes(): { readonly memoryBytes: number; readonly tableElements: number } {
    const { symbols, context } = this.store;
    return {
      memoryBytes: this.#memories.reduce(
        (sum, { byteLength }) => sum + byteLength,
        0,
      ),
      tableElements: this.#tables.reduce(
        (sum, table) =>
          sum + Number(symbols.wasmtime_table_size(context, table)),
        this.#fixedElements,
      ),
    };
  }

  /** The guest has run: memories may have grown. */
  touch(): void {
    for (const memory of this.#unitMemories.values()) memory.touch();
  }

  /** Lets go of all of it. Nothing of it may run any more. */
  [Symbol.dispose](): void {
    for (const memory of this.#unitMemories.values()) memory[Symbol.dispose]();
    for (const memory of this.#memories) memory[Symbol.dispose]();
    for (const frame of this.#frames) frame[Symbol.dispose]();
    this.store[Symbol.dispose]();
    for (const id of this.#ids.splice(0)) this.#native.dispatcher.delete(id);
  }

  #find(name: string): Entry | undefined {
    const main = this.#parts.plans.find(({ index }) => index === 0)?.unit;
    const found = main?.module.exports.find((each) => each.name === name);
    const handle = main && this.#instances.get(main.name);
    if (found?.signature === undefined || handle === undefined) return;
    const extern = this.store.exported(handle, name);
    if (extern === undefined) return undefined;
    const { params, results } = found.signature;
    const slots = Math.max(params.length, results.length);
    return { name, func: handleOf(extern), params, results, slots };
  }

  #link(plan: UnitPlan): void {
    const { store } = this;
    const code = this.#parts.codes.get(plan);
    if (code === undefined) throw new TypeError("Cannot link without code");
    const { name, module } = plan.unit;
    const adapter = code.adapter && this.#adapter(plan, code.adapter);
    const constants = code.constants &&
      store.instantiate(code.constants.module, NO_IMPORTS);
    const instance = store.instantiate(
      code.main.module,
      joined(
        plan.bindings.map((binding) =>
          this.#bound(binding, { adapter, constants, code })
        ),
      ),
    );
    this.#instances.set(name, instance);
    this.#expose(plan, instance);
    this.#fill(name, instance);
    this.#fixedElements += module.prepared.fixedElements;
    if (module.hasStart) this.#start(instance, START_EXPORT);
    // nobody else could call it
    if (plan.isReactor) this.#start(instance, "_initialize");
  }

  #start(instance: InstanceHandle, name: string): void {
    this.starts.push(handleOf(this.#exported(instance, name)));
  }

  /** Makes the functions of the host. */
  #adapter(
    { functions, index }: UnitPlan,
    { module }: Code,
  ): InstanceHandle {
    const { store } = this;
    const { dispatcher } = this.#native;
    const { caller } = this.#parts;
    const frame = new HostFrame();
    this.#frames.push(frame);
    const touch = () => this.#unitMemories.get(index)?.touch();
    const procedures = functions.map((bound) => {
      const id = dispatcher.add(handlerOf(bound, { frame, caller, touch }));
      this.#ids.push(id);
      return store.procedure(id);
    });
    const adapter = store.instantiate(module, joined(procedures));
    const memory = this.#exported(adapter, ADAPTER_MEMORY);
    // it has one page, and can neither grow nor move
    frame.open(new MemoryView(store, handleOf(memory)).buffer);
    return adapter;
  }

  #bound(
    binding: Binding,
    { adapter, constants, code }: {
      readonly adapter: InstanceHandle | undefined;
      readonly constants: InstanceHandle | undefined;
      readonly code: UnitCode;
    },
  ): Extern {
    switch (binding.from) {
      case "host":
        return this.#exported(adapter, String(binding.index));
      case "constant":
        return this.#exported(constants, String(binding.index));
      case "linked":
        return this.#exported(
          this.#instances.get(binding.unit),
          binding.name,
        );
      case "later":
        return this.#later(binding, code);
    }
  }

  #later(later: Later, { later: codes }: UnitCode): Extern {
    const code = codes.get(later);
    if (code === undefined) throw new TypeError("Cannot link without code");
    const caller = this.store.instantiate(code.caller.module, NO_IMPORTS);
    const table = this.#exported(caller, LATER_TABLE);
    this.#slots.push({ table, later, filler: code.filler.module });
    return this.#exported(caller, "0");
  }

  /** Puts functions of a module, which is there now, where others call them. */
  #fill(name: string, instance: InstanceHandle): void {
    for (const { table, later, filler } of this.#slots) {
      if (later.unit !== name) continue;
      const func = this.#exported(instance, later.name);
      this.store.instantiate(filler, joined([table, func]));
    }
  }

  #expose({ unit, index }: UnitPlan, instance: InstanceHandle): void {
    const { exposed } = unit.module.prepared;
    const memory = this.store.exported(instance, MEMORY_EXPORT);
    if (memory?.[0] === EXTERN_KIND.memory) {
      this.#unitMemories.set(index, this.#view(memory));
    }
    for (const number of exposed.memories) {
      const name = `${MEMORY_EXPORT_PREFIX}${number}`;
      this.#memories.push(this.#view(this.#exported(instance, name)));
    }
    for (const number of exposed.tables) {
      const name = `${TABLE_EXPORT_PREFIX}${number}`;
      this.#tables.push(handleOf(this.#exported(instance, name)));
    }
  }

  #view(memory: Extern): MemoryView {
    return new MemoryView(this.store, handleOf(memory));
  }

  #exported(instance: InstanceHandle | undefined, name: string): Extern {
    const extern = instance && this.store.exported(instance, name);
    if (extern !== undefined) return extern;
    throw new TypeError(`Cannot link: nothing is exported as "${name}"`);
  }
}

const NO_IMPORTS: Uint8Array<ArrayBuffer> = new Uint8Array();

/**
 * Wasmtime runs code of its own to fill some tables and globals, under the
 * store's deadline and fuel. How much is bounded by the module's length.
 */
const LINK_TICKS = 2 ** 30;
const LINK_FUEL = 2n ** 60n;

/** Puts imports one behind the other. */
function joined(externs: readonly Extern[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(EXTERN_BYTES * externs.length);
  externs.forEach((extern, index) => all.set(extern, EXTERN_BYTES * index));
  return all;
}

/** Room for the arguments and results of a call. */
export class RawValues {
  #words = new Int32Array(0);
  #floats = new Float32Array(0);
  #longs = new BigInt64Array(0);
  #doubles = new Float64Array(0);

  /** Makes room, and gives it. */
  room(slots: number): Int32Array<ArrayBuffer> {
    const bytes = RAW_BYTES * Math.max(1, slots);
    if (this.#words.byteLength < bytes) {
      const buffer = new ArrayBuffer(bytes);
      this.#words = new Int32Array(buffer);
      this.#floats = new Float32Array(buffer);
      this.#longs = new BigInt64Array(buffer);
      this.#doubles = new Float64Array(buffer);
    }
    return this.#words;
  }

  /** Reads a number. */
  get(
    type: NumberType | "other" | undefined,
    index: number,
  ): number | bigint {
    if (type === "i32") return this.#words[4 * index] ?? 0;
    if (type === "i64") return this.#longs[2 * index] ?? 0n;
    if (type === "f32") return this.#floats[4 * index] ?? 0;
    return this.#doubles[2 * index] ?? 0;
  }

  /** Writes a number, which fits. */
  set(
    type: NumberType | "other" | undefined,
    index: number,
    value: number | bigint,
  ): void {
    if (type === "i32") this.#words[4 * index] = value as number;
    else if (type === "i64") this.#longs[2 * index] = value as bigint;
    else if (type === "f32") this.#floats[4 * index] = value as number;
    else this.#doubles[2 * index] = value as number;
  }
}

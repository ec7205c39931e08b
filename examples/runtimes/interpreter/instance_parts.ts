/**
 * Makes what an instance has: memory, tables, globals, and what it imports.
 *
 * @module
 */

import type {
  GuestAccess,
  HostImports,
  HostModule,
  ResolvedLimits,
} from "@wasm-sandbox/core/runtime";
import { SandboxError } from "@wasm-sandbox/core";
import { evaluate } from "./constants.ts";
import { HostLink } from "./host_link.ts";
import { Machine } from "./machine.ts";
import { Meter } from "./meter.ts";
import type { InterpretedModule } from "./module.ts";
import { Slots } from "./slots.ts";
import {
  type ElementBudget,
  LinearMemory,
  type Store,
  Table,
} from "./store.ts";
import type { ModuleParts } from "./types.ts";

/** What an instance is made from. */
export interface InstanceOptions {
  readonly module: InterpretedModule;
  readonly limits: ResolvedLimits;
  readonly imports: HostImports;
  readonly hostModules: readonly HostModule[];
  /** Throws if the instance was let go. */
  readonly requireAlive: () => void;
}

/** What an instance has. */
export interface InstanceParts {
  readonly store: Store;
  readonly meter: Meter;
  readonly host: HostLink;
  readonly machine: Machine;
  /** Puts the active segments in their places. */
  readonly initialize: () => void;
}

/** Bytes of a stack, unless the caller says otherwise. */
export const STACK_BYTES: number = 2 ** 20;

/**
 * Makes what an instance has. Nothing of the guest's runs.
 *
 * @param options What it is made from.
 * @returns What it has.
 * @throws {SandboxError} If an import is not granted, or there is no memory.
 */
export function makeParts(options: InstanceOptions): InstanceParts {
  const { module: { parts, code }, limits } = options;
  const meter = new Meter(limits.fuel);
  // what host modules see is there when they are called, and not before
  const seen: { memory?: LinearMemory } = {};
  const isExported = parts.exports.some(({ name, kind }) =>
    name === "memory" && kind === "memory"
  );
  const access: GuestAccess = {
    memory: () =>
      isExported && seen.memory !== undefined
        ? seen.memory.bytes.subarray(0, seen.memory.length)
        : new Uint8Array(),
    sleep: (ms) => meter.sleep(ms),
    charge: (units) => meter.take(units),
  };
  const host = new HostLink(parts.imports, {
    ...options,
    access,
    meter,
    hostCalls: limits.hostCalls,
  });
  const store = makeStore(parts, limits);
  seen.memory = store.memory;
  const globals = makeGlobals(parts, host);
  const machine = new Machine({
    code,
    functions: parts.functions,
    store,
    globals,
    meter,
    host,
    stackBytes: limits.stackBytes ?? STACK_BYTES,
  });
  const initialize = () => place(parts, store, globals);
  return { store, meter, host, machine, initialize };
}

function makeStore(
  { memories, tables, data, elements }: ModuleParts,
  { memoryBytes, tableElements }: ResolvedLimits,
): Store {
  const [size = { min: 0, max: 0, hasMax: true }] = memories;
  const budget: ElementBudget = { left: tableElements };
  try {
    return {
      memory: new LinearMemory(size, memoryBytes),
      tables: tables.map((type) => new Table(type, budget)),
      data: data.map(({ bytes }) => bytes),
      elements: elements.map(({ items }) => items),
    };
  } catch (cause) {
    const suggestion = "dispose other sandboxes, or lower memoryBytes";
    throw new SandboxError(
      "limit-exceeded",
      `Cannot make an instance: the machine has no room for its memory (${suggestion})`,
      {
        cause,
        details: { limit: "memoryBytes", allowed: memoryBytes, suggestion },
      },
    );
  }
}

function makeGlobals({ globals }: ModuleParts, host: HostLink): Slots {
  const slots = new Slots(globals.length);
  const bits = (index: number) => slots.u64[index] ?? 0n;
  globals.forEach((global, index) => {
    if ("value" in global) slots.u64[index] = evaluate(global.value, bits);
    else slots.write(2 * index, global.type, host.constants[index] ?? 0);
  });
  return slots;
}

/** Puts the active segments in their places, and drops them. */
function place(
  { elements, data }: ModuleParts,
  store: Store,
  globals: Slots,
): void {
  const bits = (index: number) => globals.u64[index] ?? 0n;
  const address = (offset: Parameters<typeof evaluate>[0]) =>
    Number(BigInt.asUintN(32, evaluate(offset, bits)));
  elements.forEach(({ offset, table: index, items, declares }, segment) => {
    const references = items.some((item) => item < 0)
      ? items.map((item) => item < 0 ? Number(bits(-item - 1)) : item)
      : items;
    store.elements[segment] = references;
    const table = store.tables[index];
    if (offset !== undefined && table !== undefined) {
      const start = address(offset);
      table.check(start, references.length);
      table.items.set(references, start);
    }
    if (declares || offset !== undefined) {
      store.elements[segment] = new Int32Array();
    }
  });
  data.forEach(({ offset, bytes }, segment) => {
    if (offset === undefined) return;
    const start = address(offset);
    store.memory.check(start, bytes.length);
    store.memory.bytes.set(bytes, start);
    store.data[segment] = new Uint8Array();
  });
}

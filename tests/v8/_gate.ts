/**
 * What the tests of gate and rewriter share. Child processes load it without
 * an import map, so it reaches no package.
 */

import { SandboxError, type SandboxErrorCode } from "../../errors.ts";
import { FEATURES, type WasmFeature } from "../../runtime/v8/features.ts";
import { instrument } from "../../runtime/v8/gate.ts";
import type {
  GateOptions,
  Instrumentation,
  ModuleLayout,
} from "../../runtime/v8/layout.ts";
import { memoryImports } from "../../runtime/v8/link.ts";
import {
  FUEL_EXPORT,
  MEMORY_MODULE,
  START_EXPORT,
} from "../../runtime/v8/rewrite.ts";

/** Every feature, allowed. */
export const ALL_FEATURES: Readonly<Record<WasmFeature, boolean>> = Object
  .fromEntries(FEATURES.map((name) => [name, true])) as Record<
    WasmFeature,
    boolean
  >;

/** Both limits. */
export const BOTH: Instrumentation = Object.freeze({
  deadline: true,
  fuel: true,
  tableElements: 100_000,
});

/** The limits that a rewriter can carry, by a name for tests. */
export const MODES: Readonly<Record<string, Instrumentation>> = Object.freeze({
  deadline: { ...BOTH, fuel: false },
  fuel: { ...BOTH, deadline: false },
  "deadline and fuel": BOTH,
});

/** More fuel than a test burns. */
export const FULL_TANK = 2n ** 60n;
/** Cap of an instance's memories. */
const MEMORY_BYTES = 64 * 2 ** 20;

/** The error with which the gate refuses a module; fails if it does not. */
export function refusal<C extends SandboxErrorCode>(
  bytes: Uint8Array<ArrayBuffer>,
  code: C,
  options: GateOptions = {},
): SandboxError<C> {
  try {
    instrument(bytes, BOTH, options);
  } catch (error) {
    if (SandboxError.is(error, code)) return error;
    throw new Error(`Refused with another error than ${code}`, {
      cause: error,
    });
  }
  throw new Error(`Accepted, and not refused with ${code}`);
}

/** The reason for which the gate refuses a valid module. */
export function refusalReason(
  bytes: Uint8Array<ArrayBuffer>,
  options: GateOptions = {},
): string {
  return refusal(bytes, "module-refused", options).details.reason;
}

/** A flag as the watchdog has it, not set. */
export function makeFlag(): WebAssembly.Memory {
  const flag = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  new Int32Array(flag.buffer)[0] = 1;
  return flag;
}

/** An instance of a rewritten module. */
export interface Guest {
  readonly exports: WebAssembly.Exports;
  /** Calls an export with numbers. */
  call(name: string, ...args: (number | bigint)[]): unknown;
  /** Fuel that is left. */
  fuel: bigint;
  readonly memories: Readonly<Record<string, WebAssembly.Memory>>;
  readonly flag: WebAssembly.Memory;
  readonly layout: ModuleLayout;
}

/** How to make a guest. */
export interface GuestOptions {
  imports?: WebAssembly.Imports;
  memoryBytes?: number;
  flag?: WebAssembly.Memory;
  features?: GateOptions["features"];
}

/** Rewrites a module and instantiates it; its start function is not called. */
export function makeGuest(
  bytes: Uint8Array<ArrayBuffer>,
  mode: Instrumentation,
  options: GuestOptions = {},
): Guest {
  const {
    imports = {},
    memoryBytes = MEMORY_BYTES,
    flag = makeFlag(),
    features = ALL_FEATURES,
  } = options;
  const { code, layout } = instrument(bytes, mode, {
    features,
    functionBytes: 2 ** 20,
  });
  const memories = memoryImports(layout, memoryBytes, flag);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), {
    ...imports,
    [MEMORY_MODULE]: memories,
  });
  const tank = exports[FUEL_EXPORT];
  const global = tank instanceof WebAssembly.Global ? tank : undefined;
  if (global !== undefined) global.value = FULL_TANK;
  return {
    exports,
    memories,
    flag,
    layout,
    call: (name, ...args) => call(exports, name, ...args),
    get fuel() {
      return global?.value ?? 0n;
    },
    set fuel(value) {
      if (global !== undefined) global.value = value;
    },
  };
}

/** Calls an export; fails if there is no such function. */
export function call(
  exports: WebAssembly.Exports,
  name: string,
  ...args: (number | bigint)[]
): unknown {
  const value = exports[name];
  if (typeof value !== "function") throw new Error(`No function ${name}`);
  return value(...args);
}

/** The export that was the start function, if there was one. */
export function startOf(exports: WebAssembly.Exports): unknown {
  return exports[START_EXPORT];
}

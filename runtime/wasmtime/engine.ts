/**
 * Engines of Wasmtime: how they are configured, and which version they are of.
 *
 * @module
 */

import type { WasmFeature } from "../types.ts";
import { bytesOf, type Native, type Pointer, required } from "./native.ts";
import type { Switch } from "./symbols.ts";
import { unavailable } from "./unavailable.ts";

/** What an engine writes into the code that it compiles. */
export interface EngineMode {
  /** Checks of the epoch. */
  readonly deadline: boolean;
  /** Charges of fuel. */
  readonly fuel: boolean;
}

/**
 * The stack of one call, in bytes. A guest that calls the host from deep within
 * must leave room for JavaScript, whose own stack ends 984 KiB from where the
 * thread began.
 */
export const STACK_BYTES: number = 256 * 1024;

/** Proposals that are switched on, all of which the limits reach. */
export const WASM_FEATURES: readonly WasmFeature[] = Object.freeze([
  "bulkMemory",
  "exceptions",
  "functionReferences",
  "memory64",
  "multiMemory",
  "referenceTypes",
  "relaxedSimd",
  "simd",
  "tailCall",
]);

/**
 * Versions whose structures are laid out as this package writes and reads them,
 * and which charge fuel for bytes that are moved.
 */
export const KNOWN_VERSIONS: readonly number[] = Object.freeze([48, 49, 50]);

/** Wasmtime's own handlers of signals were tried beside V8's here. */
const USES_SIGNALS = Deno.build.os === "linux";

const SWITCHES: Readonly<Record<Switch, boolean>> = Object.freeze({
  wasmtime_config_consume_fuel_set: false,
  wasmtime_config_epoch_interruption_set: false,
  // a view of a memory must stay right until the guest is gone
  wasmtime_config_memory_may_move_set: false,
  wasmtime_config_signals_based_traps_set: USES_SIGNALS,
  wasmtime_config_wasm_bulk_memory_set: true,
  wasmtime_config_wasm_exceptions_set: true,
  wasmtime_config_wasm_function_references_set: true,
  wasmtime_config_wasm_gc_set: false,
  wasmtime_config_wasm_memory64_set: true,
  wasmtime_config_wasm_multi_memory_set: true,
  wasmtime_config_wasm_multi_value_set: true,
  wasmtime_config_wasm_reference_types_set: true,
  wasmtime_config_wasm_relaxed_simd_set: true,
  wasmtime_config_wasm_simd_set: true,
  wasmtime_config_wasm_tail_call_set: true,
  wasmtime_config_wasm_threads_set: false,
});

/**
 * Makes an engine. Engines are never let go: the thread that raises their epoch
 * could be at it.
 *
 * @param native The library.
 * @param mode What it writes into code.
 * @returns The engine.
 */
export function makeEngine(
  { symbols }: Native,
  { deadline, fuel }: EngineMode,
): Pointer {
  const config = required(symbols.wasm_config_new());
  for (const [name, value] of Object.entries(SWITCHES)) {
    symbols[name as Switch](config, value);
  }
  symbols.wasmtime_config_epoch_interruption_set(config, deadline);
  symbols.wasmtime_config_consume_fuel_set(config, fuel);
  symbols.wasmtime_config_max_wasm_stack_set(config, BigInt(STACK_BYTES));
  return required(symbols.wasm_engine_new_with_config(config));
}

/** A module of nothing. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
/** Where a serialized module says what made it: behind the header of ELF. */
const VERSION_OFFSET = 64;

/**
 * The version of the library that an engine is of. Only such functions are
 * called as take and give addresses.
 *
 * @param native The library.
 * @param engine One of its engines.
 * @returns Its first number.
 * @throws {SandboxError} With code `runtime-unavailable`, if it is not known.
 */
export function versionOf(native: Native, engine: Pointer): number {
  const { symbols } = native;
  const box = new BigUint64Array(1);
  native.takeError(
    symbols.wasmtime_module_new(engine, EMPTY, BigInt(EMPTY.length), box),
  );
  const module = required(Deno.UnsafePointer.create(box[0] ?? 0n));
  const vector = new BigUint64Array(2);
  native.takeError(symbols.wasmtime_module_serialize(module, vector));
  const version = versionWithin(bytesOf(vector));
  symbols.wasm_byte_vec_delete(vector);
  symbols.wasmtime_module_delete(module);
  if (version !== undefined && KNOWN_VERSIONS.includes(version)) return version;
  throw unavailable(
    version === undefined
      ? "the library does not say which version it is"
      : `the library is of version ${version}, which is not known`,
    `install one of version ${KNOWN_VERSIONS.join(", ")}`,
  );
}

/** Reads a byte 0, a length, and so many digits. */
function versionWithin(bytes: Uint8Array): number | undefined {
  if (bytes[VERSION_OFFSET] !== 0) return undefined;
  const length = bytes[VERSION_OFFSET + 1] ?? 0;
  const start = VERSION_OFFSET + 2;
  const text = String.fromCharCode(...bytes.subarray(start, start + length));
  const [, major] = /^(\d{1,4})(\.\d+)*$/.exec(text) ?? [];
  return major === undefined ? undefined : Number(major);
}

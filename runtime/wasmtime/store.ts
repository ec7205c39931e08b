/**
 * A store: what the engine keeps of one instance, with all that it is linked
 * with. It goes as a whole.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import { PAGE_BYTES } from "../v8/link.ts";
import type { Native, Pointer } from "./native.ts";
import { required } from "./native.ts";
import type { Symbols } from "./symbols.ts";
import { type GuestStop, trapped, uncaught } from "./traps.ts";

/** An instance in a store, as `wasmtime/instance.h` lays it out. */
export type InstanceHandle = BigUint64Array<ArrayBuffer>;
/**
 * A function, memory or table in a store: 16 bytes. Where it is kept must not
 * be the beginning of something longer that changes.
 */
export type Handle = Uint8Array<ArrayBuffer>;
/** Something that is exported or imported, with its kind: 32 bytes. */
export type Extern = Uint8Array<ArrayBuffer>;

/** Length of an {@linkcode Extern}, as `wasmtime/extern.h` lays it out. */
export const EXTERN_BYTES = 32;
const HANDLE_OFFSET = 8;
const HANDLE_BYTES = 16;
/** Bytes of one argument or result. */
export const RAW_BYTES = 16;

/** First byte of an {@linkcode Extern}, by its kind. */
export const EXTERN_KIND = Object.freeze({
  function: 0,
  global: 1,
  table: 2,
  memory: 3,
});

const ENCODER = new TextEncoder();

/** What the engine keeps of one instance. */
export class Store implements Disposable {
  readonly symbols: Symbols;
  /** The store, as most functions take it. */
  readonly context: Pointer;
  readonly #native: Native;
  readonly #store: Pointer;
  readonly #procedureType: Pointer;
  readonly #trap = new BigUint64Array(1);
  /** The same, to be looked at faster. */
  readonly #trapHalves = new Uint32Array(this.#trap.buffer);
  #disposed = false;

  /**
   * Makes an empty store.
   *
   * @param native The library.
   * @param engine The engine.
   * @param limits The guest's limits: beneath what is written into its modules.
   */
  constructor(
    native: Native,
    engine: Pointer,
    limits: Pick<ResolvedLimits, "memoryBytes" | "tableElements">,
  ) {
    const { symbols } = native;
    this.#native = native;
    this.symbols = symbols;
    this.#procedureType = native.procedureType(engine);
    this.#store = required(symbols.wasmtime_store_new(engine, null, null));
    this.context = required(symbols.wasmtime_store_context(this.#store));
    symbols.wasmtime_store_limiter(
      this.#store,
      // the adapters need a page
      BigInt(Math.max(limits.memoryBytes, PAGE_BYTES)),
      BigInt(Math.max(limits.tableElements, 1)),
      -1n,
      -1n,
      -1n,
    );
  }

  /**
   * Makes an instance. The module has no start function.
   *
   * @param module The module.
   * @param imports What it imports, in order, of 32 bytes each.
   * @returns The instance.
   * @throws {GuestStop} If its segments do not fit.
   * @throws {LinkFailure} If what it is given does not fit.
   */
  instantiate(
    module: Pointer,
    imports: Uint8Array<ArrayBuffer>,
  ): InstanceHandle {
    const handle = new BigUint64Array(2);
    const error = this.symbols.wasmtime_instance_new(
      this.context,
      module,
      imports,
      BigInt(imports.length / EXTERN_BYTES),
      handle,
      this.#trap,
    );
    const reason = this.#native.takeError(error);
    if (reason !== undefined) throw new LinkFailure(reason);
    this.#requireNoTrap();
    return handle;
  }

  /**
   * What an instance exports.
   *
   * @param instance The instance.
   * @param name Name of the export.
   * @returns It, with its kind; undefined if there is none.
   */
  exported(instance: InstanceHandle, name: string): Extern | undefined {
    const bytes = ENCODER.encode(name);
    const extern = new Uint8Array(EXTERN_BYTES);
    const exists = this.symbols.wasmtime_instance_export_get(
      this.context,
      instance,
      bytes,
      BigInt(bytes.length),
      extern,
    );
    return exists ? extern : undefined;
  }

  /**
   * A function of the host, without parameters and results.
   *
   * @param id Its number at the dispatcher.
   * @returns The function, as an import.
   */
  procedure(id: number): Extern {
    const { dispatcher } = this.#native;
    const func = new Uint8Array(HANDLE_BYTES);
    this.symbols.wasmtime_func_new_unchecked(
      this.context,
      this.#procedureType,
      dispatcher.pointer,
      BigInt(id),
      null,
      func,
    );
    const extern = new Uint8Array(EXTERN_BYTES);
    extern.set(func, HANDLE_OFFSET);
    return extern;
  }

  /**
   * Calls a function in this thread.
   *
   * @param func The function.
   * @param raw Its arguments, and room for its results.
   * @param slots How many of either there are at the most.
   * @throws {GuestStop} If it does not return.
   */
  call(func: Handle, raw: Int32Array<ArrayBuffer>, slots: bigint): void {
    const error = this.symbols.wasmtime_func_call_unchecked(
      this.context,
      func,
      raw,
      slots,
      this.#trap,
    );
    if (error !== null) throw this.#stopOf(error);
    if (this.#trapHalves[0] !== 0 || this.#trapHalves[1] !== 0) {
      this.#requireNoTrap();
    }
  }

  /**
   * Sets when what runs in it is to trap.
   *
   * @param ticks After how many ticks of the epoch.
   */
  deadline(ticks: number): void {
    this.symbols.wasmtime_context_set_epoch_deadline(
      this.context,
      BigInt(ticks),
    );
  }

  /** Takes a trap that nobody has looked at, for want of stack. */
  drain(): void {
    this.#native.takeTrap(this.#trap);
  }

  /**
   * What is left of the fuel; less than nothing if a guest has returned and
   * taken more than it had. Wasmtime looks at it only where functions and loops
   * begin, and tells no more than that nothing is left: so it has one unit
   * beyond what is told, and has it no more once it is overdrawn.
   */
  get fuel(): bigint {
    const box = new BigUint64Array(1);
    this.#native.takeError(
      this.symbols.wasmtime_context_get_fuel(this.context, box),
    );
    return (box[0] ?? 0n) - 1n;
  }

  set fuel(units: bigint) {
    this.#native.takeError(
      this.symbols.wasmtime_context_set_fuel(this.context, units + 1n),
    );
  }

  /** Lets go of everything in it. No guest of it may run, nor any view live. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.symbols.wasmtime_store_delete(this.#store);
  }

  #requireNoTrap(): void {
    const trap = this.#native.takeTrap(this.#trap);
    if (trap === undefined) return;
    throw this.#isException() ? uncaught() : trapped(trap.code, trap.message);
  }

  #stopOf(error: Pointer): GuestStop {
    const message = this.#native.takeError(error) ?? "";
    return this.#isException() ? uncaught() : trapped(undefined, message);
  }

  #isException(): boolean {
    return this.symbols.wasmtime_context_has_exception(this.context);
  }
}

/** What was given to a module does not fit. */
export class LinkFailure extends Error {
  override readonly name = "LinkFailure";
}

/**
 * The function, memory or table behind an export.
 *
 * @param extern The export.
 * @returns A copy of its own.
 */
export function handleOf(extern: Extern): Handle {
  // a short array without a buffer would move when a callback's garbage goes
  const handle = new Uint8Array(new ArrayBuffer(HANDLE_BYTES));
  handle.set(extern.subarray(HANDLE_OFFSET, HANDLE_OFFSET + HANDLE_BYTES));
  return handle;
}

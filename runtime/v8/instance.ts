/**
 * A running module on V8, in the thread of its caller.
 *
 * @module
 */

import { nearest, printable, quote } from "../../_text.ts";
import {
  ALLOC_EXPORT,
  broken,
  exchangeMessage,
  FREE_EXPORT,
  MEMORY_EXPORT,
} from "../../communication/guest_abi.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type {
  CallOptions,
  ExchangeOptions,
  GuestAbi,
  HostImports,
  Instance,
  InstanceUsage,
  ModuleExport,
  Reply,
  Signature,
  WasmResult,
  WasmValue,
} from "../types.ts";
import { checkArguments, isMessageHandler } from "./arguments.ts";
import type { CompiledModule } from "./compiled.ts";
import { Failures } from "./failures.ts";
import { hostImports, memoryImports } from "./link.ts";
import {
  FUEL_EXPORT,
  MEMORY_MODULE,
  SETTLED_EXPORT,
  START_EXPORT,
  TABLE_EXPORT,
} from "./rewrite.ts";
import type { Watchdog } from "./watchdog.ts";

/** A function of the guest's; takes and gives numbers. */
type GuestFunction = (...args: readonly WasmValue[]) => WasmResult;

interface Entry {
  readonly name: string;
  readonly fn: GuestFunction;
  readonly signature: Signature;
}

/** What an instance is made of. */
export interface InstanceParts {
  /** The module, with the limits of the instance. */
  readonly module: CompiledModule;
  /** What the host grants it to import. */
  readonly imports: HostImports;
  /** Keeps the deadlines. */
  readonly watchdog: Watchdog;
  /** Called once, when the instance lets go of its memory. */
  readonly release: (instance: Instance) => void;
}

/** The engine's side of an instance, until it is let go. */
interface Live {
  readonly functions: ReadonlyMap<string, Entry>;
  readonly memory: WebAssembly.Memory | undefined;
  readonly memories: readonly WebAssembly.Memory[];
  readonly tables: readonly WebAssembly.Table[];
  readonly fuel: WebAssembly.Global | undefined;
  /** Whether the fuel is exact although the guest has trapped. */
  readonly settled: WebAssembly.Global | undefined;
}

/** A running module on V8. */
export class V8Instance implements Instance {
  readonly exports: readonly ModuleExport[];
  readonly #limits: ResolvedLimits;
  readonly #watchdog: Watchdog;
  readonly #failures: Failures;
  readonly #release: (instance: Instance) => void;
  #live: Live | undefined;
  #failure: SandboxError | undefined;
  #running = false;
  #lastUsage: InstanceUsage = { memoryBytes: 0, tableElements: 0, fuel: 0 };
  /** Fuel that was put in, all in all. */
  #fuelGiven = 0;

  /**
   * Links a module and runs its start function.
   *
   * @param parts What the instance is made of.
   * @throws {SandboxError} If an import is not granted or the start function
   * does not return.
   */
  constructor(parts: InstanceParts) {
    const { module, watchdog } = parts;
    const { limits } = module;
    this.exports = module.exports;
    this.#limits = limits;
    this.#watchdog = watchdog;
    this.#failures = new Failures(limits);
    this.#release = parts.release;
    const { live, start } = this.#link(parts);
    this.#live = live;
    if (live.fuel !== undefined) this.setFuel(limits.fuel ?? 0);
    if (start !== undefined) {
      this.#guard("start", limits.timeoutMs, () => start());
    }
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#failure;
  }

  // deno-lint-ignore require-await -- the interface is asynchronous
  async call(
    name: string,
    args: readonly WasmValue[],
    options: CallOptions = {},
  ): Promise<WasmResult> {
    return this.callSync(name, args, options);
  }

  callSync(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): WasmResult {
    options?.signal?.throwIfAborted();
    const { functions, fuel } = this.#ready(name);
    const entry = functions.get(name) ?? this.#missing(name, functions);
    checkArguments(name, entry.signature, args);
    // the same as #guard, without a closure: this is the fast path
    this.#begin(options?.timeoutMs);
    let result: WasmResult;
    try {
      result = invoke(entry.fn, args);
    } catch (error) {
      throw this.#failed(name, error);
    }
    this.#end(name, fuel);
    return result;
  }

  // deno-lint-ignore require-await -- the interface is asynchronous
  async exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Promise<Reply<T>> {
    return this.exchangeSync(name, request, options);
  }

  exchangeSync<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Reply<T> {
    options.signal?.throwIfAborted();
    const live = this.#ready(name);
    const guest = this.#messageGuest(name, live, options.abi);
    const { messageBytes } = this.#limits;
    return this.#guard(
      name,
      options.timeoutMs,
      () => exchangeMessage(guest, request, messageBytes),
    ) as Reply<T>;
  }

  usage(): InstanceUsage {
    const live = this.#live;
    if (live === undefined) return this.#lastUsage;
    const { memories, tables, fuel } = live;
    return {
      memoryBytes: memories.reduce(
        (sum, { buffer }) => sum + buffer.byteLength,
        0,
      ),
      tableElements: tables.reduce(
        (sum, { length }) => sum + Number(length),
        0,
      ),
      fuel: fuel === undefined
        ? undefined
        : this.#fuelGiven - Number(fuel.value),
    };
  }

  setFuel(fuel: number): void {
    const tank = this.#live?.fuel;
    if (tank === undefined) {
      throw new TypeError(
        "Cannot set the fuel: the instance is gone, or has no limit of fuel",
      );
    }
    this.#fuelGiven += fuel - Math.max(0, Number(tank.value));
    tank.value = BigInt(fuel);
  }

  /** Lets the instance go. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#failure ??= new SandboxError(
      "disposed",
      "Cannot use the instance: it is disposed",
      { details: { kind: "instance" } },
    );
    this.#letGo();
    return Promise.resolve();
  }

  #link({ module, imports, watchdog }: InstanceParts): {
    live: Live;
    start: (() => void) | undefined;
  } {
    const { code, limits } = module;
    const memories = memoryImports(code, limits.memoryBytes, watchdog.memory);
    const all = hostImports(
      module.imports,
      imports,
      (cause: unknown, name: ImportName) =>
        this.#failures.hostFunction(cause, name),
    );
    Object.defineProperty(all, MEMORY_MODULE, { value: memories });
    const { exports } = new WebAssembly.Instance(
      code.compiled,
      Object.freeze(all) as WebAssembly.Imports,
    );
    const functions = new Map<string, Entry>();
    for (const { name, kind, signature } of module.exports) {
      if (kind !== "function" || signature === undefined) continue;
      functions.set(name, {
        name,
        fn: exports[name] as GuestFunction,
        signature,
      });
    }
    const {
      [MEMORY_EXPORT]: memory,
      [FUEL_EXPORT]: fuel,
      [SETTLED_EXPORT]: settled,
    } = exports;
    const live: Live = {
      functions,
      memory: memory instanceof WebAssembly.Memory ? memory : undefined,
      memories: Object.values(memories).filter((each) =>
        each !== watchdog.memory
      ),
      tables: Object.entries(exports).filter(([name]) =>
        name.startsWith(TABLE_EXPORT)
      ).map(([, table]) => table as WebAssembly.Table),
      fuel: fuel instanceof WebAssembly.Global ? fuel : undefined,
      settled: settled instanceof WebAssembly.Global ? settled : undefined,
    };
    const start = exports[START_EXPORT] as (() => void) | undefined;
    return { live, start };
  }

  #ready(name: string): Live {
    if (this.#running) throw this.#failures.busy(name);
    const live = this.#live;
    if (live === undefined) throw this.#failures.dead(name, this.#failure);
    return live;
  }

  #begin(timeoutMs: number | undefined): void {
    const allowed = this.#limits.timeoutMs;
    this.#watchdog.arm(
      timeoutMs === undefined ? allowed : shorter(timeoutMs, allowed),
    );
    this.#running = true;
  }

  #end(name: string, fuel: WebAssembly.Global | undefined): void {
    this.#running = false;
    const late = this.#watchdog.disarm();
    if (late || (fuel !== undefined && fuel.value < 0n)) {
      throw this.#die(this.#failures.overLimit(name, late));
    }
  }

  #failed(name: string, error: unknown): SandboxError {
    this.#running = false;
    const late = this.#watchdog.disarm();
    const live = this.#live;
    if (late || (live?.fuel !== undefined && live.fuel.value < 0n)) {
      if (late) this.#forfeit(live);
      return this.#die(this.#failures.overLimit(name, late, error));
    }
    if (this.#failures.isInexact(error) && live?.settled?.value !== 1) {
      this.#forfeit(live);
    }
    return this.#die(
      this.#watchdog.outerLate
        ? this.#failures.outerLate(name, error)
        : this.#failures.of(name, error),
    );
  }

  /**
   * Takes all that is left of the fuel: a guest that was cut short has used
   * more than it has noted, and could trap on purpose to hide it.
   */
  #forfeit(live: Live | undefined): void {
    if (live?.fuel !== undefined) live.fuel.value = 0n;
  }

  /** Runs a part of the guest under its deadline. */
  #guard<T>(name: string, timeoutMs: number | undefined, run: () => T): T {
    const fuel = this.#live?.fuel;
    this.#begin(timeoutMs);
    let result: T;
    try {
      result = run();
    } catch (error) {
      throw this.#failed(name, error);
    }
    this.#end(name, fuel);
    return result;
  }

  #die(failure: SandboxError): SandboxError {
    this.#failure ??= failure;
    this.#letGo();
    return failure;
  }

  #letGo(): void {
    if (this.#live === undefined) return;
    this.#lastUsage = this.usage();
    this.#live = undefined;
    this.#release(this);
  }

  #messageGuest(name: string, live: Live, abi: GuestAbi = {}) {
    const { functions, memory } = live;
    const entry = functions.get(name) ?? this.#missing(name, functions);
    const allocName = abi.alloc ?? ALLOC_EXPORT;
    const alloc = functions.get(allocName);
    const free = functions.get(abi.free ?? FREE_EXPORT);
    if (memory === undefined) {
      throw broken(entry, `it exports no memory as "${MEMORY_EXPORT}"`);
    }
    if (alloc === undefined) {
      throw broken(entry, `it exports no function ${quote(allocName)}`);
    }
    if (!isMessageHandler(entry.signature)) {
      throw broken(entry, `${quote(name)} is not of type (i32, i32) -> i64`);
    }
    return {
      name,
      memory,
      alloc: alloc.fn as (size: number) => number,
      free: free?.fn as ((pointer: number, size: number) => void) | undefined,
      handle: entry.fn as (pointer: number, length: number) => bigint,
    };
  }

  #missing(name: string, functions: ReadonlyMap<string, Entry>): never {
    const suggestion = nearest(name, functions.keys());
    const other = this.exports.find((each) => each.name === name);
    const reason = other === undefined
      ? "the module exports no such function"
      : `it is a ${other.kind}, not a function`;
    const known = functions.size === 0
      ? "it exports none"
      : suggestion === undefined
      ? `it exports ${[...functions.keys()].slice(0, 8).map(quote).join(", ")}`
      : `did you mean ${quote(suggestion)}?`;
    throw new SandboxError(
      "export-not-found",
      `Cannot call ${quote(name)}: ${reason} (${printable(known)})`,
      {
        details: { name, ...(suggestion === undefined ? {} : { suggestion }) },
      },
    );
  }
}

/** Calls a function; without a spread for the few arguments that are usual. */
function invoke(fn: GuestFunction, args: readonly WasmValue[]): WasmResult {
  switch (args.length) {
    case 0:
      return fn();
    case 1:
      return fn(args[0] as WasmValue);
    case 2:
      return fn(args[0] as WasmValue, args[1] as WasmValue);
    default:
      return fn(...args);
  }
}

function shorter(timeoutMs: number, allowed: number): number {
  if (!(timeoutMs > 0)) {
    throw new TypeError(
      `Cannot call with a timeoutMs of ${timeoutMs}: must be above 0`,
    );
  }
  return Math.min(timeoutMs, allowed);
}

/**
 * A running module.
 *
 * @module
 */

import type { SandboxError } from "@wasm-sandbox/core";
import type {
  CallOptions,
  ExchangeOptions,
  GuestAbi,
  Instance,
  InstanceUsage,
  ModuleExport,
  Reply,
  ResolvedLimits,
  Signature,
  WasmResult,
  WasmValue,
} from "@wasm-sandbox/core/runtime";
import {
  cancelled,
  dead,
  disposed,
  failureOf,
  type LimitReached,
} from "./errors.ts";
import {
  checkArguments,
  exportNotFound,
  instanceBusy,
  shorterTimeout,
} from "@wasm-sandbox/core/runtime-authors";
import {
  type InstanceOptions,
  type InstanceParts,
  makeParts,
  STACK_BYTES,
} from "./instance_parts.ts";
import type { Work } from "./machine.ts";
import { exchange, messageFunctions, type MessageGuest } from "./messages.ts";
import { signatureOf } from "./types.ts";
import { Wait } from "./wait.ts";

/** A running module. */
export class InterpretedInstance implements Instance {
  readonly exports: readonly ModuleExport[];
  readonly #limits: ResolvedLimits;
  readonly #functions: ReadonlyMap<string, Exported>;
  readonly #release: (instance: Instance) => void;
  #parts: InstanceParts | undefined;
  #failure: SandboxError | undefined;
  #isRunning = false;
  /** What the guest waits for. */
  #wait: Wait | undefined;
  #lastUsage: InstanceUsage = {
    memoryBytes: 0,
    tableElements: 0,
    fuel: 0,
    hostCalls: 0,
  };

  /**
   * Makes it. Nothing of the guest's runs.
   *
   * @param options What it is made from.
   * @param release Called once, when it lets go of its memory.
   * @throws {SandboxError} If an import is not granted.
   */
  constructor(
    options: Omit<InstanceOptions, "requireAlive">,
    release: (instance: Instance) => void,
  ) {
    const { module, limits } = options;
    this.exports = module.exports;
    this.#limits = limits;
    this.#release = release;
    this.#functions = exportedFunctions(module);
    const requireAlive = () => {
      if (this.#parts === undefined) throw disposed("instance");
    };
    this.#parts = makeParts({ ...options, requireAlive });
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#failure;
  }

  /**
   * Puts segments in their places, and runs the start function.
   *
   * @param start The start function, if there is one.
   * @param signal Cancels it while it waits.
   */
  async start(
    start: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { initialize, machine } = this.#ready("start");
    function* work(): Work<void> {
      initialize();
      if (start !== undefined) yield* machine.call(start, []);
    }
    await this.#runAsync(
      "start",
      work(),
      signal === undefined ? {} : { signal },
    );
  }

  async call(
    name: string,
    args: readonly WasmValue[],
    options: CallOptions = {},
  ): Promise<WasmResult> {
    return await this.#runAsync(name, this.#callWork(name, args), options);
  }

  callSync(
    name: string,
    args: readonly WasmValue[],
    options: CallOptions = {},
  ): WasmResult {
    return this.#runSync(name, this.#callWork(name, args), options);
  }

  async exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Promise<Reply<T>> {
    const work = this.#exchangeWork(name, request, options.abi);
    return await this.#runAsync(name, work, options) as Reply<T>;
  }

  exchangeSync<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Reply<T> {
    const work = this.#exchangeWork(name, request, options.abi);
    return this.#runSync(name, work, options) as Reply<T>;
  }

  usage(): InstanceUsage {
    if (this.#parts === undefined) return this.#lastUsage;
    const { store: { memory, tables }, meter, host } = this.#parts;
    return {
      memoryBytes: memory.length,
      tableElements: tables.reduce((sum, { length }) => sum + length, 0),
      fuel: meter.used,
      hostCalls: host.calls,
    };
  }

  setFuel(fuel: number): void {
    if (this.#parts !== undefined) return this.#parts.meter.set(fuel);
    throw new TypeError("Cannot set the fuel: the instance is gone");
  }

  /** Lets the instance go. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#failure ??= disposed("instance");
    this.#letGo();
    this.#wait?.end(disposed("instance"));
    return Promise.resolve();
  }

  #ready(name: string): InstanceParts {
    if (this.#isRunning) throw instanceBusy(name);
    if (this.#parts !== undefined) return this.#parts;
    throw dead(name, this.#failure ?? disposed("instance"));
  }

  /** A call of an export, checked but not begun. */
  #callWork(name: string, args: readonly WasmValue[]): Work<WasmResult> {
    const { machine } = this.#ready(name);
    const exported = this.#functions.get(name);
    if (exported === undefined) throw exportNotFound(name, this.exports);
    checkArguments(name, exported.signature, args);
    function* work(callee: number): Work<WasmResult> {
      const results = yield* machine.call(callee, args);
      return results.length > 1 ? results : results[0];
    }
    return work(exported.index);
  }

  /** A message, checked but not begun. */
  #exchangeWork(
    name: string,
    request: string | Uint8Array,
    abi: GuestAbi = {},
  ): Work<string | Uint8Array<ArrayBuffer>> {
    const { machine, store: { memory } } = this.#ready(name);
    if (!this.#functions.has(name)) throw exportNotFound(name, this.exports);
    const guest: MessageGuest = {
      name,
      exports: this.exports,
      abi,
      memory: () => memory.bytes.subarray(0, memory.length),
      call: (each, args) =>
        machine.call(this.#functions.get(each)?.index ?? -1, args),
    };
    const functions = messageFunctions(guest);
    return exchange(guest, functions, request, this.#limits.messageBytes);
  }

  #begin(
    name: string,
    { timeoutMs, signal }: CallOptions,
    canWait: boolean,
  ): number {
    signal?.throwIfAborted();
    const { meter, host } = this.#ready(name);
    const allowed = timeoutMs === undefined
      ? this.#limits.timeoutMs
      : shorterTimeout(timeoutMs, this.#limits.timeoutMs);
    this.#isRunning = true;
    host.canWait = canWait;
    meter.begin(allowed);
    return allowed;
  }

  #runSync<T>(name: string, work: Work<T>, options: CallOptions): T {
    const timeoutMs = this.#begin(name, options, false);
    try {
      const step = work.next();
      if (step.done) return step.value;
      throw new TypeError("the guest waits in a call that cannot");
    } catch (error) {
      throw this.#end(name, timeoutMs, error);
    } finally {
      this.#isRunning = false;
    }
  }

  async #runAsync<T>(
    name: string,
    work: Work<T>,
    options: CallOptions,
  ): Promise<T> {
    const timeoutMs = this.#begin(name, options, true);
    const { signal } = options;
    try {
      let step = work.next();
      while (!step.done) {
        const remainingMs = this.#parts?.meter.remainingMs ?? 0;
        using wait = this.#wait = new Wait({ remainingMs, signal });
        const answer = await wait.for(step.value);
        this.#wait = undefined;
        step = "cause" in answer
          ? work.throw(answer.cause)
          : work.next(answer.value);
      }
      return step.value;
    } catch (error) {
      if (this.#wait?.wasAborted) this.#failure ??= cancelled(name);
      const failure = this.#end(name, timeoutMs, error);
      throw this.#wait?.wasAborted ? error : failure;
    } finally {
      this.#wait = undefined;
      this.#isRunning = false;
    }
  }

  /** Why a call did not end well; the instance is dead from here on. */
  #end(name: string, timeoutMs: number, error: unknown): SandboxError {
    const failure = failureOf(name, error, (limit) => {
      const allowed = this.#allowed(limit, timeoutMs);
      const which = limit === "stack" && this.#limits.stackBytes !== undefined
        ? "stackBytes"
        : limit;
      const suggestion = limit === "stack"
        ? "raise stackBytes, or let the guest recurse less deep"
        : `raise ${limit}, or look for an endless loop in the guest`;
      return { limit: which, allowed, suggestion };
    });
    this.#failure ??= failure;
    this.#letGo();
    return failure;
  }

  #allowed(limit: LimitReached["limit"], timeoutMs: number): number {
    const { fuel = 0, hostCalls = 0, stackBytes = STACK_BYTES } = this.#limits;
    return { fuel, hostCalls, timeoutMs, stack: stackBytes }[limit];
  }

  #letGo(): void {
    if (this.#parts === undefined) return;
    this.#lastUsage = this.usage();
    this.#parts.machine.free();
    this.#parts = undefined;
    this.#release(this);
  }
}

/** A function that the host can call. */
interface Exported {
  readonly index: number;
  readonly signature: Signature;
}

function exportedFunctions(
  { parts: { exports, functions } }: InstanceOptions["module"],
): ReadonlyMap<string, Exported> {
  const found = new Map<string, Exported>();
  for (const { name, kind, index } of exports) {
    const type = kind === "function" ? functions[index] : undefined;
    if (type === undefined) continue;
    found.set(name, { index, signature: signatureOf(type) });
  }
  return found;
}

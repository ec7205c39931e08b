/**
 * A running module on Wasmtime.
 *
 * @module
 */

import {
  exchangeMessage,
  type MessageGuest,
} from "../../communication/guest_abi.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { callTimeout, instanceBusy, noFuel } from "../calls.ts";
import { instanceDisposed } from "../disposed.ts";
import type {
  CallOptions,
  ExchangeOptions,
  GuestAbi,
  GuestAccess,
  Instance,
  InstanceUsage,
  ModuleExport,
  Reply,
  WasmResult,
  WasmValue,
} from "../types.ts";
import { checkArguments } from "../v8/arguments.ts";
import { Failures } from "../v8/failures.ts";
import { exportNotFound, messageGuest } from "../v8/live.ts";
import { STACK_BYTES } from "./engine.ts";
import type { Caller } from "./host_call.ts";
import { type Entry, type Live, RawValues } from "./live.ts";
import type { Handle } from "./store.ts";
import type { Deadline, Ticker } from "./ticker.ts";
import { GuestStop, TRAP } from "./traps.ts";

/** What an instance is made of. */
export interface InstanceParts {
  /** What the module exports. */
  readonly exports: readonly ModuleExport[];
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** Keeps the deadlines, if there are any. */
  readonly ticker: Ticker | undefined;
  /** Called once, when the instance has let go of all it had. */
  readonly release: (instance: Instance) => void;
}

/** What a host function has thrown. */
interface Thrown {
  readonly cause: unknown;
  readonly name: ImportName;
  readonly own: boolean;
}

/** The functions of the last message, and the ABI that named them. */
interface LastMessage {
  readonly guest: MessageGuest;
  readonly abi: GuestAbi | undefined;
}

/** What a millisecond of sleep takes, if fuel is the only limit of time. */
const SLEEP_FUEL_PER_MS = 100_000;

/** A running module on Wasmtime. */
export class WasmtimeInstance implements Instance {
  readonly exports: readonly ModuleExport[];
  readonly #limits: ResolvedLimits;
  readonly #ticker: Ticker | undefined;
  readonly #failures: Failures;
  readonly #release: (instance: Instance) => void;
  readonly #raw = new RawValues();
  #live: Live | undefined;
  #failure: SandboxError | undefined;
  #isRunning = false;
  /** Of the call that runs. */
  #deadline: Deadline | undefined;
  #thrown: Thrown | undefined;
  /** Whether the host has taken more fuel than there was. */
  #isEmpty = false;
  #last: Entry | undefined;
  #lastMessage: LastMessage | undefined;
  #lastUsage: InstanceUsage = {
    memoryBytes: 0,
    tableElements: 0,
    fuel: 0,
    hostCalls: 0,
  };
  #hostCalls = 0;
  /** Fuel that was put in, all in all. */
  #fuelGiven = 0;

  /**
   * Constructs it, with nothing to run yet.
   *
   * @param parts What it is made of.
   */
  constructor({ exports, limits, ticker, release }: InstanceParts) {
    this.exports = exports;
    this.#limits = limits;
    this.#ticker = ticker;
    this.#release = release;
    this.#failures = new Failures(limits, () => {
      throw new TypeError("Cannot go on: a host function has failed");
    });
  }

  /** The guest, as the host's functions see who calls them. */
  get caller(): Caller {
    return {
      mayCall: (name) => this.#mayCallHost(name),
      failed: (cause, name, own) => {
        this.#thrown ??= { cause, name, own };
      },
    };
  }

  /**
   * What host modules see of one of the modules.
   *
   * @param unit Its place.
   * @returns Its memory, its time and its fuel.
   */
  access(unit: number): GuestAccess {
    return {
      memory: () => this.#live?.memoryOf(unit)?.bytes ?? new Uint8Array(),
      sleep: (ms) => this.#sleep(ms),
      charge: (units) => this.#charge(units),
    };
  }

  /**
   * Runs the start functions.
   *
   * @param live The engine's side, just linked.
   * @throws {SandboxError} If one of them does not return.
   */
  start(live: Live): void {
    this.#live = live;
    if (this.#limits.fuel !== undefined) this.setFuel(this.#limits.fuel);
    const { starts } = live;
    if (starts.length === 0) return;
    // under one deadline, all of them
    this.#run("start", this.#limits.timeoutMs, () => {
      for (const start of starts) this.#enter(live, start, 0);
    });
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#failure;
  }

  // deno-lint-ignore require-await -- what it throws must reject
  async call(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): Promise<WasmResult> {
    return this.callSync(name, args, options);
  }

  callSync(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): WasmResult {
    options?.signal?.throwIfAborted();
    const live = this.#ready(name);
    const entry = this.#entry(live, name);
    checkArguments(name, entry, args);
    const timeoutMs = this.#timeout(options?.timeoutMs);
    return this.#run(name, timeoutMs, () => this.#invoke(live, entry, args));
  }

  // deno-lint-ignore require-await -- what it throws must reject
  async exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options?: ExchangeOptions,
  ): Promise<Reply<T>> {
    return this.exchangeSync(name, request, options);
  }

  exchangeSync<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Reply<T> {
    options.signal?.throwIfAborted();
    const guest = this.#message(name, options.abi);
    const { messageBytes } = this.#limits;
    return this.#run(
      name,
      this.#timeout(options.timeoutMs),
      () => exchangeMessage(guest, request, messageBytes),
    ) as Reply<T>;
  }

  usage(): InstanceUsage {
    return this.#live === undefined
      ? this.#lastUsage
      : this.#usageOf(this.#live);
  }

  setFuel(fuel: number): void {
    const live = this.#live;
    if (live === undefined || this.#limits.fuel === undefined) {
      throw noFuel();
    }
    this.#fuelGiven += fuel - Number(live.store.fuel);
    live.store.fuel = BigInt(fuel);
  }

  /** Lets the instance go; at once, or when the call that runs is over. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#failure ??= instanceDisposed();
    if (!this.#isRunning) this.#letGo();
    return Promise.resolve();
  }

  #ready(name: string): Live {
    if (this.#isRunning) throw instanceBusy(name);
    const live = this.#live;
    if (live !== undefined && this.#failure === undefined) return live;
    throw this.#failures.dead(name, this.#failure);
  }

  /** Most calls are of the function that was called last. */
  #entry(live: Live, name: string): Entry {
    if (this.#last?.name === name) return this.#last;
    const entry = live.entry(name);
    if (entry === undefined) throw exportNotFound(name, this.exports);
    return this.#last = entry;
  }

  /** The functions that a message goes through. */
  #message(name: string, abi: GuestAbi | undefined): MessageGuest {
    const live = this.#ready(name);
    const last = this.#lastMessage;
    if (last?.guest.name === name && last.abi === abi) return last.guest;
    const get = (name: string) => {
      const entry = live.entry(name);
      return entry && {
        name,
        signature: entry,
        fn: (...args: readonly WasmValue[]) => this.#invoke(live, entry, args),
      };
    };
    const entry = get(name);
    if (entry === undefined) throw exportNotFound(name, this.exports);
    const parts = { functions: { get }, memory: live.memory };
    const guest = messageGuest(entry, parts, abi);
    this.#lastMessage = { guest, abi };
    return guest;
  }

  #timeout(timeoutMs: number | undefined): number {
    return callTimeout(timeoutMs, this.#limits.timeoutMs);
  }

  /** Calls a function with numbers. */
  #invoke(
    live: Live,
    { func, params, results, slots }: Entry,
    args: readonly WasmValue[],
  ): WasmResult {
    const raw = this.#raw;
    raw.room(slots);
    for (let index = 0; index < params.length; index++) {
      raw.set(params[index], index, args[index] ?? 0);
    }
    this.#enter(live, func, slots);
    if (results.length === 0) return undefined;
    if (results.length === 1) return raw.get(results[0], 0);
    return results.map((type, index) => raw.get(type, index));
  }

  #enter(live: Live, func: Handle, slots: number): void {
    live.store.call(func, this.#raw.room(slots), BigInt(slots));
    live.touch();
  }

  /** Runs a part of the guest under its deadline, and sees how it ends. */
  #run<R>(name: string, timeoutMs: number, part: () => R): R {
    const live = this.#live;
    const ticker = this.#ticker;
    const deadline = ticker?.arm(timeoutMs);
    const around = ticker?.enter(deadline?.tick);
    this.#deadline = deadline;
    this.#isRunning = true;
    let returned = false;
    let result: R | undefined;
    let error: unknown;
    try {
      if (deadline !== undefined) live?.store.deadline(deadline.ticksLeft);
      result = part();
      returned = true;
    } catch (thrown) {
      error = thrown;
    }
    this.#isRunning = false;
    let isLate = false;
    if (ticker !== undefined && deadline !== undefined) {
      ticker.enter(around);
      ticker.end();
      isLate = ticker.isPast(deadline.tick);
    }
    this.#lookAtFuel();
    if (returned && !isLate && this.#thrown === undefined && !this.#isEmpty) {
      // a host function may have let the instance go
      if (this.#failure !== undefined) this.#letGo();
      return result as R;
    }
    throw this.#end(name, { error, isLate, deadline, timeoutMs });
  }

  /** Why a call did not end well. */
  #end(name: string, { error, isLate, deadline, timeoutMs }: BadEnd): unknown {
    const failures = this.#failures;
    const stop = error instanceof GuestStop ? error : undefined;
    const cause = stop === undefined ? error : stop.error;
    this.#noteThrown();
    const late = isLate || stop?.code === TRAP.INTERRUPT;
    const isEmpty = this.#isEmpty || stop?.code === TRAP.OUT_OF_FUEL;
    const isCut = stop?.code !== TRAP.UNREACHABLE && failures.isInexact(cause);
    if (this.#limits.fuel !== undefined && (late || isEmpty || isCut)) {
      this.#forfeit();
    }
    const failure = late && deadline?.isOuter
      ? failures.outerLate(name, cause)
      : late || isEmpty
      ? failures.overLimit(name, late ? timeoutMs : undefined, cause)
      : stop?.code === TRAP.STACK_OVERFLOW
      ? stackExhausted(name, cause)
      : failures.of(name, cause);
    this.#failure ??= failure;
    this.#letGo();
    return failure;
  }

  #noteThrown(): void {
    if (this.#thrown === undefined) return;
    const { cause, name, own } = this.#thrown;
    try {
      this.#failures.hostFunction(cause, name, own);
    } catch {
      // the guest has trapped already
    }
  }

  /** Whether neither deadline nor fuel has ended the call that runs. */
  #mayGoOn(): boolean {
    const deadline = this.#deadline;
    return !this.#isEmpty && this.#thrown === undefined &&
      (deadline === undefined || this.#ticker?.isPast(deadline.tick) !== true);
  }

  /** Counts a call of a host function, and tells whether it may be made. */
  #mayCallHost(name: ImportName): boolean {
    const { hostCalls } = this.#limits;
    if (hostCalls !== undefined && this.#hostCalls >= hostCalls) {
      this.#failures.tooManyHostCalls(hostCalls, name);
      return false;
    }
    this.#hostCalls++;
    this.#lookAtFuel();
    return this.#mayGoOn();
  }

  /** Between two looks of its own the guest may have used more than it had. */
  #lookAtFuel(): void {
    if (this.#limits.fuel === undefined) return;
    const store = this.#live?.store;
    if (store !== undefined && store.fuel < 0n) this.#isEmpty = true;
  }

  #sleep(ms: number): void {
    const tick = this.#deadline?.tick;
    // with fuel alone, fuel must bound the time too
    if (tick === undefined) this.#charge(Math.ceil(ms * SLEEP_FUEL_PER_MS));
    if (!this.#mayGoOn()) return;
    if (this.#ticker !== undefined) this.#ticker.sleep(ms, tick);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  #charge(units: number): void {
    const store = this.#live?.store;
    if (store === undefined || this.#limits.fuel === undefined) return;
    const left = store.fuel - BigInt(Math.min(units, Number.MAX_SAFE_INTEGER));
    if (left < 0n) this.#isEmpty = true;
    store.fuel = left < 0n ? 0n : left;
  }

  /**
   * Takes all that is left of the fuel: a guest that was cut short has used
   * more than it has noted, and could trap on purpose to hide it.
   */
  #forfeit(): void {
    const store = this.#live?.store;
    if (store !== undefined) store.fuel = 0n;
  }

  #usageOf(live: Live): InstanceUsage {
    return {
      ...live.sizes(),
      fuel: this.#limits.fuel === undefined
        ? undefined
        : this.#fuelGiven - Number(live.store.fuel),
      hostCalls: this.#hostCalls,
    };
  }

  #letGo(): void {
    const live = this.#live;
    if (live === undefined) return;
    live.store.drain();
    this.#lastUsage = this.#usageOf(live);
    this.#live = undefined;
    this.#last = undefined;
    this.#lastMessage = undefined;
    live[Symbol.dispose]();
    this.#release(this);
  }
}

/** How a call ended that did not end well. */
interface BadEnd {
  readonly error: unknown;
  readonly isLate: boolean;
  readonly deadline: Deadline | undefined;
  readonly timeoutMs: number;
}

/** The error of a guest that has used up the stack of its call. */
function stackExhausted(
  name: string,
  cause: unknown,
): SandboxError<"limit-exceeded"> {
  const suggestion = "let the guest recurse less deep";
  return new SandboxError(
    "limit-exceeded",
    `Cannot complete ${
      JSON.stringify(name)
    }: the stack of ${STACK_BYTES} bytes is exhausted (${suggestion})`,
    {
      cause,
      details: { limit: "stack", allowed: STACK_BYTES, suggestion },
    },
  );
}

/**
 * A running module on V8, in the thread of its caller.
 *
 * @module
 */

import { exchangeMessage } from "../../communication/guest_abi.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { callTimeout, instanceBusy, noFuel } from "../calls.ts";
import { instanceDisposed } from "../disposed.ts";
import type {
  CallOptions,
  ExchangeOptions,
  GuestAbi,
  Instance,
  InstanceUsage,
  ModuleExport,
  Reply,
  WasmResult,
  WasmValue,
} from "../types.ts";
import { guestAccess } from "./access.ts";
import { checkArguments } from "./arguments.ts";
import { Failures } from "./failures.ts";
import type { Entry } from "./functions.ts";
import { mayWait } from "./link.ts";
import {
  type BadEnd,
  type InstanceParts,
  invoke,
  type LastMessage,
  type WaitingCall,
} from "./instance_parts.ts";
import {
  exportNotFound,
  forfeit,
  link,
  type Live,
  messageGuest,
  sizeOf,
} from "./live.ts";
import type { Ended } from "./pending.ts";
import { Suspender } from "./suspend.ts";
import { ACKS, FLAG, SLOTS, type Watchdog } from "./watchdog.ts";

/** A running module on V8. */
export class V8Instance implements Instance {
  readonly exports: readonly ModuleExport[];
  readonly #limits: ResolvedLimits;
  readonly #watchdog: Watchdog;
  readonly #failures: Failures;
  /** Lets the guest wait, if it imports a function that may. */
  readonly #suspender: Suspender | undefined;
  readonly #release: (instance: Instance) => void;
  #live: Live | undefined;
  /** What is to be let go, if the stack was too short to do so at once. */
  #dying: Live | undefined;
  #failure: SandboxError | undefined;
  #running = false;
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
   * Links a module and runs its start function.
   *
   * @param parts What the instance is made of.
   * @throws {SandboxError} If an import is not granted or the start function
   * does not return.
   */
  constructor(parts: InstanceParts) {
    const { module, watchdog, trap, units, hostModules, bridges } = parts;
    const { limits } = module;
    this.exports = module.exports;
    this.#limits = limits;
    this.#watchdog = watchdog;
    this.#failures = new Failures(limits, parts.trap);
    this.#release = parts.release;
    const failed = (cause: unknown, name: ImportName, own: boolean) =>
      this.#failures.hostFunction(cause, name, own);
    const needed = units.flatMap((unit) => unit.module.imports);
    this.#suspender = mayWait(needed, hostModules)
      ? new Suspender({ bridges, watchdog, failed, trap })
      : undefined;
    const live = link(units, {
      imports: parts.imports,
      hostModules,
      bridges,
      memoryBytes: limits.memoryBytes,
      access: (unit) =>
        guestAccess({
          unit,
          live: () => this.#live,
          mayGoOn: () => this.#mayGoOn(),
          flag: watchdog.words,
          hasDeadline: limits.timeoutMs !== Infinity,
        }),
      flag: watchdog.memory,
      failed,
      mayCall: (name) => this.#mayCallHost(name),
      trap,
      suspender: this.#suspender,
    });
    const { starts } = live;
    this.#live = live;
    if (live.fuel !== undefined) this.setFuel(limits.fuel ?? 0);
    if (starts.length === 0) return;
    // under one deadline, all of them
    this.#run("start", limits.timeoutMs, () => {
      for (const start of starts) start();
    }, NO_ARGUMENTS);
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#failure;
  }

  async call(
    name: string,
    args: readonly WasmValue[],
    options: CallOptions = {},
  ): Promise<WasmResult> {
    const suspender = this.#suspender;
    if (suspender === undefined) return this.callSync(name, args, options);
    const { signal } = options;
    signal?.throwIfAborted();
    const entry = this.#ready(name).functions.get(name);
    if (entry === undefined) throw exportNotFound(name, this.exports);
    checkArguments(name, entry.signature, args);
    const timeoutMs = this.#timeout(options.timeoutMs);
    const run = suspender.promising(entry);
    return await this.#wait(
      suspender,
      { name, timeoutMs, signal },
      () => run(...args),
    );
  }

  callSync(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): WasmResult {
    options?.signal?.throwIfAborted();
    const { functions } = this.#ready(name);
    // most calls are of the function that was called last
    let entry = this.#last;
    if (entry?.name !== name) {
      entry = this.#last = functions.get(name);
      if (entry === undefined) throw exportNotFound(name, this.exports);
    }
    checkArguments(name, entry.signature, args);
    const timeoutMs = this.#timeout(options?.timeoutMs);
    return this.#run(name, timeoutMs, entry.fn, args);
  }

  async exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Promise<Reply<T>> {
    const suspender = this.#suspender;
    if (suspender === undefined) {
      return this.exchangeSync(name, request, options);
    }
    const { signal } = options;
    signal?.throwIfAborted();
    const message = this.#message(name, options.abi);
    const timeoutMs = this.#timeout(options.timeoutMs);
    const { messageBytes } = this.#limits;
    const exchange = message.exchange ??= suspender.exchanging(message.guest);
    return await this.#wait(
      suspender,
      { name, timeoutMs, signal },
      () => exchange(request, messageBytes),
    ) as Reply<T>;
  }

  exchangeSync<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Reply<T> {
    options.signal?.throwIfAborted();
    const { guest } = this.#message(name, options.abi);
    const { messageBytes } = this.#limits;
    return this.#run(
      name,
      this.#timeout(options.timeoutMs),
      () => exchangeMessage(guest, request, messageBytes),
      NO_ARGUMENTS,
    ) as Reply<T>;
  }

  usage(): InstanceUsage {
    if (this.#live !== undefined) return this.#usageOf(this.#live);
    this.#bury();
    return this.#lastUsage;
  }

  #usageOf(live: Live): InstanceUsage {
    const { fuel } = live;
    return {
      ...sizeOf(live),
      fuel: fuel === undefined
        ? undefined
        : this.#fuelGiven - Number(fuel.value),
      hostCalls: this.#hostCalls,
    };
  }

  setFuel(fuel: number): void {
    const tank = this.#live?.fuel;
    if (tank === undefined) {
      throw noFuel();
    }
    this.#fuelGiven += fuel - Math.max(0, Number(tank.value));
    tank.value = BigInt(fuel);
  }

  /** Lets the instance go. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#bury();
    this.#failure ??= instanceDisposed();
    // a guest that waits is ended first
    const over = this.#suspender?.end(
      (name) => this.#failures.disposed(name),
    );
    this.#letGo(this.#live);
    return over ?? Promise.resolve();
  }

  /** Whether neither deadline nor fuel has ended the call that runs. */
  #mayGoOn(): boolean {
    const fuel = this.#live?.fuel;
    return Atomics.load(this.#watchdog.words, FLAG) === 1 &&
      (fuel === undefined || fuel.value >= 0n);
  }

  /** Counts a call of a host function, and tells whether it may be made. */
  #mayCallHost(name: ImportName): boolean {
    const { hostCalls } = this.#limits;
    if (hostCalls !== undefined && this.#hostCalls >= hostCalls) {
      this.#failures.tooManyHostCalls(hostCalls, name);
      return false;
    }
    this.#hostCalls++;
    return this.#mayGoOn();
  }

  #ready(name: string): Live {
    if (this.#running) throw instanceBusy(name);
    const live = this.#live;
    if (live === undefined) throw this.#failures.dead(name, this.#failure);
    return live;
  }

  /** The functions that a message goes through. */
  #message(name: string, abi: GuestAbi | undefined): LastMessage {
    const live = this.#ready(name);
    let last = this.#lastMessage;
    if (last?.guest.name !== name || last.abi !== abi) {
      const entry = live.functions.get(name);
      if (entry === undefined) throw exportNotFound(name, this.exports);
      last = { guest: messageGuest(entry, live, abi), abi };
      this.#lastMessage = last;
    }
    return last;
  }

  #timeout(timeoutMs: number | undefined): number {
    return callTimeout(timeoutMs, this.#limits.timeoutMs);
  }

  /** Runs a part of the guest under its deadline, and sees how it ends. */
  #run<A, R>(
    name: string,
    timeoutMs: number,
    part: (...args: readonly A[]) => R,
    args: readonly A[],
  ): R {
    const watchdog = this.#watchdog;
    const { words } = watchdog;
    const live = this.#live;
    const depth = watchdog.arm(timeoutMs);
    this.#running = true;
    let returned = false;
    let result: R | undefined;
    let error: unknown;
    try {
      result = invoke(part, args);
      returned = true;
    } catch (thrown) {
      error = thrown;
    }
    // until the deadline is off nothing is called: it could overflow the stack
    this.#running = false;
    let late = false;
    // a guest that waits, or has returned from a call that might have waited,
    // is disarmed already
    if (watchdog.depth !== depth) {
      watchdog.depth = depth;
      const before = Atomics.exchange(words, SLOTS + depth, 0);
      late = before < 0;
      if (late) {
        // claimed: the flag follows at once, and must not stay, unless a call
        // around this one is late too
        while (Atomics.load(words, ACKS + depth) !== -before);
        Atomics.store(words, FLAG, 1);
        for (let outer = 0; outer < depth; outer++) {
          if (Atomics.load(words, SLOTS + outer) < 0) {
            Atomics.store(words, FLAG, 0);
          }
        }
      }
    }
    // dead from here on, whatever else fails, unless all is well; a host
    // function may have let the instance go
    const still = this.#live;
    this.#live = undefined;
    this.#dying = still;
    const fuel = live?.fuel;
    if (
      returned && !late && !this.#failures.hostFailed &&
      (fuel === undefined || fuel.value >= 0n)
    ) {
      this.#live = still;
      this.#dying = undefined;
      return result as R;
    }
    this.#last = undefined;
    this.#lastMessage = undefined;
    const { outerLate } = watchdog;
    const lateMs = late ? timeoutMs : undefined;
    throw this.#end(name, live, { late: lateMs, outerLate, error });
  }

  /**
   * Runs a part of the guest that may wait, and sees how it ends. What runs
   * until it first waits, runs as a call that cannot.
   */
  async #wait<R>(
    suspender: Suspender,
    { name, timeoutMs, signal }: WaitingCall,
    part: () => Promise<R>,
  ): Promise<R> {
    const live = this.#live;
    const call = suspender.begin({
      name,
      timeoutMs,
      signal,
      late: (imported) =>
        this.#failures.waitedTooLong(name, timeoutMs, imported),
    });
    let promise: Promise<R> | undefined;
    let isOver = false;
    let result: R | undefined;
    let error: unknown;
    try {
      this.#run(name, timeoutMs, () => promise = part(), NO_ARGUMENTS);
    } catch (thrown) {
      isOver = true;
      error = thrown;
    }
    // until the stack is empty again nothing is called: it could overflow
    const outerLate = !call.isWaiting &&
      Atomics.load(this.#watchdog.words, FLAG) === 0;
    if (call.hasReturned && !call.isLate && !isOver) {
      return await promise as R;
    }
    if (isOver) {
      await undefined;
      suspender.finish(call);
      await promise?.catch(ignore);
      throw error;
    }
    // it waits, or has trapped, which the promise tells in a moment
    this.#running = true;
    try {
      result = await promise;
    } catch (thrown) {
      error = thrown;
    }
    suspender.finish(call);
    this.#running = false;
    if (call.hasReturned && !call.isLate && this.#isWell(live)) {
      return result as R;
    }
    if (call.ended !== undefined) throw this.#cutOff(name, live, call.ended);
    this.#live = undefined;
    const late = call.isLate ? timeoutMs : undefined;
    throw this.#end(name, live, { late, outerLate, error });
  }

  /** Whether neither a host function nor the fuel has ended the call. */
  #isWell(live: Live | undefined): boolean {
    const fuel = live?.fuel;
    return !this.#failures.hostFailed &&
      (fuel === undefined || fuel.value >= 0n);
  }

  /**
   * The end of a call that was ended while it waited. The fuel is exact: the
   * guest notes it before calls.
   */
  #cutOff(name: string, live: Live | undefined, { error }: Ended): unknown {
    this.#failure ??= SandboxError.is(error)
      ? error
      : this.#failures.cancelled(name);
    this.#letGo(live);
    return error;
  }

  /** Why a call did not end well. */
  #end(
    name: string,
    live: Live | undefined,
    { late, outerLate, error }: BadEnd,
  ): SandboxError {
    const failures = this.#failures;
    const isEmpty = live?.fuel !== undefined && live.fuel.value < 0n;
    const isLate = late !== undefined;
    const isCut = isLate || (!isEmpty && failures.isInexact(error));
    if (isCut && live?.settled?.value !== 1) forfeit(live);
    const failure = isLate || isEmpty
      ? failures.overLimit(name, late, error)
      : outerLate
      ? failures.outerLate(name, error)
      : failures.of(name, error);
    this.#failure ??= failure;
    this.#letGo(live);
    return failure;
  }

  /** Lets go of what could not be let go for want of stack. */
  #bury(): void {
    if (this.#failure === undefined) forfeit(this.#dying);
    this.#letGo(this.#dying);
  }

  #letGo(live: Live | undefined): void {
    this.#dying = undefined;
    if (live === undefined) return;
    this.#lastUsage = this.#usageOf(live);
    this.#live = undefined;
    this.#last = undefined;
    this.#lastMessage = undefined;
    this.#suspender?.forget();
    this.#release(this);
  }
}

function ignore(): void {}

const NO_ARGUMENTS: readonly never[] = Object.freeze([]);

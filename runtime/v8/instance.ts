/**
 * A running module on V8, in the thread of its caller.
 *
 * @module
 */

import {
  exchangeMessage,
  type MessageGuest,
} from "../../communication/guest_abi.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { shorterTimeout } from "../calls.ts";
import type {
  CallOptions,
  ExchangeOptions,
  GuestAbi,
  HostImports,
  HostModule,
  Instance,
  InstanceUsage,
  ModuleExport,
  Reply,
  WasmResult,
  WasmValue,
} from "../types.ts";
import { guestAccess } from "./access.ts";
import { checkArguments } from "./arguments.ts";
import type { CompiledModule } from "./compiled.ts";
import { Failures } from "./failures.ts";
import {
  type Entry,
  exportNotFound,
  link,
  type Live,
  messageGuest,
} from "./live.ts";
import { ACKS, FLAG, SLOTS, type Watchdog } from "./watchdog.ts";

/** What an instance is made of. */
export interface InstanceParts {
  /** The module, with the limits of the instance. */
  readonly module: CompiledModule;
  /** What the host grants it to import. */
  readonly imports: HostImports;
  /** Functions that see the guest's memory. */
  readonly hostModules: readonly HostModule[];
  /** Keeps the deadlines. */
  readonly watchdog: Watchdog;
  /** Raises a trap. */
  readonly trap: () => never;
  /** Called once, when the instance lets go of its memory. */
  readonly release: (instance: Instance) => void;
}

/** The functions of the last message, and the ABI that named them. */
interface LastMessage {
  readonly guest: MessageGuest;
  readonly abi: GuestAbi | undefined;
}

/** A running module on V8. */
export class V8Instance implements Instance {
  readonly exports: readonly ModuleExport[];
  readonly #limits: ResolvedLimits;
  readonly #watchdog: Watchdog;
  readonly #failures: Failures;
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
    const { module, watchdog } = parts;
    const { limits } = module;
    this.exports = module.exports;
    this.#limits = limits;
    this.#watchdog = watchdog;
    this.#failures = new Failures(limits, parts.trap);
    this.#release = parts.release;
    const live = link(module, {
      imports: parts.imports,
      hostModules: parts.hostModules,
      access: guestAccess({
        live: () => this.#live,
        mayGoOn: () => this.#mayGoOn(),
        flag: watchdog.words,
        hasDeadline: limits.timeoutMs !== Infinity,
      }),
      flag: watchdog.memory,
      failed: (cause, name, own) =>
        this.#failures.hostFunction(cause, name, own),
      mayCall: (name) => this.#mayCallHost(name),
      trap: parts.trap,
    });
    const { start } = live;
    this.#live = live;
    if (live.fuel !== undefined) this.setFuel(limits.fuel ?? 0);
    if (start !== undefined) {
      this.#run("start", limits.timeoutMs, start, NO_ARGUMENTS);
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
    const { abi } = options;
    let last = this.#lastMessage;
    if (last?.guest.name !== name || last.abi !== abi) {
      const entry = live.functions.get(name);
      if (entry === undefined) throw exportNotFound(name, this.exports);
      last = { guest: messageGuest(entry, live, abi), abi };
      this.#lastMessage = last;
    }
    const { guest } = last;
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

  #usageOf({ memories, tables, fuel }: Live): InstanceUsage {
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
      hostCalls: this.#hostCalls,
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
    this.#bury();
    this.#failure ??= new SandboxError(
      "disposed",
      "Cannot use the instance: it is disposed",
      { details: { kind: "instance" } },
    );
    this.#letGo(this.#live);
    return Promise.resolve();
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
    if (this.#running) throw this.#failures.busy(name);
    const live = this.#live;
    if (live === undefined) throw this.#failures.dead(name, this.#failure);
    return live;
  }

  #timeout(timeoutMs: number | undefined): number {
    const allowed = this.#limits.timeoutMs;
    if (timeoutMs === undefined) return allowed;
    if (allowed !== Infinity) return shorterTimeout(timeoutMs, allowed);
    throw new TypeError(
      "Cannot call with a timeoutMs: the sandbox has no deadline, so its code " +
        "holds no checks (set the limit timeoutMs)",
    );
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
    watchdog.depth = depth;
    const before = Atomics.exchange(words, SLOTS + depth, 0);
    const late = before < 0;
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
    throw this.#end(name, live, { late: late ? timeoutMs : undefined, error });
  }

  /** Why a call did not end well. */
  #end(
    name: string,
    live: Live | undefined,
    { late, error }: { late: number | undefined; error: unknown },
  ): SandboxError {
    const failures = this.#failures;
    const isEmpty = live?.fuel !== undefined && live.fuel.value < 0n;
    const isLate = late !== undefined;
    const isCut = isLate || (!isEmpty && failures.isInexact(error));
    if (isCut && live?.settled?.value !== 1) forfeit(live);
    const failure = isLate || isEmpty
      ? failures.overLimit(name, late, error)
      : this.#watchdog.outerLate
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
    this.#release(this);
  }
}

const NO_ARGUMENTS: readonly never[] = Object.freeze([]);

/**
 * Takes all that is left of the fuel: a guest that was cut short has used more
 * than it has noted, and could trap on purpose to hide it.
 */
function forfeit(live: Live | undefined): void {
  if (live?.fuel !== undefined) live.fuel.value = 0n;
}

/** Calls a function; without a spread for the few arguments that are usual. */
function invoke<A, R>(
  fn: (...args: readonly A[]) => R,
  args: readonly A[],
): R {
  switch (args.length) {
    case 0:
      return fn();
    case 1:
      return fn(args[0] as A);
    case 2:
      return fn(args[0] as A, args[1] as A);
    default:
      return fn(...args);
  }
}

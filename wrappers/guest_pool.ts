/**
 * Guests of one module, lent to one call at a time.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import { Turn } from "../communication/turn.ts";
import type {
  ModuleExport,
  ModuleImport,
  OperationOptions,
} from "../runtime/types.ts";
import { Sandbox } from "../sandbox.ts";
import type { InstancePolicy, SandboxOptions } from "../sandbox_options.ts";
import type { JsonSchema } from "../security/json_schema.ts";
import { checkWrapperOptions } from "./check_options.ts";
import { Gate } from "./gate.ts";
import {
  GUEST_PROPERTIES,
  type GuestOptions,
  guestOptionsOf,
} from "./guest_options.ts";
import { Guests } from "./pool/guests.ts";
import { readOnce } from "./pool/read_once.ts";
import { Counts, usesUp } from "./pool/used_up.ts";

/** Options of {@linkcode GuestPool.create}. */
export interface GuestPoolOptions extends GuestOptions {
  /**
   * What happens to a guest between two calls.
   *
   * @default {"reuse"}
   */
  readonly instance?: InstancePolicy;
  /**
   * Most guests at a time. Those beyond the first are made when they are needed.
   *
   * @default {4}
   */
  readonly maxInstances?: number;
  /**
   * Most calls that wait for a guest.
   *
   * @default {Infinity}
   */
  readonly maxWaiting?: number;
  /**
   * Makes a guest, of options that it may add to.
   *
   * @default {Sandbox.create}
   */
  readonly open?: (
    options: SandboxOptions,
    operation: OperationOptions,
  ) => Promise<Sandbox>;
  /**
   * What the calls are, in the plural, for messages.
   *
   * @default {"calls"}
   */
  readonly what?: string;
}

/** What a pool is doing. */
export interface GuestPoolStats {
  /** Guests that there are. */
  readonly instances: number;
  /** Guests that are lent. */
  readonly busy: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /** Guests that ended and were made anew. */
  readonly replaced: number;
}

const DEFAULT_INSTANCES = 4;

const POOL_SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    ...GUEST_PROPERTIES,
    instance: { enum: ["reuse", "fresh"] },
    maxInstances: { type: "integer", minimum: 1 },
    // Infinity is allowed, which JSON has not
    maxWaiting: { type: "number", minimum: 0 },
    open: { format: "code" },
    what: { type: "string" },
  },
  required: ["module"],
  additionalProperties: false,
};

/**
 * Guests of one module. A call gets one for itself; those who wait for one get
 * it in the order in which they came.
 *
 * A guest that did not come back as it should (a trap, a limit, a lie) is reset
 * before the next call. Each call has the same `fuel`, whatever was used before.
 * Limits and quotas that count over all calls of a sandbox, such as `messages`
 * or `networkRequests`, do so for each guest: one that has used them up is made
 * anew. So no call has more than they say, but one may have less, and fail with
 * `limit-exceeded` for what others have used; it is not tried again.
 *
 * @example Usage
 * ```ts
 * import { GuestPool } from "@wasm-sandbox/core/wrappers";
 * import { assertEquals } from "@std/assert";
 *
 * // (module (func (export "add") (param i32 i32) (result i32)
 * //   local.get 0 local.get 1 i32.add))
 * const module = Uint8Array.fromHex(
 *   "0061736d0100000001070160027f7f017f030201000707010361646400000a0901070020" +
 *     "0020016a0b",
 * );
 * await using pool = await GuestPool.create({ module, maxInstances: 2 });
 * const sum = await pool.use((sandbox) => sandbox.call("add", [2, 3]));
 * assertEquals(sum, 5);
 * ```
 */
export class GuestPool implements AsyncDisposable {
  readonly #gate: Gate;
  readonly #first: Sandbox;
  readonly #guests: Guests;
  readonly #counts: Counts;
  /** Fuel of each call, if it is counted. */
  readonly #fuel: number | undefined;
  readonly #turn = new Turn(1);
  #replaced = 0;
  #disposal: Promise<void> | undefined;

  private constructor(options: GuestPoolOptions, gate: Gate, first: Sandbox) {
    // as the first guest has understood it: nobody can change that
    const { policy } = first;
    this.#gate = gate;
    this.#first = first;
    this.#guests = new Guests({
      first,
      max: options.maxInstances ?? DEFAULT_INSTANCES,
      open: (operation) => openGuest({ ...options, policy }, operation),
    });
    this.#counts = new Counts(first, options);
    this.#fuel = options.limits?.fuel;
  }

  /**
   * Makes a pool with one guest. All guests are made from what is read here:
   * whoever changes a list or a file afterwards changes no guest.
   *
   * @param given What guests are made from, and how many there may be.
   * @param operation Cancellation.
   * @returns The pool; dispose it when done.
   * @throws {SandboxError} As {@linkcode Sandbox.create} does.
   * @throws {TypeError} If the options are wrong; says all that is.
   */
  static async create(
    given: GuestPoolOptions,
    operation: OperationOptions = {},
  ): Promise<GuestPool> {
    operation.signal?.throwIfAborted();
    const read = { ...given };
    checkWrapperOptions("a pool of guests", read, POOL_SCHEMA);
    const { maxInstances, maxWaiting = Infinity, what = "calls" } = read;
    const maxInside = maxInstances ?? DEFAULT_INSTANCES;
    const gate = new Gate({ maxInside, maxWaiting, what });
    const options = await readOnce(read, operation);
    return new GuestPool(options, gate, await openGuest(options, operation));
  }

  /** What the module exports. */
  get exports(): readonly ModuleExport[] {
    return this.#first.exports;
  }

  /** What the module imports. */
  get imports(): readonly ModuleImport[] {
    return this.#first.imports;
  }

  /** Whether a call would get a guest at once. */
  get isFree(): boolean {
    return this.#guests.hasIdle && this.#gate.hasRoom;
  }

  /** Where the guests run. */
  get isolation(): "inline" | "process" {
    return this.#first.isolation;
  }

  /** Who enforces what, as {@linkcode Sandbox.prototype.enforcement} tells. */
  enforcement(): ReturnType<Sandbox["enforcement"]> {
    return this.#first.enforcement();
  }

  /**
   * What the pool is doing.
   *
   * @returns The figures of this moment.
   */
  stats(): GuestPoolStats {
    return {
      instances: this.#guests.size,
      busy: this.#gate.inside,
      waiting: this.#gate.waiting,
      replaced: this.#replaced,
    };
  }

  /**
   * Lends a guest.
   *
   * @typeParam T What comes of it.
   * @param run Uses the guest, which is nobody else's until it returns.
   * @param options Cancellation of the waiting.
   * @returns What `run` returns.
   * @throws {SandboxError} With code `overloaded` if too many wait, `disposed`,
   * or as {@linkcode Sandbox.create} does if a guest has to be made.
   */
  async use<T>(
    run: (sandbox: Sandbox) => Promise<T>,
    options: OperationOptions = {},
  ): Promise<T> {
    const turn = this.#gate.enter(options);
    if (turn !== undefined) {
      await turn;
      // guests that run in this thread, one after the other, hold up everything
      const pause = this.#turn.pass();
      if (pause !== undefined) await pause;
    }
    let sandbox: Sandbox;
    try {
      // given up while the event loop turned
      if (turn !== undefined) options.signal?.throwIfAborted();
      const taken = this.#guests.take(options);
      // awaiting what is there already would take as long again
      sandbox = taken instanceof Promise ? await taken : taken;
    } catch (error) {
      this.#gate.leave();
      throw error;
    }
    let isWhole = true;
    try {
      if (this.#fuel !== undefined) refuel(sandbox, this.#fuel);
      return await run(sandbox);
    } catch (error) {
      isWhole = isStillWhole(error);
      throw error;
    } finally {
      this.#end(sandbox, isWhole);
    }
  }

  /**
   * Lends a guest for a call that is over when it returns. There must be one:
   * ask {@linkcode GuestPool.prototype.isFree} before.
   *
   * @typeParam T What comes of it.
   * @param run Uses the guest, and gives no promise.
   * @returns What `run` returns.
   * @throws {TypeError} If no guest is free.
   */
  useNow<T>(run: (sandbox: Sandbox) => T): T {
    if (!this.isFree || this.isolation !== "inline") {
      throw new TypeError(
        "Cannot use a guest now: none is free in this thread",
      );
    }
    void this.#gate.enter();
    const sandbox = this.#guests.take({}) as Sandbox;
    let isWhole = true;
    try {
      if (this.#fuel !== undefined) refuel(sandbox, this.#fuel);
      return run(sandbox);
    } catch (error) {
      isWhole = isStillWhole(error);
      throw error;
    } finally {
      this.#end(sandbox, isWhole);
    }
  }

  /**
   * Takes no more calls, and waits for those that run or wait.
   *
   * @param options Cancellation of the waiting.
   * @returns Nothing, when the last of them has ended.
   */
  async drain(options: OperationOptions = {}): Promise<void> {
    this.#gate.close(disposed());
    await this.#gate.whenEmpty(options);
  }

  /** Ends all guests; calls that run or wait are refused. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    const reason = disposed();
    this.#gate.close(reason, { refuseWaiting: true });
    this.#turn.end();
    await this.#guests.dispose(reason);
    await this.#gate.whenEmpty();
  }

  #end(sandbox: Sandbox, isWhole: boolean): void {
    if (isWhole && sandbox.failure === undefined) this.#giveBack(sandbox);
    else void this.#renew(sandbox, isWhole);
  }

  #giveBack(sandbox: Sandbox): void {
    if (this.#counts.isUsedUp(sandbox)) return void this.#renew(sandbox, false);
    this.#guests.give(sandbox);
    this.#gate.leave();
  }

  /** Makes a guest anew while its caller goes on; its place is held meanwhile. */
  async #renew(sandbox: Sandbox, mayReset: boolean): Promise<void> {
    this.#replaced++;
    if (mayReset && await this.#hasReset(sandbox)) {
      return this.#giveBack(sandbox);
    }
    // the next call that finds none makes one
    await this.#guests.letGo(sandbox);
    this.#gate.leave();
  }

  async #hasReset(sandbox: Sandbox): Promise<boolean> {
    try {
      if (this.#fuel !== undefined) refuel(sandbox, this.#fuel);
      await sandbox.reset({ signal: this.#guests.end });
      return true;
    } catch {
      // why is told to whoever makes the next one
      return false;
    }
  }
}

/** Whether a guest can go on, or be reset, after a call that failed. */
function isStillWhole(error: unknown): boolean {
  // an instance that is gone without a failure of its own
  return !usesUp(error) && !SandboxError.is(error, "instance-dead");
}

/** Gives a call the same fuel, whatever those before it have used. */
function refuel(sandbox: Sandbox, fuel: number): void {
  const { allowed = 0, used = 0 } = sandbox.usage().limits.fuel ?? {};
  const missing = fuel - (allowed - used);
  if (missing > 0) sandbox.addFuel(missing);
}

async function openGuest(
  options: GuestPoolOptions,
  operation: OperationOptions,
): Promise<Sandbox> {
  const { instance = "reuse", open = Sandbox.create } = options;
  return await open({ ...guestOptionsOf(options), instance }, operation);
}

function disposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the guests: they are being let go",
    { details: { kind: "pool" } },
  );
}

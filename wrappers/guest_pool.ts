/**
 * Guests of one module, lent to one call at a time.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import type { ModuleExport, OperationOptions } from "../runtime/types.ts";
import { readSource } from "../runtime/v8/source.ts";
import { Sandbox } from "../sandbox.ts";
import type { InstancePolicy } from "../sandbox_options.ts";
import { resolveLimits } from "../security/limits.ts";
import { Gate } from "./gate.ts";
import { type GuestOptions, guestOptionsOf } from "./guest_options.ts";

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

/** Limits that a guest which is reset begins anew with. */
const RENEWED: ReadonlySet<string> = new Set([
  "timeoutMs",
  "memoryBytes",
  "tableElements",
  "messageBytes",
  "stack",
  "stackBytes",
  "streamBytes",
  "stdinBytes",
  "stdoutBytes",
  "stderrBytes",
]);

/**
 * Guests of one module. A call gets one for itself. A guest that did not come
 * back as it should (a trap, a limit, a lie) is made anew before the next call;
 * so is one that has used up a limit which counts over all its calls, such as
 * `hostCalls`. The limit `fuel` is given anew to each call.
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
  readonly #options: GuestPoolOptions & { readonly module: Uint8Array };
  readonly #gate: Gate;
  readonly #first: Sandbox;
  readonly #idle: Sandbox[] = [];
  readonly #all = new Set<Sandbox>();
  #replaced = 0;
  #disposal: Promise<void> | undefined;

  private constructor(
    options: GuestPoolOptions & { readonly module: Uint8Array },
    first: Sandbox,
  ) {
    const { maxInstances = 4, maxWaiting = Infinity, what = "calls" } = options;
    this.#options = options;
    this.#gate = new Gate({ maxInside: maxInstances, maxWaiting, what });
    this.#first = first;
    this.#idle.push(first);
    this.#all.add(first);
  }

  /**
   * Makes a pool with one guest.
   *
   * @param given What guests are made from, and how many there may be.
   * @param operation Cancellation.
   * @returns The pool; dispose it when done.
   * @throws {SandboxError} As {@linkcode Sandbox.create} does.
   */
  static async create(
    given: GuestPoolOptions,
    operation: OperationOptions = {},
  ): Promise<GuestPool> {
    // read once: each guest is made from the same bytes
    const { moduleBytes: maxBytes } = resolveLimits(given.limits ?? {});
    const { signal } = operation;
    const module = await readSource(given.module, { maxBytes, signal });
    const options = { ...given, module };
    return new GuestPool(options, await openGuest(options, operation));
  }

  /** What the module exports. */
  get exports(): readonly ModuleExport[] {
    return this.#first.exports;
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
      instances: this.#all.size,
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
    if (turn !== undefined) await turn;
    let sandbox: Sandbox;
    try {
      sandbox = this.#idle.pop() ?? await this.#open(options);
    } catch (error) {
      this.#gate.leave();
      throw error;
    }
    let keep = true;
    try {
      this.#refuel(sandbox);
      return await run(sandbox);
    } catch (error) {
      keep = !usesUp(error);
      throw error;
    } finally {
      if (keep && sandbox.failure === undefined) this.#giveBack(sandbox);
      else void this.#renew(sandbox, keep);
    }
  }

  /**
   * Takes no more calls, and waits for those that run or wait.
   *
   * @returns Nothing, when the last of them has ended.
   */
  async drain(): Promise<void> {
    this.#gate.close(disposed());
    await this.#gate.whenEmpty();
  }

  /** Ends all guests; calls that run or wait are refused. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.#gate.close(disposed(), { refuseWaiting: true });
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()));
    await this.#gate.whenEmpty();
  }

  async #open(operation: OperationOptions): Promise<Sandbox> {
    const sandbox = await openGuest(this.#options, operation);
    if (this.#disposal !== undefined) {
      await sandbox[Symbol.asyncDispose]();
      throw disposed();
    }
    this.#all.add(sandbox);
    return sandbox;
  }

  /** Gives each call the same fuel, whatever those before it have used. */
  #refuel(sandbox: Sandbox): void {
    if (this.#options.limits?.fuel === undefined) return;
    const { allowed = 0, used = 0 } = sandbox.usage().limits.fuel ?? {};
    const missing = this.#options.limits.fuel - (allowed - used);
    if (missing > 0) sandbox.addFuel(missing);
  }

  #giveBack(sandbox: Sandbox): void {
    if (this.#disposal === undefined) this.#idle.push(sandbox);
    this.#gate.leave();
  }

  /** Makes a guest anew while its caller goes on; its place is held meanwhile. */
  async #renew(sandbox: Sandbox, mayReset: boolean): Promise<void> {
    this.#replaced++;
    if (mayReset && await hasReset(sandbox)) return this.#giveBack(sandbox);
    // the next call that finds none makes one
    this.#all.delete(sandbox);
    await sandbox[Symbol.asyncDispose]();
    this.#gate.leave();
  }
}

async function hasReset(sandbox: Sandbox): Promise<boolean> {
  try {
    await sandbox.reset();
    return true;
  } catch {
    // why is told to whoever makes the next one
    return false;
  }
}

/** Whether an error tells of a limit that a reset does not give anew. */
function usesUp(error: unknown): boolean {
  return SandboxError.is(error, "limit-exceeded") &&
    !RENEWED.has(error.details.limit);
}

async function openGuest(
  options: GuestPoolOptions,
  operation: OperationOptions,
): Promise<Sandbox> {
  const { instance = "reuse" } = options;
  return await Sandbox.create(
    { ...guestOptionsOf(options), instance },
    operation,
  );
}

function disposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the guests: they are being let go",
    { details: { kind: "pool" } },
  );
}

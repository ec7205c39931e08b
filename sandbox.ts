/**
 * The sandbox: one module, its limits, and the runtime that enforces them.
 *
 * @module
 */

import { disposed, Guest } from "./_guest.ts";
import { quote } from "./_text.ts";
import { messageHandlers } from "./communication/guest_abi.ts";
import { parseJson, stringifyJson } from "./communication/json.ts";
import type { SandboxError } from "./errors.ts";
import { RuntimeFactory } from "./runtime/mod.ts";
import type {
  ExchangeOptions,
  Instance,
  ModuleExport,
  OperationOptions,
  WasmValue,
} from "./runtime/types.ts";
import { SandboxBuilder } from "./sandbox_builder.ts";
import {
  checkCallOptions,
  checkOptions,
  type LimitEnforcement,
  requireSupport,
  type SandboxCallOptions,
  type SandboxEnforcement,
  type SandboxOptions,
  type SandboxUsage,
  unsupported,
} from "./sandbox_options.ts";
import {
  type LimitName,
  type ResolvedLimits,
  resolveLimits,
} from "./security/limits.ts";

/** What no inline guest is kept from. */
const INLINE_GAPS: readonly string[] = Object.freeze([
  "faults of the engine: guest and host share one V8, and only the module " +
  "gate stands before it",
  "side channels: the guest shares caches and cores with the host, and can " +
  "count loops to measure time",
  "the event loop: it waits while the guest runs, up to timeoutMs",
]);

/**
 * A guest, contained. Dispose it to let the guest go.
 *
 * With the instance policy `"reuse"`, which is the default, state lives on
 * from call to call; with `"fresh"` each call begins anew. A call that does
 * not return as it should (a trap, a limit, a lie) ends the instance: then
 * `"reuse"` refuses every call until {@linkcode Sandbox.prototype.reset}.
 *
 * @example Usage
 * ```ts
 * import { Sandbox, SandboxError } from "@wasm-sandbox/core";
 * import { assert, assertEquals, assertRejects } from "@std/assert";
 *
 * // (module
 * //   (func (export "add") (param i32 i32) (result i32)
 * //     local.get 0 local.get 1 i32.add)
 * //   (func (export "spin") (loop br 0)))
 * const module = Uint8Array.fromHex(
 *   "0061736d01000000010a0260027f7f017f6000000303020001070e02036164640000" +
 *     "047370696e00010a11020700200020016a0b070003400c000b0b",
 * );
 * await using sandbox = await Sandbox.create({
 *   module,
 *   limits: { timeoutMs: 50 },
 * });
 * assertEquals(await sandbox.call("add", [2, 3]), 5);
 *
 * const error = await assertRejects(() => sandbox.call("spin"), SandboxError);
 * assert(SandboxError.is(error, "limit-exceeded"));
 * assertEquals(error.details.limit, "timeoutMs");
 * ```
 */
export class Sandbox implements AsyncDisposable {
  readonly #guest: Guest;
  readonly #options: SandboxOptions;
  readonly #resources: AsyncDisposableStack;
  readonly #plain: ExchangeOptions;
  /** Exports that take messages, and not numbers. */
  readonly #handlers: ReadonlySet<string>;
  readonly #fresh: boolean;
  readonly #sync: boolean;
  #calls = 0;
  #disposed = false;

  private constructor(
    guest: Guest,
    options: SandboxOptions,
    resources: AsyncDisposableStack,
  ) {
    this.#guest = guest;
    this.#options = options;
    this.#resources = resources;
    this.#plain = options.abi === undefined ? {} : { abi: options.abi };
    this.#handlers = messageHandlers(guest.parts.module.exports, options.abi);
    this.#fresh = guest.parts.policy === "fresh";
    this.#sync = guest.parts.runtime.features.sync;
  }

  /**
   * Starts building a sandbox step by step.
   *
   * @returns An immutable builder.
   */
  static builder(): SandboxBuilder {
    return new SandboxBuilder(Sandbox.create);
  }

  /**
   * Creates a sandbox: reads the module, looks it over, compiles it, links it
   * and runs its start function, all under the limits.
   *
   * @param given What to run, and under which limits.
   * @param operation Cancellation.
   * @returns The sandbox; dispose it when done.
   * @throws {SandboxError} If the module cannot be read, is refused, needs
   * what nobody grants, or reaches a limit.
   * @throws {TypeError} If the options are wrong; says all that is.
   */
  static async create(
    given: SandboxOptions,
    operation: OperationOptions = {},
  ): Promise<Sandbox> {
    operation.signal?.throwIfAborted();
    // read once: a getter could answer otherwise the next time
    const options = { ...given };
    checkOptions(options);
    const {
      runtime: choice = "v8",
      runtimes = new RuntimeFactory(),
      features = {},
      imports = {},
      instance: policy = "reuse",
    } = options;
    await using resources = new AsyncDisposableStack();
    const runtime = typeof choice === "string"
      ? resources.use(await runtimes.create(choice))
      : choice;
    requireSupport(runtime, options);
    const limits = resolveLimits(options.limits ?? {});
    const module = await runtime.compile(options.module, {
      limits,
      features,
      ...operation,
    });
    const parts = { runtime, module, imports, limits, policy };
    const guest = await Guest.create(parts, operation);
    return new Sandbox(guest, options, resources.move());
  }

  /** The limits in force. */
  get limits(): ResolvedLimits {
    return this.#guest.parts.limits;
  }

  /** What the module exports. */
  get exports(): readonly ModuleExport[] {
    return this.#guest.parts.module.exports;
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#guest.failure;
  }

  /**
   * Calls an exported function.
   *
   * @typeParam T What the caller knows the function to return.
   * @param name Name of the export.
   * @param input An array of numbers, a JSON value, or bytes; see
   * {@linkcode SandboxCallOptions.abi}.
   * @param options The ABI, a shorter deadline, and cancellation. A call that
   * runs inline cannot be aborted on the way: nothing else runs meanwhile.
   * @returns For numbers: undefined, one value, or an array; for JSON the
   * value, for bytes the bytes.
   * @throws {SandboxError} If the call cannot be made or does not return.
   * @throws {TypeError} If the input does not fit.
   */
  async call<T = unknown>(
    name: string,
    input?: unknown,
    options?: SandboxCallOptions,
  ): Promise<T> {
    this.#use(options);
    if (this.#fresh) {
      return await this.#guest.fresh(
        (instance) => this.#sendAsync(instance, name, input, options),
        options ?? {},
      ) as T;
    }
    const { instance } = this.#guest;
    return (this.#sync
      ? this.#send(instance, name, input, options)
      : await this.#sendAsync(instance, name, input, options)) as T;
  }

  /**
   * As {@linkcode Sandbox.prototype.call}, in the calling thread and at once.
   * Needs the instance policy `"reuse"`, and a runtime that can.
   *
   * @typeParam T What the caller knows the function to return.
   * @param name Name of the export.
   * @param input An array of numbers, a JSON value, or bytes.
   * @param options The ABI, and a shorter deadline.
   * @returns What the function returned.
   */
  callSync<T = unknown>(
    name: string,
    input?: unknown,
    options?: SandboxCallOptions,
  ): T {
    this.#use(options);
    if (this.#fresh || !this.#sync) {
      const what = this.#fresh ? 'callSync with instance "fresh"' : "callSync";
      throw unsupported(this.#guest.parts.runtime, what, "use call");
    }
    return this.#send(this.#guest.instance, name, input, options) as T;
  }

  /**
   * Lets the instance go, dead or not, and makes a new one.
   *
   * @param options Cancellation.
   */
  async reset(options: OperationOptions = {}): Promise<void> {
    this.#use();
    await this.#guest.reset(options);
  }

  /**
   * Adds fuel to what is left. An instance that ended for want of fuel stays
   * dead until {@linkcode Sandbox.prototype.reset}.
   *
   * @param amount How much.
   * @throws {TypeError} If fuel is not counted or the amount no whole number.
   */
  addFuel(amount: number): void {
    this.#use();
    this.#guest.addFuel(amount);
  }

  /**
   * What was used of each limit so far.
   *
   * @returns The figures of this moment.
   */
  usage(): SandboxUsage {
    return { calls: this.#calls, limits: this.#guest.usage() };
  }

  /**
   * Who enforces each limit, and how firmly, and what is not protected.
   *
   * @returns Plain data.
   */
  enforcement(): SandboxEnforcement {
    const { runtime, limits } = this.#guest.parts;
    const rows: Partial<Record<LimitName | "stack", LimitEnforcement>> = {};
    for (const [key, enforcement] of Object.entries(runtime.features.limits)) {
      const name = key as LimitName | "stack";
      if (name === "stack") rows.stack = enforcement;
      else if (limits[name] !== undefined) {
        rows[name] = { ...enforcement, allowed: limits[name] };
      }
    }
    return {
      isolation: "inline",
      runtime: runtime.name,
      limits: rows,
      unprotected: INLINE_GAPS,
    };
  }

  /** Lets the guest go, and the runtime if the sandbox made it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#guest.dispose();
    await this.#resources.disposeAsync();
  }

  #use(options?: SandboxCallOptions): void {
    if (this.#disposed) throw disposed();
    if (options !== undefined) checkCallOptions(options);
  }

  #send(
    instance: Instance,
    name: string,
    input: unknown,
    options: SandboxCallOptions | undefined,
  ): unknown {
    this.#calls++;
    if (this.#isRaw(name, options)) {
      return instance.callSync(name, this.#numbers(name, input), options);
    }
    const request = encode(name, input, options);
    return decode(
      name,
      instance.exchangeSync(name, request, this.#exchange(options)),
    );
  }

  async #sendAsync(
    instance: Instance,
    name: string,
    input: unknown,
    options: SandboxCallOptions | undefined,
  ): Promise<unknown> {
    this.#calls++;
    if (this.#isRaw(name, options)) {
      return await instance.call(name, this.#numbers(name, input), options);
    }
    const request = encode(name, input, options);
    return decode(
      name,
      await instance.exchange(name, request, this.#exchange(options)),
    );
  }

  #numbers(name: string, input: unknown): readonly WasmValue[] {
    if (input === undefined) return NOTHING;
    if (Array.isArray(input)) return input;
    // what does not exist takes nothing: the runtime has the better error
    if (!this.exports.some((each) => each.name === name)) return NOTHING;
    throw new TypeError(
      `Cannot call ${quote(name)}: it takes numbers, so the input must be an ` +
        "array of them (for JSON the guest must export memory functions)",
    );
  }

  #isRaw(name: string, options: SandboxCallOptions | undefined): boolean {
    const abi = options?.abi;
    return abi === undefined ? !this.#handlers.has(name) : abi === "raw";
  }

  #exchange(options: SandboxCallOptions | undefined): ExchangeOptions {
    if (options === undefined) return this.#plain;
    const { abi } = this.#options;
    const { signal, timeoutMs } = options;
    return {
      ...(abi === undefined ? {} : { abi }),
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
  }
}

const NOTHING: readonly WasmValue[] = Object.freeze([]);

function encode(
  name: string,
  input: unknown,
  options: SandboxCallOptions | undefined,
): string | Uint8Array {
  const { abi } = options ?? {};
  if (abi === undefined ? !(input instanceof Uint8Array) : abi === "json") {
    return stringifyJson(input);
  }
  if (input instanceof Uint8Array) return input;
  throw new TypeError(
    `Cannot call ${quote(name)} with abi "${abi}": the input must be a ` +
      "Uint8Array",
  );
}

function decode(name: string, reply: string | Uint8Array): unknown {
  return typeof reply === "string" ? parseJson(name, reply) : reply;
}

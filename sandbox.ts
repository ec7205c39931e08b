/**
 * The sandbox: one module, its limits, and the runtime that enforces them.
 *
 * @module
 */

import { Calls } from "./_calls.ts";
import {
  checkCallOptions,
  checkExecuteOptions,
  checkOptions,
  checkSyncOptions,
  OWN_LIMITS,
} from "./_check_options.ts";
import { Grants } from "./_grants.ts";
import { disposed, Guest } from "./_guest.ts";
import { MessageCounter } from "./_messages.ts";
import { type OpenServices, openServices } from "./_services.ts";
import { openSource } from "./_source.ts";
import { abandon } from "./_streams.ts";
import type { Channel } from "./communication/types.ts";
import type { SandboxError } from "./errors.ts";
import { isProcedure } from "./runtime/calls.ts";
import { type PassedOver, unsupported } from "./runtime/needs.ts";
import type {
  ModuleExport,
  ModuleImport,
  OperationOptions,
} from "./runtime/types.ts";
import { exportNotFound } from "./runtime/v8/live.ts";
import { SandboxBuilder } from "./sandbox_builder.ts";
import type {
  ExecuteOptions,
  ExecuteResult,
  LimitEnforcement,
  SandboxCallOptions,
  SandboxEnforcement,
  SandboxOptions,
  SandboxTransform,
  SandboxUsage,
} from "./sandbox_options.ts";
import {
  type LimitName,
  type ResolvedLimits,
  resolveLimits,
} from "./security/limits.ts";
import type { AuditLog } from "./security/audit/log.ts";
import type { SecurityPolicy } from "./security/policy.ts";

/** What a sandbox is put together from. */
interface SandboxParts {
  readonly options: SandboxOptions;
  readonly grants: Grants;
  readonly messages: MessageCounter;
  readonly host: OpenServices;
  /** Why runtimes were passed over, if one was chosen. */
  readonly passedOver: readonly PassedOver[] | undefined;
  /** Lets go of what was opened. */
  readonly resources: AsyncDisposableStack;
}

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
  readonly #calls: Calls;
  readonly #grants: Grants;
  readonly #host: OpenServices;
  readonly #passedOver: readonly PassedOver[] | undefined;
  readonly #resources: AsyncDisposableStack;
  readonly #disposal = new AbortController();
  // a signal takes longer to ask, and each call does
  #disposed = false;

  private constructor(
    guest: Guest,
    { options, grants, messages, host, passedOver, resources }: SandboxParts,
  ) {
    this.#guest = guest;
    this.#calls = new Calls(guest, {
      abi: options.abi,
      isPlugin: options.extism !== undefined,
      messages,
      disposal: this.#disposal.signal,
    });
    this.#grants = grants;
    this.#host = host;
    this.#passedOver = passedOver;
    this.#resources = resources;
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
    await using resources = new AsyncDisposableStack();
    const grants = new Grants(options);
    const limits = resolveLimits(options.limits ?? {});
    const messages = new MessageCounter(limits.messages);
    const parts = { ...grants.parts, grants, limits, resources };
    const host = await openServices(options, {
      ...parts,
      messages,
      isolation: () => source.isolation,
    });
    const { source, passedOver } = await openSource(
      options,
      { ...parts, services: host.services },
      operation,
    );
    const { instance: policy = "reuse" } = options;
    const guest = await Guest.create({ source, limits, policy }, operation);
    return new Sandbox(guest, {
      options,
      grants,
      messages,
      host,
      passedOver,
      resources: resources.move(),
    });
  }

  /** The limits in force. */
  get limits(): ResolvedLimits {
    return this.#guest.parts.limits;
  }

  /** What the module exports. */
  get exports(): readonly ModuleExport[] {
    return this.#guest.parts.source.module.exports;
  }

  /** What the module imports. */
  get imports(): readonly ModuleImport[] {
    return this.#guest.parts.source.module.imports;
  }

  /** Where the guest runs. */
  get isolation(): "inline" | "process" {
    return this.#guest.parts.source.isolation;
  }

  /** What the guest may do. */
  get policy(): SecurityPolicy {
    return this.#grants.policy;
  }

  /** Name of this sandbox in the events of its audit. */
  get id(): string {
    return this.#grants.id;
  }

  /**
   * Each decision about what the guest may do: the latest of them as a list,
   * and all that come by `for await`. It ends when the sandbox is disposed.
   */
  get audit(): AuditLog {
    return this.#grants.audit;
  }

  /** The channel between host and guest, if one was given or named. */
  get channel(): Channel | undefined {
    return this.#host.channel;
  }

  /**
   * Decides on what a host function is about to do for the guest, as the
   * policy says: counts it, records it, and throws if it is denied. What a host
   * function does not ask for, nobody decides on: a capability such as
   * `custom_access` holds by this alone; `host_functions` is asked by itself,
   * before each call of a function of `hostFunctions`. In a function of
   * `imports` the error ends the guest, and is the error of its call. In one of
   * `hostFunctions` the guest is told `denied`, and lives on; if a quota is used
   * up it ends.
   *
   * @param operation Its name, such as `custom_access.read`.
   * @param args Its arguments, the resource first.
   * @throws {SandboxError} With code `capability-not-granted`,
   * `access-denied`, `invalid-argument` or `limit-exceeded`.
   */
  auditOperation(operation: string, args: readonly unknown[] = []): void {
    this.#use();
    this.#grants.auditOperation(operation, args);
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
   * @param options The ABI, streams, a shorter deadline, and cancellation. A
   * guest that runs inline is aborted only while it waits for its host: nothing
   * else runs meanwhile. Streams end with the call, one that is refused too.
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
    try {
      this.#use(options);
      const result = this.#calls.dispatch(name, input, options);
      // awaiting what is there already would take as long again
      return (result instanceof Promise ? await result : result) as T;
    } catch (thrown) {
      const error = this.#explain(thrown);
      if (options !== undefined) abandon(options, error);
      throw error;
    }
  }

  /**
   * Puts a call between two ends of a stream: what is written is what the guest
   * reads, and what the guest writes can be read. Nothing is held but a piece at
   * a time, so the data may be longer than any memory.
   *
   * @example Usage
   * ```ts ignore
   * await file.readable
   *   .pipeThrough(sandbox.transform("compress"))
   *   .pipeTo(response.writable);
   * ```
   *
   * @typeParam T What the caller knows the function to return.
   * @param name Name of the export.
   * @param input As for {@linkcode Sandbox.prototype.call}.
   * @param options The ABI, a shorter deadline, and cancellation.
   * @returns Both ends, and what the call returns in the end. If the call
   * fails, both ends fail with its error.
   */
  transform<T = unknown>(
    name: string,
    input?: unknown,
    options: Omit<SandboxCallOptions, "source" | "sink"> = {},
  ): SandboxTransform<T> {
    const before = new TransformStream<Uint8Array, Uint8Array>();
    const after = new TransformStream<Uint8Array, Uint8Array>();
    const result = this.call<T>(name, input, {
      ...options,
      source: before.readable,
      sink: after.writable,
    });
    // who only looks at the streams hears of it there
    result.catch(() => {});
    return { writable: before.writable, readable: after.readable, result };
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
    if (options !== undefined) checkSyncOptions(options);
    const { policy, source } = this.#guest.parts;
    if (policy === "fresh" || !source.features.sync) {
      const instead = policy === "fresh" ? ' with instance "fresh"' : "";
      throw unsupported(source, `callSync${instead}`, "use call");
    }
    try {
      return this.#calls.send(this.#guest.instance, name, input, options) as T;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /**
   * Runs the module as a WASI command: calls `_start` of an instance of its
   * own. An exit code is a result; everything else that keeps the program from
   * its end is thrown.
   *
   * @example Usage
   * ```ts
   * import { Capabilities, Sandbox, SecurityPolicy } from "@wasm-sandbox/core";
   * import { assertEquals } from "@std/assert";
   *
   * await using sandbox = await Sandbox.create({
   *   module: "examples/programs/rust/wordfreq.wasm",
   *   policy: SecurityPolicy.strict()
   *     .allowCapability(...Capabilities.program(), Capabilities.environment({})),
   * });
   * const { exitCode, stdout } = await sandbox.execute([], { stdin: "to be" });
   * assertEquals(exitCode, 0);
   * assertEquals(JSON.parse(new TextDecoder().decode(stdout)).words, 2);
   * ```
   *
   * @param args The arguments, without the program's name.
   * @param options Streams, variables, files, a shorter deadline, cancellation.
   * @returns Exit code, output, and the files of memory mounts.
   * @throws {SandboxError} If the guest traps, reaches a limit or is refused.
   * @throws {TypeError} If an option does not fit the policy.
   */
  async execute(
    args: readonly string[] = [],
    options: ExecuteOptions = {},
  ): Promise<ExecuteResult> {
    this.#use();
    checkExecuteOptions(options);
    this.#requireCommand();
    const run = this.#grants.run(args, options);
    const { signal, timeoutMs } = options;
    const call = {
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    this.#calls.count++;
    try {
      return await this.#guest.fresh(
        (instance) => instance.execute(run, call),
        call,
      );
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /**
   * Lets the instance go, dead or not, and makes a new one.
   *
   * @param options Cancellation.
   */
  async reset(options: OperationOptions = {}): Promise<void> {
    this.#use();
    try {
      await this.#guest.reset(options);
    } catch (error) {
      throw this.#explain(error);
    }
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
    return {
      calls: this.#calls.count,
      limits: { ...this.#guest.usage(), ...this.#host.usage() },
      counters: { ...this.#grants.usage(), ...this.#host.services.usage() },
    };
  }

  /**
   * Who enforces each limit and each grant, how firmly, and what is not
   * protected.
   *
   * @returns Plain data.
   */
  enforcement(): SandboxEnforcement {
    const { source, limits } = this.#guest.parts;
    const rows: Partial<Record<LimitName | "stack", LimitEnforcement>> = {};
    const known = { ...source.features.limits, ...OWN_LIMITS };
    for (const [key, enforcement] of Object.entries(known)) {
      const name = key as LimitName | "stack";
      if (name === "stack") rows.stack = enforcement;
      else if (limits[name] !== undefined) {
        rows[name] = { ...enforcement, allowed: limits[name] };
      }
    }
    return {
      isolation: source.isolation,
      runtime: source.runtimeName,
      ...(this.#passedOver && { passedOver: this.#passedOver }),
      limits: rows,
      grants: source.grants,
      unprotected: [...source.unprotected, ...this.#grants.notProtected()],
    };
  }

  /** Lets the guest go, and the runtime if the sandbox made it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#disposal.abort(disposed());
    await this.#guest.dispose();
    await this.#resources.disposeAsync();
    this.#grants.audit[Symbol.dispose]();
  }

  #explain(error: unknown): unknown {
    return this.#guest.explain(this.#grants.counters.explain(error));
  }

  #requireCommand(): void {
    if (isProcedure(this.exports, "_start")) return;
    throw exportNotFound("_start", this.exports);
  }

  #use(options?: SandboxCallOptions): void {
    if (this.#disposed) throw disposed();
    if (options !== undefined) checkCallOptions(options);
  }
}

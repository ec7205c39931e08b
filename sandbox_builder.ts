/**
 * A sandbox, step by step.
 *
 * @module
 */

import type { HostFunctions } from "./communication/host_functions.ts";
import type { HttpOptions } from "./communication/http/mod.ts";
import type { ChannelFactory } from "./communication/mod.ts";
import type { Channel } from "./communication/types.ts";
import { Registry } from "./registry.ts";
import type { RuntimeFactory } from "./runtime/mod.ts";
import type {
  GuestAbi,
  HostImports,
  ModuleFeatures,
  ModuleSource,
  OperationOptions,
  Runtime,
} from "./runtime/types.ts";
import type { Sandbox } from "./sandbox.ts";
import { checkOptions } from "./_check_options.ts";
import type {
  InstancePolicy,
  Isolation,
  RuntimeChoice,
  SandboxOptions,
} from "./sandbox_options.ts";
import type { ProcessPool } from "./runtime/process/pool.ts";
import type { CapabilityKinds } from "./security/kinds.ts";
import type { ResourceLimits } from "./security/limits.ts";
import type { SecurityPolicy } from "./security/policy.ts";
import type { AuditEvent, AuditSink, Capability } from "./security/types.ts";

/** Makes a sandbox: {@linkcode Sandbox.create}. */
export type CreateSandbox = (
  options: SandboxOptions,
  operation: OperationOptions,
) => Promise<Sandbox>;

/**
 * Immutable builder of a {@linkcode Sandbox}: each step returns a new one, and
 * none can fail. `build()` reports everything that is wrong at once.
 *
 * @example Usage
 * ```ts
 * import { Sandbox } from "@wasm-sandbox/core";
 * import { assertEquals } from "@std/assert";
 *
 * // (module (func (export "answer") (result i32) i32.const 42))
 * const module = Uint8Array.fromHex(
 *   "0061736d010000000105016000017f03020100" +
 *     "070a0106616e7377657200000a06010400412a0b",
 * );
 * await using sandbox = await Sandbox.builder()
 *   .module(module)
 *   .memoryLimit(1024 * 1024)
 *   .timeout(100)
 *   .build();
 * assertEquals(sandbox.callSync("answer"), 42);
 * ```
 */
export class SandboxBuilder {
  readonly #create: CreateSandbox;
  readonly #options: Partial<SandboxOptions>;

  /**
   * Constructs a builder; {@linkcode Sandbox.builder} is the way to one.
   *
   * @param create Makes the sandbox in the end.
   * @param options What is known already.
   */
  constructor(create: CreateSandbox, options: Partial<SandboxOptions> = {}) {
    this.#create = create;
    this.#options = Object.freeze({ ...options });
  }

  /**
   * Sets the module.
   *
   * @param source Its bytes, path, URL or response.
   * @returns A new builder.
   */
  module(source: ModuleSource): SandboxBuilder {
    return this.#with({ module: source });
  }

  /**
   * Sets the module.
   *
   * @param path Path or URL of a file.
   * @returns A new builder.
   */
  modulePath(path: string | URL): SandboxBuilder {
    return this.#with({ module: path });
  }

  /**
   * Sets the runtime.
   *
   * @param runtime The runtime, its registered name, or `"auto"`.
   * @param choice What it must offer, and where a name is looked up.
   * @returns A new builder.
   */
  runtime(
    runtime: Runtime | string,
    choice: RuntimeFactory | RuntimeChoice = {},
  ): SandboxBuilder {
    const more = choice instanceof Registry ? { runtimes: choice } : choice;
    return this.#with({ ...more, runtime });
  }

  /**
   * Sets where the guest runs.
   *
   * @param isolation In the calling thread, or in a process of its own.
   * @returns A new builder.
   */
  isolation(isolation: Isolation): SandboxBuilder {
    return this.#with({ isolation });
  }

  /**
   * Sets what the guest may do.
   *
   * @param policy The policy, or its capabilities.
   * @param kinds Kinds of capability, if it holds others than the built-in.
   * @returns A new builder.
   */
  securityPolicy(
    policy: SecurityPolicy | readonly Capability[],
    kinds?: CapabilityKinds,
  ): SandboxBuilder {
    return this.#with({
      policy,
      ...(kinds === undefined ? {} : { capabilityKinds: kinds }),
    });
  }

  /**
   * Has each decision about what the guest may do recorded.
   *
   * @param sink Takes the events: a sink, or a function.
   * @returns A new builder.
   */
  audit(sink: AuditSink | ((event: AuditEvent) => void)): SandboxBuilder {
    return this.#with({ audit: sink });
  }

  /**
   * Sets where processes are taken from.
   *
   * @param pool The pool.
   * @returns A new builder.
   */
  processPool(pool: ProcessPool): SandboxBuilder {
    return this.#with({ pool });
  }

  /**
   * Caps linear memory.
   *
   * @param bytes Ceiling, in bytes.
   * @returns A new builder.
   */
  memoryLimit(bytes: number): SandboxBuilder {
    return this.resourceLimits({ memoryBytes: bytes });
  }

  /**
   * Sets the deadline of each call.
   *
   * @param milliseconds Wall-clock time.
   * @returns A new builder.
   */
  timeout(milliseconds: number): SandboxBuilder {
    return this.resourceLimits({ timeoutMs: milliseconds });
  }

  /**
   * Has fuel counted.
   *
   * @param amount Fuel for all calls together.
   * @returns A new builder.
   */
  fuel(amount: number): SandboxBuilder {
    return this.resourceLimits({ fuel: amount });
  }

  /**
   * Sets limits; those that are left out stay as they are.
   *
   * @param limits The limits.
   * @returns A new builder.
   */
  resourceLimits(limits: ResourceLimits): SandboxBuilder {
    return this.#with({ limits: { ...this.#options.limits, ...limits } });
  }

  /**
   * Allows or refuses proposals; those that are left out stay as they are.
   *
   * @param features The proposals.
   * @returns A new builder.
   */
  features(features: ModuleFeatures): SandboxBuilder {
    return this.#with({ features: { ...this.#options.features, ...features } });
  }

  /**
   * Grants imports; a module's name replaces what was granted under it.
   *
   * @param imports Functions of numbers, and constants.
   * @returns A new builder.
   */
  imports(imports: HostImports): SandboxBuilder {
    return this.#with({ imports: { ...this.#options.imports, ...imports } });
  }

  /**
   * Offers functions that the guest may call by name; a name replaces what was
   * offered under it.
   *
   * @param functions The functions.
   * @returns A new builder.
   */
  hostFunctions(functions: HostFunctions): SandboxBuilder {
    return this.#with({
      hostFunctions: { ...this.#options.hostFunctions, ...functions },
    });
  }

  /**
   * Sets the channel between host and guest.
   *
   * @param channel The channel, or its registered name.
   * @param channels Where a name is looked up.
   * @returns A new builder.
   */
  communicationChannel(
    channel: Channel | string,
    channels?: ChannelFactory,
  ): SandboxBuilder {
    return this.#with({
      channel,
      ...(channels === undefined ? {} : { channels }),
    });
  }

  /**
   * Bounds the requests that a `network` capability grants; bounds that are left
   * out stay as they are.
   *
   * @param options The bounds.
   * @returns A new builder.
   */
  http(options: HttpOptions): SandboxBuilder {
    return this.#with({ http: { ...this.#options.http, ...options } });
  }

  /**
   * Adds modules that the guest imports from; a name replaces what was there.
   *
   * @param modules The modules, by name.
   * @returns A new builder.
   */
  linked(modules: Readonly<Record<string, ModuleSource>>): SandboxBuilder {
    return this.#with({ linked: { ...this.#options.linked, ...modules } });
  }

  /**
   * Names the guest's memory functions.
   *
   * @param abi The names.
   * @returns A new builder.
   */
  guestAbi(abi: GuestAbi): SandboxBuilder {
    return this.#with({ abi });
  }

  /**
   * Sets what happens between two calls.
   *
   * @param policy Whether the instance goes on, or each call gets a new one.
   * @returns A new builder.
   */
  instancePolicy(policy: InstancePolicy): SandboxBuilder {
    return this.#with({ instance: policy });
  }

  /**
   * Builds the sandbox.
   *
   * @param operation Cancellation.
   * @returns The sandbox; dispose it when done.
   * @throws {TypeError} That lists everything that is wrong.
   * @throws {SandboxError} As {@linkcode Sandbox.create} does.
   */
  async build(operation: OperationOptions = {}): Promise<Sandbox> {
    checkOptions(this.#options);
    // checked: the module is there
    return await this.#create(this.#options as SandboxOptions, operation);
  }

  #with(change: Partial<SandboxOptions>): SandboxBuilder {
    return new SandboxBuilder(this.#create, { ...this.#options, ...change });
  }
}

/**
 * Wasmer: programs of WASI and WASIX, in processes of their own.
 *
 * @module
 */

import {
  LIMIT_NAMES,
  resolveLimits,
  type ResourceLimits,
} from "../../security/limits.ts";
import { runtimeDisposed } from "../disposed.ts";
import type { GuestSource, ProcessParts } from "../guest_source.ts";
import type {
  CompileOptions,
  Instance,
  Module,
  ModuleFeatures,
  ModuleSource,
  OperationOptions,
  Runtime,
  RuntimeFeatures,
} from "../types.ts";
import { describe } from "../v8/compiled.ts";
import { FEATURES } from "../v8/features.ts";
import { gate } from "../v8/gate.ts";
import { readSource } from "../v8/source.ts";
import { NAME, unsupported } from "./admission.ts";
import { FEATURES_OF_WASMER } from "./features.ts";
import { loadSdk } from "./sdk.ts";
import type { SdkFiles } from "./sdk_files.ts";
import { endedBy, WasmerSource } from "./source.ts";

/**
 * Runs programs of WASI and WASIX on Wasmer's SDK, `npm:@wasmer/sdk`, which is
 * no part of this package. Wasmer knows no limits and no permissions: each
 * program runs in a process of its own that has none of Deno's, and a module
 * that imports more than is granted is not run at all.
 *
 * Opening one needs the permission to read the SDK's files, and running a
 * program that to run Deno.
 *
 * @example Usage
 * ```ts
 * import { Capabilities, Sandbox } from "@wasm-sandbox/core";
 * import { WasmerRuntime } from "@wasm-sandbox/core/wasmer";
 * import { assertEquals } from "@std/assert";
 *
 * await using runtime = await WasmerRuntime.open();
 * await using sandbox = await Sandbox.create({
 *   module: "examples/programs/rust/wordfreq.wasm",
 *   runtime,
 *   policy: [
 *     Capabilities.clock({ mode: "real" }),
 *     Capabilities.random(),
 *     Capabilities.process(),
 *     Capabilities.stdio(),
 *     Capabilities.environment({}),
 *     Capabilities.filesystem({
 *       mounts: [{ guest: "/workspace", memory: true }],
 *     }),
 *   ],
 * });
 * const { exitCode, stdout } = await sandbox.execute([], { stdin: "to be" });
 * assertEquals(exitCode, 0);
 * assertEquals(JSON.parse(new TextDecoder().decode(stdout)).words, 2);
 * ```
 */
export class WasmerRuntime implements Runtime {
  readonly name: string = NAME;
  readonly features: RuntimeFeatures = FEATURES_OF_WASMER;
  readonly #sdk: SdkFiles;
  readonly #sources = new Set<WasmerSource>();
  /** Sources that are made now. */
  readonly #opening = new Set<Promise<WasmerSource>>();
  readonly #disposal = new AbortController();

  private constructor(sdk: SdkFiles) {
    this.#sdk = sdk;
  }

  /**
   * Finds the SDK; nothing of it runs yet.
   *
   * @returns The runtime; dispose it.
   * @throws {SandboxError} With code `runtime-unavailable`.
   */
  static async open(): Promise<WasmerRuntime> {
    return new WasmerRuntime(await loadSdk());
  }

  async compile(
    source: ModuleSource,
    { limits: given = {}, features = {}, signal }: CompileOptions = {},
  ): Promise<Module> {
    this.#use();
    const limits = resolveLimits(given);
    this.#requireEnforced(given, features);
    const { moduleBytes: maxBytes, tableElements } = limits;
    const bytes = await readSource(source, { maxBytes, signal });
    const mode = { deadline: false, fuel: false, tableElements };
    const gated = gate(bytes, mode, { ...limits, features });
    return Object.freeze({ ...describe(gated), byteLength: bytes.length });
  }

  instantiate(): Promise<Instance> {
    return Promise.reject(
      unsupported(
        "an instance in the calling thread",
        'it runs programs in processes alone: use isolation "process"',
      ),
    );
  }

  async openProcess(
    parts: ProcessParts,
    { signal }: OperationOptions = {},
  ): Promise<GuestSource> {
    this.#use();
    const opening = WasmerSource.create({
      ...parts,
      sdk: this.#sdk,
      onDispose: (source) => this.#sources.delete(source),
    }, endedBy(this.#disposal.signal, signal));
    this.#opening.add(opening);
    try {
      const source = await opening;
      this.#sources.add(source);
      return source;
    } finally {
      this.#opening.delete(opening);
    }
  }

  /** Ends every process that this runtime has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(runtimeDisposed());
    // one that was ready just now is no more aborted
    const opened = await Promise.allSettled(this.#opening);
    const late = opened.flatMap((each) =>
      each.status === "fulfilled" ? [each.value] : []
    );
    await Promise.all(
      [...this.#sources, ...late].map((each) => each[Symbol.asyncDispose]()),
    );
  }

  /** As for a sandbox, for those who compile by themselves. */
  #requireEnforced(limits: ResourceLimits, features: ModuleFeatures): void {
    const { wasm, limits: enforced } = this.features;
    for (const name of LIMIT_NAMES) {
      if (limits[name] === undefined || enforced[name] !== undefined) continue;
      throw unsupported(`the limit ${name}`, "leave it out");
    }
    for (const name of FEATURES) {
      if (features[name] !== true || wasm.includes(name)) continue;
      throw unsupported(`the feature ${name}`, "do not allow it");
    }
  }

  #use(): void {
    this.#disposal.signal.throwIfAborted();
  }
}

/**
 * The runtime that runs guests on Deno's own engine, in the calling thread.
 *
 * @module
 */

import { reasonOf } from "../../_text.ts";
import { type ResolvedLimits, resolveLimits } from "../../security/limits.ts";
import { runtimeDisposed } from "../disposed.ts";
import { LIMITS_OF_OTHERS } from "../enforcers.ts";
import type { GuestSource, ProcessParts } from "../guest_source.ts";
import type {
  CompileOptions,
  Instance,
  InstantiateOptions,
  Module,
  ModuleSource,
  OperationOptions,
  Runtime,
  RuntimeFeatures,
} from "../types.ts";
import {
  checkBounds,
  checkMemory,
  checkMode,
  checkTogether,
  instrumentation,
  NAME,
  tableBound,
  unsupported,
} from "./admission.ts";
import { type CompiledCode, CompiledModule, describe } from "./compiled.ts";
import { contentOf } from "./cache.ts";
import { FEATURES_OF_V8, V8_WITHOUT_DEADLINES } from "./enforced.ts";
import { featureMask, OUT_OF_REACH } from "./features.ts";
import { gate, writeLimits } from "./gate.ts";
import { V8Instance } from "./instance.ts";
import type { InstanceParts } from "./instance_parts.ts";
import {
  functionTypes,
  type GateOptions,
  type Instrumentation,
} from "./layout.ts";
import { unitsOf } from "./linked.ts";
import { refused } from "./bounds.ts";
import { realm } from "./realm.ts";
import { readSource } from "./source.ts";

/** Longest module that is its own name in the cache. */
const MAX_NAME_BYTES = 32 * 2 ** 10;
/** Modules up to this length are compiled at once: a thread costs more. */
const SMALL_BYTES = 1 << 16;

/** Options of {@linkcode V8Runtime}. */
export interface V8RuntimeOptions {
  /**
   * Whether deadlines are written into the guest's code and kept by a watchdog.
   * Say false only if you can end the whole thread from outside: then nothing
   * in it stops a guest that does not return.
   *
   * @default {true}
   */
  readonly keepsDeadlines?: boolean;
}

/**
 * Runs guests on Deno's own engine, in the calling thread, under limits that
 * are written into their code. Does not protect against faults of V8 itself.
 *
 * @example Usage
 * ```ts
 * import { V8Runtime } from "@wasm-sandbox/core/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * // (module (func (export "answer") (result i32) i32.const 42))
 * const bytes = Uint8Array.fromHex(
 *   "0061736d010000000105016000017f03020100" +
 *     "070a0106616e7377657200000a06010400412a0b",
 * );
 * await using runtime = new V8Runtime();
 * const module = await runtime.compile(bytes);
 * await using instance = await runtime.instantiate(module);
 * assertEquals(instance.callSync("answer", []), 42);
 * ```
 */
export class V8Runtime implements Runtime {
  readonly name: string = NAME;
  readonly features: RuntimeFeatures;
  readonly #instances = new Set<Instance>();
  readonly #keepsDeadlines: boolean;
  #disposed = false;

  /**
   * Constructs a runtime.
   *
   * @param options Who keeps the deadlines.
   */
  constructor({ keepsDeadlines = true }: V8RuntimeOptions = {}) {
    this.#keepsDeadlines = keepsDeadlines;
    this.features = keepsDeadlines ? FEATURES_OF_V8 : V8_WITHOUT_DEADLINES;
  }

  async compile(
    source: ModuleSource,
    options: CompileOptions = {},
  ): Promise<Module> {
    this.#use();
    const { signal, features = {} } = options;
    const limits = resolveLimits(options.limits ?? {});
    this.#requireEnforced(limits);
    for (const name of OUT_OF_REACH) {
      if (features[name]) throw unsupported(`the feature "${name}"`);
    }
    const bytes = await readSource(source, {
      maxBytes: limits.moduleBytes,
      signal,
    });
    const mode = instrumentation(limits, this.#keepsDeadlines);
    const key = [
      await contentOf(bytes, MAX_NAME_BYTES),
      featureMask(features),
      limits.moduleBytes,
      limits.functionBytes,
      ...Object.values(mode),
    ].join();
    let code = realm.modules.get(key);
    if (code === undefined) {
      code = await compile(bytes, mode, { ...limits, features });
      realm.modules.set(key, code);
    }
    signal?.throwIfAborted();
    checkMemory([code], limits);
    return new CompiledModule(code, limits);
  }

  async instantiate(
    module: Module,
    options: InstantiateOptions = {},
  ): Promise<Instance> {
    this.#use();
    const { signal, imports = {}, hostModules = [] } = options;
    signal?.throwIfAborted();
    const linked = new Map(
      Object.entries(options.linked ?? {}).map(([name, each]) =>
        [name, compiledHere(each)] as const
      ),
    );
    const main = compiledHere(module);
    const limits = resolveLimits({ ...main.limits, ...options.limits });
    this.#requireEnforced(limits);
    const mode = instrumentation(limits, this.#keepsDeadlines);
    const modules = [main, ...linked.values()];
    for (const { code, limits: compiled } of modules) {
      checkMode(code.mode, mode, linked.size > 0);
      checkBounds(compiled, limits);
    }
    checkTogether(modules, limits);
    const limited = new CompiledModule(main.code, limits);
    const units = unitsOf(main, linked, hostModules);
    const watchdog = this.#keepsDeadlines
      ? await realm.watchdog()
      : realm.idleWatchdog;
    signal?.throwIfAborted();
    this.#use();
    const { trap } = realm;
    return this.#make({
      module: limited,
      units,
      imports,
      hostModules,
      watchdog,
      bridges: realm.bridges,
      trap,
    });
  }

  async openProcess(
    parts: ProcessParts,
    operation?: OperationOptions,
  ): Promise<GuestSource> {
    this.#use();
    // loaded only here: the guest's program is large
    const { ProcessSource } = await import("../process/process_source.ts");
    return await ProcessSource.create(parts, operation);
  }

  /** Disposes every instance that this runtime made. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const instance of this.#instances) {
      await instance[Symbol.asyncDispose]();
    }
  }

  #make(parts: Omit<InstanceParts, "release">): Instance {
    const slot = realm.admit(
      parts.units.reduce(
        (sum, { module: { code } }) => sum + code.memories.length,
        0,
      ),
    );
    try {
      const instance = new V8Instance({
        ...parts,
        release: (gone) => {
          slot.release();
          this.#instances.delete(gone);
        },
      });
      this.#instances.add(instance);
      slot.releaseWith(instance);
      return instance;
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  /** Refuses limits that only others can enforce, unless they are there. */
  #requireEnforced(limits: ResolvedLimits): void {
    if (!this.#keepsDeadlines) return;
    for (const name of LIMITS_OF_OTHERS) {
      if (limits[name] !== undefined) throw unsupported(`the limit "${name}"`);
    }
  }

  #use(): void {
    if (!this.#disposed) return;
    throw runtimeDisposed();
  }
}

async function compile(
  bytes: Uint8Array<ArrayBuffer>,
  mode: Instrumentation,
  options: GateOptions,
): Promise<CompiledCode> {
  const gated = gate(bytes, mode, options);
  realm.admitTypes(functionTypes(gated.layout));
  const code = writeLimits(gated, mode);
  return {
    compiled: await compileCode(bytes.length, code),
    description: describe(gated),
    byteLength: bytes.length,
    memories: gated.layout.memories.filter(({ imported }) => !imported),
    tableElements: tableBound(gated.layout, mode),
    mode,
    cacheBytes: code.length,
  };
}

async function compileCode(
  byteLength: number,
  code: Uint8Array<ArrayBuffer>,
): Promise<WebAssembly.Module> {
  try {
    return code.length <= SMALL_BYTES
      ? new WebAssembly.Module(code)
      : await WebAssembly.compile(code);
  } catch (cause) {
    throw refused(
      `with its limits written in, the engine does not take it: ${
        reasonOf(cause)
      }`,
      { reason: `engine limit, at ${byteLength} bytes` },
    );
  }
}

function compiledHere(module: Module): CompiledModule {
  if (module instanceof CompiledModule) return module;
  throw new TypeError(
    `Cannot instantiate the module: it was not compiled by the "${NAME}" runtime`,
  );
}

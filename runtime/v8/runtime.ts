/**
 * The runtime that runs guests on Deno's own engine, in the calling thread.
 *
 * @module
 */

import { printable } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { type ResolvedLimits, resolveLimits } from "../../security/limits.ts";
import type { GuestSource, ProcessParts } from "../guest_source.ts";
import type {
  CompileOptions,
  Enforcement,
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
import { featureMask, FEATURES, OUT_OF_REACH } from "./features.ts";
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

/** Limits that a process, a sandbox or a channel enforces, and no runtime. */
const OF_OTHERS = Object.freeze(
  [
    "cpuMs",
    "stackBytes",
    "messages",
    "instances",
    "networkRequests",
    "networkBytes",
  ] as const,
);

/** Modules up to this length are compiled at once: a thread costs more. */
const SMALL_BYTES = 1 << 16;

function hard(by: string): Enforcement {
  return Object.freeze({ level: "hard", by });
}

const FEATURES_OF_V8: RuntimeFeatures = Object.freeze({
  wasm: Object.freeze(
    FEATURES.filter((name) => !OUT_OF_REACH.includes(name)),
  ),
  sync: true,
  async: true,
  calls: true,
  linked: true,
  wasix: false,
  isolations: Object.freeze(["inline", "process"] as const),
  limits: Object.freeze({
    memoryBytes: hard("the maximum of each memory, which the host makes"),
    tableElements: hard("the maximum of each table, written into the module"),
    timeoutMs: hard(
      "checks written into the module, of a flag that a watchdog thread sets, " +
        "and a timer while the guest waits; a host function that blocks is " +
        "stopped when it returns",
    ),
    fuel: hard("charges written into the module"),
    messageBytes: hard("the host, before it copies"),
    moduleBytes: hard("the gate, before it reads further"),
    functionBytes: hard("the gate"),
    hostCalls: hard("a count before each call of a host function"),
    stack: hard("V8, whose stack has a fixed size"),
  }),
  unprotected: Object.freeze([
    "faults of the engine: guest and host share one V8, and only the module " +
    "gate stands before it",
    "the event loop: it waits while the guest runs, up to timeoutMs",
    "memory of stacks: a guest that waits for its host keeps its stack, up to " +
    "984 KiB for each instance, which memoryBytes does not count",
  ]),
});

const WITHOUT_DEADLINES: RuntimeFeatures = Object.freeze({
  ...FEATURES_OF_V8,
  limits: Object.freeze({
    ...FEATURES_OF_V8.limits,
    timeoutMs: Object.freeze({ level: "none", by: "whoever runs the runtime" }),
  }),
});

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
    this.features = keepsDeadlines ? FEATURES_OF_V8 : WITHOUT_DEADLINES;
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
      await contentOf(bytes),
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
    for (const name of OF_OTHERS) {
      if (limits[name] !== undefined) throw unsupported(`the limit "${name}"`);
    }
  }

  #use(): void {
    if (!this.#disposed) return;
    throw new SandboxError(
      "disposed",
      "Cannot use the runtime: it is disposed",
      { details: { kind: "runtime" } },
    );
  }
}

/** Longest module that is its own name in the cache. */
const MAX_NAME_BYTES = 32 * 2 ** 10;

/** What names a module in the cache: short ones need no other thread for it. */
async function contentOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (bytes.length <= MAX_NAME_BYTES) return bytes.toBase64();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
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
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refused(
      `with its limits written in, the engine does not take it: ${
        printable(reason)
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

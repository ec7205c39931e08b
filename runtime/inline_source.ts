/**
 * Instances in the calling thread.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import type { Auditor, Capability, HostMount } from "../security/types.ts";
import type {
  GuestInstance,
  GuestOptions,
  GuestSource,
} from "./guest_source.ts";
import { InlineInstance } from "./inline_instance.ts";
import type {
  Enforcement,
  HostImports,
  Module,
  ModuleFeatures,
  ModuleSource,
  OperationOptions,
  Runtime,
  RuntimeFeatures,
} from "./types.ts";
import { HostTree } from "./wasi/fs/host_tree.ts";
import type { OpenHostTree } from "./wasi/types.ts";
import { PREVIEW1, UNSTABLE } from "./wasi/abi.ts";
import { Wasi } from "./wasi/wasi.ts";

/** What instances in the calling thread are made from. */
export interface InlineOptions {
  /** What compiles and runs them. Not disposed with the source. */
  readonly runtime: Runtime;
  /** Where the module comes from. */
  readonly module: ModuleSource;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** Which proposals the module may use. */
  readonly features: ModuleFeatures;
  /** Functions of numbers, and constants. */
  readonly imports: HostImports;
  /** What is granted. */
  readonly capabilities: readonly Capability[];
  /** Decides, and records. */
  readonly auditor: Auditor;
  /**
   * Makes the trees of host directories.
   *
   * @default {a tree in this thread, with this thread's permissions}
   */
  readonly openHostTree?: OpenHostTree;
}

/** Names that a guest may import WASI from. */
const WASI_MODULES: readonly string[] = [PREVIEW1.module, UNSTABLE.module];

/** What no guest in the calling thread is kept from. */
const GAPS: readonly string[] = Object.freeze([
  "faults of the engine: guest and host share one V8, and only the module " +
  "gate stands before it",
  "side channels: the guest shares caches and cores with the host, and can " +
  "count loops to measure time",
  "the event loop: it waits while the guest runs, up to timeoutMs",
]);

const BY_WASI: Enforcement = Object.freeze({
  level: "hard",
  by: "the WASI layer, before it acts",
});

/** Limits that the WASI layer enforces, whatever the runtime. */
const WASI_LIMITS: RuntimeFeatures["limits"] = Object.freeze({
  openFiles: BY_WASI,
  writtenBytes: BY_WASI,
  fileEntries: BY_WASI,
  stdinBytes: BY_WASI,
  stdoutBytes: BY_WASI,
  stderrBytes: BY_WASI,
});

/**
 * What a runtime enforces together with the WASI layer.
 *
 * @param runtime The runtime.
 * @returns Its features, and the limits of WASI.
 */
export function inlineFeatures(runtime: Runtime): RuntimeFeatures {
  const { features } = runtime;
  return { ...features, limits: { ...WASI_LIMITS, ...features.limits } };
}

/** Makes instances in the calling thread. */
export class InlineSource implements GuestSource {
  readonly isolation = "inline";
  readonly unprotected: readonly string[] = GAPS;
  readonly grants: Readonly<Record<string, string>>;
  readonly module: Module;
  readonly features: RuntimeFeatures;
  readonly #options: InlineOptions;
  readonly #usesWasi: boolean;

  private constructor(options: InlineOptions, module: Module) {
    this.#options = options;
    this.module = module;
    this.features = inlineFeatures(options.runtime);
    this.#usesWasi = usesWasi(module, options.imports);
    const { capabilities } = options;
    this.grants = Object.fromEntries(
      capabilities.map(({ type }) => [type, INLINE_GRANTS[type] ?? BY_AUDITOR]),
    );
  }

  /**
   * Compiles a module.
   *
   * @param options The module, and what its instances are made from.
   * @param operation Cancellation.
   * @returns The source.
   * @throws {SandboxError} If the module cannot be read or is refused.
   */
  static async create(
    options: InlineOptions,
    operation: OperationOptions = {},
  ): Promise<InlineSource> {
    const { runtime, limits, features } = options;
    const module = await runtime.compile(options.module, {
      limits: limitsOfRuntime(limits),
      features,
      ...operation,
    });
    if (usesWasi(module, options.imports)) checkMemoryExport(module);
    return new InlineSource(options, module);
  }

  get runtimeName(): string {
    return this.#options.runtime.name;
  }

  async instantiate(
    { fuel, ...operation }: GuestOptions,
  ): Promise<GuestInstance> {
    const { runtime, imports, limits } = this.#options;
    using wasi = new DisposableStack();
    const layer = this.#usesWasi ? wasi.use(this.#wasi()) : undefined;
    const instance = await runtime.instantiate(this.module, {
      imports,
      hostModules: layer?.modules ?? [],
      ...(fuel === undefined ? {} : { limits: { fuel } }),
      ...operation,
    });
    wasi.move();
    const guest = new InlineInstance(instance, { wasi: layer, limits });
    return await guest.initialize();
  }

  /** The runtime holds the instances, and whoever made it lets them go. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #wasi(): Wasi {
    const {
      auditor,
      capabilities,
      limits,
      openHostTree = openHere,
    } = this.#options;
    return new Wasi({ auditor, capabilities, limits, openHostTree });
  }
}

function openHere({ host, symlinks }: Required<HostMount>): HostTree {
  return new HostTree({ root: host, symlinks });
}

const BY_AUDITOR = "the auditor, in the host function that asks it";

/** Who enforces the grants of each type. */
const INLINE_GRANTS: Readonly<Record<string, string>> = Object.freeze({
  filesystem: "the WASI layer, by steps of its own from directory to " +
    "directory; no permissions of Deno's that are narrower than the host's " +
    "lie beneath it, and another process that swaps links may win a race",
  environment: "the WASI layer, which holds no others",
  clock: "the WASI layer",
  random: "the WASI layer",
  process: "the WASI layer",
  stdio: "the WASI layer",
  network: "the auditor; nothing of this version reaches the network",
});

/** Without those that the sandbox itself enforces. */
function limitsOfRuntime(
  { messages: _messages, instances: _instances, ...limits }: ResolvedLimits,
): ResolvedLimits {
  return limits;
}

function usesWasi(module: Module, imports: HostImports): boolean {
  return module.imports.some((need) =>
    WASI_MODULES.includes(need.module) && !Object.hasOwn(imports, need.module)
  );
}

/** WASI's functions read and write the guest's memory, by its export. */
function checkMemoryExport({ exports }: Module): void {
  const memory = exports.find(({ name }) => name === "memory");
  if (memory === undefined || memory.kind === "memory") return;
  const reason = `its export "memory" is a ${memory.kind}`;
  throw new SandboxError(
    "module-refused",
    `Cannot run the module with WASI: ${reason} (${
      quote("memory")
    } must be its memory)`,
    { details: { reason } },
  );
}

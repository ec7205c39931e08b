/**
 * Instances in the calling thread.
 *
 * @module
 */

import { quote } from "../_text.ts";
import {
  requireAbi,
  usesGuestImports,
} from "../communication/guest_imports.ts";
import {
  commandHosts,
  mayWaitForHost,
  type MemorySplit,
  splitCommands,
  splitMemory,
} from "../communication/extism/mod.ts";
import type { ServiceProvider } from "../communication/types.ts";
import { SandboxError } from "../errors.ts";
import type { ResolvedLimits, ResourceLimits } from "../security/limits.ts";
import type { Auditor, Capability, HostMount } from "../security/types.ts";
import type {
  GuestInstance,
  GuestOptions,
  GuestSource,
} from "./guest_source.ts";
import { type ExtismParts, GuestHost } from "./guest_host.ts";
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
  /** Other modules, by the names that they are imported from. */
  readonly linked?: Readonly<Record<string, ModuleSource>> | undefined;
  /** What guests may ask of their host. */
  readonly services: ServiceProvider;
  /** What Extism plug-ins are given; without it none is run. */
  readonly extism?: ExtismParts | undefined;
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
export const WASI_MODULES: readonly string[] = Object.freeze([
  PREVIEW1.module,
  UNSTABLE.module,
]);

/** What no guest in the calling thread is kept from, whatever the runtime. */
const GAPS: readonly string[] = Object.freeze([
  "side channels: the guest shares caches and cores with the host, and can " +
  "count loops to measure time",
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
export function inlineFeatures(
  runtime: Pick<Runtime, "features">,
): RuntimeFeatures {
  const { features } = runtime;
  return { ...features, limits: { ...WASI_LIMITS, ...features.limits } };
}

/** Makes instances in the calling thread. */
export class InlineSource implements GuestSource {
  readonly isolation = "inline";
  readonly unprotected: readonly string[];
  readonly grants: Readonly<Record<string, string>>;
  readonly module: Module;
  readonly features: RuntimeFeatures;
  readonly mayWait: boolean;
  readonly #options: InlineOptions;
  readonly #linked: Readonly<Record<string, Module>>;
  readonly #usesWasi: boolean;
  readonly #usesHost: boolean;
  /** How memory is split between a plug-in and what it hands its host. */
  readonly #split: MemorySplit | undefined;

  private constructor(
    options: InlineOptions,
    module: Module,
    linked: Readonly<Record<string, Module>>,
  ) {
    this.#options = options;
    this.#linked = linked;
    this.module = module;
    this.features = inlineFeatures(options.runtime);
    this.unprotected = [...this.features.unprotected ?? [], ...GAPS];
    const all = [module, ...Object.values(linked)];
    this.#usesWasi = all.some((each) => usesWasi(each, options.imports));
    this.#split = splitOf(options);
    this.#usesHost = all.some(usesGuestImports) || this.#split !== undefined;
    this.mayWait = this.features.async &&
      (all.some(usesGuestImports) || options.extism !== undefined &&
          mayWaitForHost(
            { ...linked, main: module },
            options.extism.functions,
          ));
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
    const { runtime, features } = options;
    const limits = limitsOfRuntime(options);
    const compile = async (source: ModuleSource) => {
      const module = await runtime.compile(source, {
        limits,
        features,
        ...operation,
      });
      requireAbi(module.exports);
      if (usesWasi(module, options.imports)) checkMemoryExport(module);
      return module;
    };
    const module = await compile(options.module);
    const linked: Record<string, Module> = Object.create(null);
    for (const [name, source] of Object.entries(options.linked ?? {})) {
      linked[name] = await compile(source);
    }
    return new InlineSource(options, module, linked);
  }

  get runtimeName(): string {
    return this.#options.runtime.name;
  }

  async instantiate(
    { fuel, ...operation }: GuestOptions,
  ): Promise<GuestInstance> {
    const { runtime, imports, limits } = this.#options;
    using stack = new DisposableStack();
    const wasi = this.#usesWasi ? stack.use(this.#wasi()) : undefined;
    const host = this.#usesHost ? this.#host() : undefined;
    const plugin = host?.extism;
    if (plugin?.stdio !== undefined) {
      wasi?.prepare({ ...NOTHING_TO_READ, ...plugin.stdio });
    }
    const { commands, libraries } = plugin === undefined
      ? { commands: {}, libraries: this.#linked }
      : splitCommands(this.#linked);
    const hostModules = [...(wasi?.modules ?? []), ...(host?.modules ?? [])];
    const linked = Object.keys(libraries).length === 0
      ? {}
      : { linked: libraries };
    if (plugin !== undefined) {
      hostModules.push(...commandHosts({
        commands,
        hasFuel: limits.fuel !== undefined,
        remainingMs: () => plugin.remainingMs(limits.timeoutMs),
        instantiate: (module) =>
          runtime.instantiate(module, { imports, hostModules, ...linked }),
      }));
    }
    const make = () =>
      runtime.instantiate(this.module, {
        imports,
        hostModules,
        ...linked,
        ...(fuel === undefined ? {} : { limits: { fuel } }),
        ...operation,
      });
    const instance = host === undefined
      ? await make()
      : await host.serve("start", {}, make);
    stack.move();
    const guest = new InlineInstance(instance, { wasi, host, limits });
    return await guest.initialize();
  }

  /** The runtime holds the instances, and whoever made it lets them go. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #host(): GuestHost {
    const { services, limits, extism } = this.#options;
    const split = this.#split;
    return new GuestHost({
      services,
      limits,
      extism: split && extism && { ...extism, maxPages: split.maxPages },
      modules: { ...this.#linked, main: this.module },
    });
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

/** A run of a plug-in is given nothing but where it writes to. */
const NOTHING_TO_READ = Object.freeze({
  args: [],
  env: {},
  files: {},
  stdin: { read: () => undefined },
});

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
  network:
    "the host, which asks the auditor, looks at each address and dials " +
    "it by itself; no permissions of Deno's that are narrower lie beneath it",
  host_functions: "the host, before it calls one",
});

/** Without those that the sandbox itself enforces. */
function limitsOfRuntime(options: InlineOptions): ResourceLimits {
  const {
    messages: _messages,
    instances: _instances,
    networkRequests: _networkRequests,
    networkBytes: _networkBytes,
    streamBytes: _streamBytes,
    ...limits
  } = options.limits;
  const memoryBytes = splitOf(options)?.guestBytes ?? limits.memoryBytes;
  return { ...limits, memoryBytes };
}

/** How the memory of an Extism plug-in is split, if one may be run. */
function splitOf(
  { extism, limits: { memoryBytes } }: InlineOptions,
): MemorySplit | undefined {
  return extism && splitMemory(memoryBytes, extism.settings.maxPages);
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

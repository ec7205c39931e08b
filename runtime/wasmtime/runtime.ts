/**
 * The runtime that runs guests on Wasmtime, whose library it opens through
 * Deno's foreign function interface.
 *
 * @module
 */

import { reasonOf } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
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
import { checkBounds, checkMemory, checkTables } from "../v8/admission.ts";
import { OUT_OF_REACH } from "../v8/features.ts";
import { PAGE_BYTES } from "../v8/link.ts";
import { unitsOf } from "../v8/linked.ts";
import { realm } from "../v8/realm.ts";
import { readSource } from "../v8/source.ts";
import { Codes } from "./codes.ts";
import { CodeStore } from "./code_store.ts";
import type { EngineMode } from "./engine.ts";
import { FEATURES_OF_WASMTIME, WITHOUT_DEADLINES } from "./features.ts";
import { findLibrary, requireIntact } from "./find.ts";
import { WasmtimeInstance } from "./instance.ts";
import { type LinkParts, Live } from "./live.ts";
import { prepare, WasmtimeModule } from "./module.ts";
import { doesNotFit, plan, type WasmtimeUnit } from "./plan.ts";
import { notEnforced, requireCounted, requireTimely } from "./refusals.ts";
import { libraries, type SharedLibrary } from "./shared.ts";
import { LinkFailure } from "./store.ts";
import { GuestStop } from "./traps.ts";
import { NAME } from "./unavailable.ts";

/** Options of {@linkcode WasmtimeRuntime.open}. */
export interface WasmtimeOptions {
  /**
   * Path or `file:` URL of the library. Without it the environment variable
   * `WASM_SANDBOX_WASMTIME`, this package's own cache and the usual places of
   * the system are looked at.
   */
  readonly library?: string | URL;
  /**
   * Folder in which native code is kept from one run of the program to the
   * next; it is made if need be. Only the user may read or write it: code that
   * others may have changed is never run. Not on Windows, and not for guests
   * in processes of their own, which compile for themselves.
   */
  readonly cacheDir?: string;
  /**
   * Whether deadlines are kept by a thread that raises the engines' epoch. Say
   * false only if you can end the whole process from outside: then nothing in
   * it stops a guest that does not return.
   *
   * @default {true}
   */
  readonly keepsDeadlines?: boolean;
}

/** What a runtime is made of. */
interface RuntimeParts {
  readonly library: SharedLibrary;
  readonly store: CodeStore | undefined;
  readonly keepsDeadlines: boolean;
}

/**
 * Runs guests on Wasmtime, in this process or in one of their own. Its library
 * must be on the machine, and Deno be run with `--allow-ffi`, without a path.
 * Does not protect against faults of Wasmtime itself: what goes wrong in native
 * code ends the process.
 *
 * @example Usage
 * ```ts ignore
 * import { WasmtimeRuntime } from "@wasm-sandbox/core/wasmtime";
 *
 * await using runtime = await WasmtimeRuntime.open();
 * const module = await runtime.compile("plugin.wasm");
 * await using instance = await runtime.instantiate(module);
 * instance.callSync("run", []);
 * ```
 */
export class WasmtimeRuntime implements Runtime {
  readonly name: string = NAME;
  readonly features: RuntimeFeatures;
  readonly #instances = new Set<Instance>();
  readonly #library: SharedLibrary;
  readonly #store: CodeStore | undefined;
  readonly #keepsDeadlines: boolean;
  #disposed = false;
  /** What still needs the library: compilations, and the runtime itself. */
  #uses = 1;

  private constructor({ library, store, keepsDeadlines }: RuntimeParts) {
    this.#library = library;
    this.#store = store;
    this.#keepsDeadlines = keepsDeadlines;
    this.features = keepsDeadlines ? FEATURES_OF_WASMTIME : WITHOUT_DEADLINES;
  }

  /**
   * Finds the library, opens it, and looks at its version.
   *
   * @param options The library, if it is known, and where to keep code.
   * @returns The runtime.
   * @throws {SandboxError} With code `runtime-unavailable`.
   */
  static async open(
    { library, cacheDir, keepsDeadlines = true }: WasmtimeOptions = {},
  ): Promise<WasmtimeRuntime> {
    const found = await findLibrary(library === undefined ? {} : { library });
    const { path } = found;
    if (!libraries.has(path)) await requireIntact(found);
    const shared = libraries.open(path);
    try {
      const { version } = shared;
      const store = cacheDir === undefined
        ? undefined
        : await CodeStore.open(cacheDir, { path, version });
      return new WasmtimeRuntime({ library: shared, store, keepsDeadlines });
    } catch (error) {
      shared.close();
      throw error;
    }
  }

  /** The first number of the library's version. */
  get version(): string {
    return String(this.#library.version);
  }

  /** Where the library is. */
  get libraryPath(): string {
    return this.#library.path;
  }

  async compile(
    source: ModuleSource,
    options: CompileOptions = {},
  ): Promise<Module> {
    this.#requireOpen();
    const { signal, features = {} } = options;
    const limits = resolveLimits(options.limits ?? {});
    this.#requireEnforced(limits);
    for (const name of OUT_OF_REACH) {
      if (features[name]) throw notEnforced(`the feature "${name}"`);
    }
    const bytes = await readSource(source, {
      maxBytes: limits.moduleBytes,
      signal,
    });
    return await this.#use(async () => {
      const given = { features, limits };
      const prepared = await prepare(bytes, given, this.#library.prepared);
      requireCounted(prepared.description, limits);
      if (this.#keepsDeadlines) requireTimely(prepared, limits);
      const module = new WasmtimeModule(prepared, given, limits);
      // at once: whether the engine takes it must be known now
      const engine = this.#library.engine(this.#modeOf(limits));
      const { key, written, work } = prepared;
      const code = await this.#library.code(engine, {
        key,
        bytes: written,
        work,
        store: this.#store,
      });
      engine.codes.giveBack(code);
      signal?.throwIfAborted();
      return module;
    });
  }

  async instantiate(
    module: Module,
    options: InstantiateOptions = {},
  ): Promise<Instance> {
    this.#requireOpen();
    const { signal, imports = {}, hostModules = [] } = options;
    signal?.throwIfAborted();
    const main = compiledHere(module);
    const limits = resolveLimits({ ...main.limits, ...options.limits });
    this.#requireEnforced(limits);
    const linked = new Map(
      Object.entries(options.linked ?? {}).map(([name, each]) =>
        [name, compiledHere(each)] as const
      ),
    );
    const modules = [main, ...linked.values()];
    for (const each of modules) {
      checkBounds(each.limits, limits);
      requireCounted(each, limits);
      if (this.#keepsDeadlines) requireTimely(each.prepared, limits);
    }
    checkTogether(modules, limits);
    const given = unitsOf(main, linked, hostModules);
    return await this.#use(async () => {
      const units = await this.#sharing(given, limits);
      const made = { limits, ...(signal === undefined ? {} : { signal }) };
      return await this.#make(units, { imports, hostModules }, made);
    });
  }

  async openProcess(
    parts: ProcessParts,
    operation?: OperationOptions,
  ): Promise<GuestSource> {
    this.#requireOpen();
    // loaded only here: the guest's program is large
    const { ProcessSource } = await import("../process/process_source.ts");
    const engine = { name: NAME, library: this.libraryPath } as const;
    return await ProcessSource.create({ ...parts, engine }, operation);
  }

  /** Disposes every instance that this runtime made, and closes the library. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const instance of this.#instances) {
      await instance[Symbol.asyncDispose]();
    }
    this.#release();
  }

  async #make(
    units: readonly WasmtimeUnit[],
    { imports = {}, hostModules = [] }: InstantiateOptions,
    { limits, signal }: MakeOptions,
  ): Promise<Instance> {
    const mode = this.#modeOf(limits);
    const library = this.#library;
    const engine = library.engine(mode);
    const ticker = mode.deadline ? await library.ticker() : undefined;
    const [main] = units;
    if (main === undefined) throw new TypeError("Cannot link no modules");
    const slot = realm.admit(memoriesOf(units));
    const instance = new WasmtimeInstance({
      exports: main.module.exports,
      limits,
      ticker,
      release: (gone) => {
        slot.release();
        this.#instances.delete(gone);
      },
    });
    try {
      using codes = new Codes(
        (source) => library.code(engine, { ...source, store: this.#store }),
        (code) => engine.codes.giveBack(code),
      );
      const access = (unit: number) => instance.access(unit);
      const plans = plan(units, { imports, hostModules, access });
      const parts = {
        native: library.native,
        engine: engine.pointer,
        plans,
        codes: await codes.of(plans),
        limits,
        caller: instance.caller,
      };
      signal?.throwIfAborted();
      this.#requireOpen();
      this.#instances.add(instance);
      instance.start(link(parts));
      return instance;
    } catch (error) {
      await instance[Symbol.asyncDispose]();
      slot.release();
      this.#instances.delete(instance);
      throw error;
    }
  }

  /** Gives each of several modules its share of the memory they may have. */
  async #sharing(
    units: readonly WasmtimeUnit[],
    { memoryBytes, tableElements }: ResolvedLimits,
  ): Promise<readonly WasmtimeUnit[]> {
    const all = units.map(({ module }) => module.prepared.memories);
    const initial = all.flat().reduce((sum, { min }) => sum + min, 0);
    const count = Math.max(1, all.flat().length);
    const share = Math.floor(
      (Math.floor(memoryBytes / PAGE_BYTES) - initial) / count,
    );
    return await Promise.all(units.map(async (unit) => {
      const { memories, source } = unit.module.prepared;
      const own = memories.reduce((sum, { min }) => sum + min + share, 0);
      const isAlone = units.length === 1;
      const limits = {
        ...unit.module.limits,
        memoryBytes: isAlone ? memoryBytes : own * PAGE_BYTES,
        ...(isAlone ? { tableElements } : {}),
      };
      const { features } = unit.module.options;
      const { prepared: cache } = this.#library;
      const prepared = await prepare(source, { features, limits }, cache);
      return { ...unit, module: unit.module.with(prepared) };
    }));
  }

  #modeOf({ timeoutMs, fuel }: ResolvedLimits): EngineMode {
    return {
      deadline: this.#keepsDeadlines && Number.isFinite(timeoutMs),
      fuel: fuel !== undefined,
    };
  }

  /** Refuses limits that only others can enforce, unless they are there. */
  #requireEnforced(limits: ResolvedLimits): void {
    if (!this.#keepsDeadlines) return;
    for (const name of LIMITS_OF_OTHERS) {
      if (limits[name] !== undefined) throw notEnforced(`the limit "${name}"`);
    }
  }

  #requireOpen(): void {
    if (!this.#disposed) return;
    throw runtimeDisposed();
  }

  /** Keeps the library open while something goes on. */
  async #use<T>(work: () => Promise<T>): Promise<T> {
    this.#uses++;
    try {
      return await work();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    if (--this.#uses === 0) this.#library.close();
  }
}

/** What an instance is made with. */
interface MakeOptions extends OperationOptions {
  readonly limits: ResolvedLimits;
}

/** How many memories there are, with one for each adapter. */
function memoriesOf(units: readonly WasmtimeUnit[]): number {
  return units.reduce(
    (sum, { module }) => sum + module.prepared.memories.length + 1,
    0,
  );
}

function compiledHere(module: Module): WasmtimeModule {
  if (module instanceof WasmtimeModule) return module;
  throw new TypeError(
    `Cannot instantiate the module: it was not compiled by the "${NAME}" runtime`,
  );
}

/** Checks limits that modules share. */
function checkTogether(
  modules: readonly WasmtimeModule[],
  limits: ResolvedLimits,
): void {
  checkMemory(modules.map(({ prepared }) => prepared), limits);
  if (modules.length > 1) {
    checkTables(modules.map(({ prepared }) => prepared), limits);
  }
}

function link(parts: LinkParts): Live {
  try {
    return new Live(parts);
  } catch (cause) {
    if (cause instanceof LinkFailure) throw notLinked(cause, parts.limits);
    if (!(cause instanceof GuestStop)) throw cause;
    throw new SandboxError(
      "trap",
      `Cannot make an instance: the engine says: ${reasonOf(cause.error)}`,
      { cause: cause.error, details: { export: "start", kind: "trap" } },
    );
  }
}

function notLinked(
  { message }: LinkFailure,
  { memoryBytes }: ResolvedLimits,
): SandboxError {
  if (message.includes("incompatible import")) return doesNotFit(message);
  const suggestion = "dispose other sandboxes, or lower memoryBytes";
  return new SandboxError(
    "limit-exceeded",
    `Cannot make an instance: the machine has no room for it: ${message} (${suggestion})`,
    { details: { limit: "memoryBytes", allowed: memoryBytes, suggestion } },
  );
}

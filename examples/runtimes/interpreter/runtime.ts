/**
 * A runtime of one's own: an interpreter of WebAssembly in TypeScript.
 *
 * @module
 */

import { resolveLimits } from "@wasm-sandbox/core";
import type {
  CompileOptions,
  Enforcement,
  Instance,
  InstantiateOptions,
  Module,
  ModuleSource,
  ResolvedLimits,
  Runtime,
  RuntimeFeatures,
} from "@wasm-sandbox/core/runtime";
import { beyond, disposed, NAME, unsupported } from "./errors.ts";
import { featureMask, readSource } from "@wasm-sandbox/core/runtime-authors";
import { InterpretedInstance } from "./instance.ts";
import { checkSizes, compileModule, InterpretedModule } from "./module.ts";
import { KNOWN } from "./proposals.ts";

/** Limits that are not this runtime's to enforce. */
const OF_OTHERS = [
  "cpuMs",
  "messages",
  "instances",
  "networkRequests",
  "networkBytes",
] as const;

function hard(by: string): Enforcement {
  return Object.freeze({ level: "hard", by });
}

const FEATURES: RuntimeFeatures = Object.freeze({
  wasm: KNOWN,
  sync: true,
  async: true,
  calls: true,
  linked: false,
  wasix: false,
  isolations: Object.freeze(["inline"] as const),
  limits: Object.freeze({
    memoryBytes: hard("the interpreter, before a memory grows"),
    tableElements: hard("the interpreter, before a table grows"),
    timeoutMs: hard(
      "a look at the clock every 10,000 units of work, around each call of " +
        "the host, and by a timer while the guest waits; a host function " +
        "that blocks is stopped when it returns",
    ),
    fuel: hard("a count at each instruction"),
    messageBytes: hard("the host, before it copies"),
    moduleBytes: hard("the host, before it reads further"),
    functionBytes: hard("the interpreter, before it reads the function"),
    hostCalls: hard("a count before each call of a host function"),
    stack: hard("the interpreter, whose stack has a fixed size"),
    stackBytes: hard("the interpreter, whose stack has that size"),
  }),
  unprotected: Object.freeze([
    "the event loop: it waits while the guest runs, up to timeoutMs",
    "memory of the interpreter's own: code takes up to some sixteen times " +
    "the bytes of its module, and memoryBytes does not count it",
  ]),
});

/**
 * Runs guests in an interpreter: slowly, but on no engine other than the one
 * that runs this program, and with no code of the guest's ever compiled.
 *
 * @example Usage
 * ```ts ignore
 * const runtimes = new RuntimeFactory();
 * runtimes.register("interpreter", () => new InterpreterRuntime());
 * await using sandbox = await Sandbox.create({
 *   module,
 *   runtimes,
 *   runtime: "interpreter",
 * });
 * ```
 */
export class InterpreterRuntime implements Runtime {
  readonly name: string = NAME;
  readonly features: RuntimeFeatures = FEATURES;
  readonly #instances = new Set<Instance>();
  #isDisposed = false;

  async compile(
    source: ModuleSource,
    options: CompileOptions = {},
  ): Promise<Module> {
    this.#use();
    const { signal, features = {} } = options;
    const limits = resolveLimits(options.limits ?? {});
    requireEnforced(limits);
    // throws if a name is no feature
    featureMask(features);
    const { moduleBytes: maxBytes } = limits;
    const bytes = await readSource(source, { maxBytes, signal });
    const module = await compileModule(bytes, { limits, features, signal });
    signal?.throwIfAborted();
    return module;
  }

  async instantiate(
    module: Module,
    options: InstantiateOptions = {},
  ): Promise<Instance> {
    this.#use();
    const { signal, imports = {}, hostModules = [], linked = {} } = options;
    signal?.throwIfAborted();
    if (!(module instanceof InterpretedModule)) throw foreign();
    if (Object.keys(linked).length > 0) throw unsupported("linked modules");
    const limits = resolveLimits({ ...module.limits, ...options.limits });
    requireEnforced(limits);
    checkLengths(module, limits);
    checkSizes(module.parts, limits);
    const instance = new InterpretedInstance(
      { module, limits, imports, hostModules },
      (gone) => this.#instances.delete(gone),
    );
    this.#instances.add(instance);
    await instance.start(module.parts.start, signal);
    return instance;
  }

  /** Disposes every instance that this runtime made. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const instance of this.#instances) {
      await instance[Symbol.asyncDispose]();
    }
  }

  #use(): void {
    if (this.#isDisposed) throw disposed("runtime");
  }
}

/** Refuses limits that this runtime does not enforce. */
function requireEnforced(limits: ResolvedLimits): void {
  for (const name of OF_OTHERS) {
    if (limits[name] !== undefined) throw unsupported(`the limit "${name}"`);
  }
}

/** A module may be instantiated with lower bounds than it was compiled with. */
function checkLengths(
  { byteLength, parts: { bodies } }: InterpretedModule,
  { moduleBytes, functionBytes }: ResolvedLimits,
): void {
  if (byteLength > moduleBytes) {
    throw beyond("moduleBytes", moduleBytes, byteLength);
  }
  const longest = bodies.reduce(
    (most, [start, end]) => Math.max(most, end - start),
    0,
  );
  if (longest > functionBytes) {
    throw beyond("functionBytes", functionBytes, longest);
  }
}

function foreign(): TypeError {
  return new TypeError(
    "Cannot instantiate the module: it was not compiled by the " +
      `"${NAME}" runtime`,
  );
}

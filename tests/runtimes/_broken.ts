/**
 * Runtimes with one fault each, around one that has none.
 *
 * @module
 */

import {
  type CompileOptions,
  type Instance,
  type InstantiateOptions,
  type Module,
  type ProcessParts,
  type Runtime,
  type RuntimeFeatures,
  V8Runtime,
} from "../../runtime/mod.ts";

/** What is done otherwise. */
export interface Fault {
  /** What it says of itself. */
  readonly features?: (features: RuntimeFeatures) => RuntimeFeatures;
  /** What it compiles with. */
  readonly compiling?: (options: CompileOptions) => CompileOptions;
  /** Told of each module. */
  readonly compiled?: (module: Module) => void;
  /** What it instantiates with. */
  readonly instantiating?: (options: InstantiateOptions) => InstantiateOptions;
  /** Instead of what it would give. */
  readonly instantiate?: (
    v8: V8Runtime,
    module: Module,
    options?: InstantiateOptions,
  ) => Promise<Instance>;
  /** Its instances. */
  readonly instance?: (instance: Instance) => Partial<Instance>;
  /** What a process is opened with. */
  readonly opening?: (parts: ProcessParts) => ProcessParts;
  /** Whether it keeps its instances beyond its end. */
  readonly outlives?: boolean;
}

/**
 * Makes a runtime with a fault.
 *
 * @param fault What is wrong with it.
 * @returns The runtime.
 */
export function broken(fault: Fault): Runtime {
  const v8 = new V8Runtime();
  const {
    features = same,
    compiling = same,
    instantiating = same,
    opening = same,
    instantiate = (v8, module, options) => v8.instantiate(module, options),
  } = fault;
  return {
    name: v8.name,
    features: features(v8.features),
    async compile(source, options = {}) {
      const module = await v8.compile(source, compiling(options));
      fault.compiled?.(module);
      return module;
    },
    async instantiate(module, options = {}) {
      const instance = await instantiate(v8, module, instantiating(options));
      return changed(instance, fault.instance?.(instance) ?? {});
    },
    openProcess: (parts, operation) =>
      v8.openProcess(opening(parts), operation),
    [Symbol.asyncDispose]: () =>
      fault.outlives ? Promise.resolve() : v8[Symbol.asyncDispose](),
  };
}

function same<T>(value: T): T {
  return value;
}

/** An instance, some of whose members are others. */
function changed(instance: Instance, members: Partial<Instance>): Instance {
  return new Proxy(instance, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

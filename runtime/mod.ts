/**
 * Runtimes: the engines that compile and run WebAssembly.
 *
 * A runtime of your own is a class that implements {@linkcode Runtime} and one
 * call of `register`.
 *
 * @example Registering a runtime
 * ```ts
 * import { RuntimeFactory, V8Runtime } from "@wasm-sandbox/core/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const runtimes = new RuntimeFactory();
 * runtimes.register("mine", () => new V8Runtime());
 * assertEquals([...runtimes], ["v8", "mine"]);
 * ```
 *
 * @module
 */

import { Registry } from "../registry.ts";
import type { Runtime } from "./types.ts";
import { V8Runtime, type V8RuntimeOptions } from "./v8/runtime.ts";

export type * from "./types.ts";
export * from "./counted.ts";
export { DEFAULT_FEATURES } from "./v8/features.ts";
export { ProcessPool, type ProcessPoolOptions } from "./process/pool.ts";
export { V8Runtime, type V8RuntimeOptions };

/** Knows the built-in runtimes by name, and any that you register. */
export class RuntimeFactory extends Registry<Runtime> {
  /** Constructs a factory with the built-in runtimes. */
  constructor() {
    super("runtime");
    this.register("v8", () => new V8Runtime());
  }
}

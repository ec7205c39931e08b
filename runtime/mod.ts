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
 * assertEquals([...runtimes], ["v8", "wasmtime", "wasmer", "mine"]);
 * ```
 *
 * @module
 */

import { type Factory, type RegisterOptions, Registry } from "../registry.ts";
import { AUTO } from "./needs.ts";
import type { Runtime } from "./types.ts";
import { V8Runtime, type V8RuntimeOptions } from "./v8/runtime.ts";

export type * from "./types.ts";
export type { FunctionNames } from "../communication/extism/mod.ts";
export type { ExtismParts } from "./guest_host.ts";
export type * from "./guest_source.ts";
export type { SentEvent } from "./process/messages.ts";
export type { PassedOver, RuntimeNeed } from "./needs.ts";
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
    // loaded only here: they are large, and what they load may not be there
    this.register("wasmtime", async () => {
      const { WasmtimeRuntime } = await import("./wasmtime/runtime.ts");
      return await WasmtimeRuntime.open();
    });
    this.register("wasmer", async () => {
      const { WasmerRuntime } = await import("./wasmer/runtime.ts");
      return await WasmerRuntime.open();
    });
  }

  /**
   * Registers a runtime. It is tried after those before it by `"auto"`, which
   * is therefore no name that can be taken.
   *
   * @param name The name that {@linkcode RuntimeFactory.prototype.create} takes.
   * @param factory Makes one.
   * @param options Whether an existing entry may be replaced.
   * @returns This factory, to chain.
   * @throws {TypeError} If the name is empty, taken or `"auto"`.
   */
  override register(
    name: string,
    factory: Factory<Runtime, void>,
    options?: RegisterOptions,
  ): this {
    if (name === AUTO) {
      throw new TypeError(
        `Cannot register runtime "${AUTO}": the name stands for the first ` +
          "runtime that offers what is asked for (choose another)",
      );
    }
    return super.register(name, factory, options);
  }
}

/**
 * Testing: the suites that extensions have to pass, the same that this package
 * runs on what it brings along; guests without a toolchain, good and hostile
 * ones; and meters of what a guest costs.
 *
 * @example Testing a channel of your own
 * ```ts
 * import { MemoryChannel } from "@wasm-sandbox/core/communication";
 * import { testChannel } from "@wasm-sandbox/core/testing";
 * import { assert } from "@std/assert";
 *
 * // any runner will do; without `test` it is Deno.test
 * const tests = new Map<string, () => Promise<void>>();
 * testChannel("MemoryChannel", () => new MemoryChannel(), {
 *   test: (name, run) => void tests.set(name, run),
 * });
 * assert(tests.size > 30);
 * await tests.get("MemoryChannel.send() counts messages and bytes")?.();
 * ```
 *
 * @example Testing a runtime of your own
 * ```ts
 * import { V8Runtime } from "@wasm-sandbox/core/runtime";
 * import { testRuntime } from "@wasm-sandbox/core/testing";
 * import { assert } from "@std/assert";
 *
 * const tests = new Map<string, () => Promise<void>>();
 * await testRuntime("V8Runtime", () => new V8Runtime(), {
 *   test: (name, run) => void tests.set(name, run),
 * });
 * assert(tests.size > 300);
 * await tests.get("V8Runtime directly takes and gives every i64")?.();
 * ```
 *
 * @module
 */

export * from "./capability_suite.ts";
export * from "./channel_suite.ts";
export * from "./effects.ts";
export * from "./fake_guest.ts";
export * from "./hostile_guests.ts";
export * from "./runtime_suite.ts";
export * from "./template_suite.ts";
export * from "./wrapper_suite.ts";

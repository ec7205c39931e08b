/**
 * Testing: the suites that extensions have to pass, the same that this package
 * runs on what it brings along.
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
 * @module
 */

export * from "./channel_suite.ts";

/**
 * Wasmtime as a runtime: the native engine, called through Deno's foreign
 * function interface, with the limits, the WASI and the audit of this package
 * around it. Its library is not part of the package; `installWasmtime`, or
 * `backends install wasmtime` on the command line, puts it into the user's
 * cache, and docs/runtimes.md says where else it is looked for.
 *
 * @example Saying where the library is
 * ```ts
 * import { SandboxError } from "@wasm-sandbox/core";
 * import { WasmtimeRuntime } from "@wasm-sandbox/core/wasmtime";
 * import { assert, assertRejects } from "@std/assert";
 *
 * const error = await assertRejects(() =>
 *   WasmtimeRuntime.open({ library: "/nowhere/libwasmtime.so" })
 * );
 * assert(SandboxError.is(error, "runtime-unavailable"));
 * assert(error.details.suggestion.includes("backends install wasmtime"));
 * ```
 *
 * @module
 */

export {
  findLibrary,
  type FindLibraryOptions,
  type FoundLibrary,
} from "./find.ts";
export {
  type InstalledLibrary,
  type InstallFrom,
  type InstallOptions,
  type InstallProgress,
  installWasmtime,
} from "./install.ts";
export { type WasmtimeOptions, WasmtimeRuntime } from "./runtime.ts";

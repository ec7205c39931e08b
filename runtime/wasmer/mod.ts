/**
 * Wasmer as a runtime: programs of WASI and WASIX, in processes of their own.
 *
 * @example A program
 * ```ts
 * import { Sandbox } from "@wasm-sandbox/core";
 * import { WasmerRuntime } from "@wasm-sandbox/core/wasmer";
 * import { assertEquals } from "@std/assert";
 *
 * // one export, `_start`, which returns
 * const module = Uint8Array.fromHex("0061736d01000000010401600000030201000503" +
 *   "010001071302066d656d6f72790200065f737461727400000a040102000b");
 * const runtime = await WasmerRuntime.open();
 * await using sandbox = await Sandbox.create({ module, runtime });
 * const { exitCode } = await sandbox.execute([]);
 * assertEquals(exitCode, 0);
 * ```
 *
 * @module
 */

export { WasmerRuntime } from "./runtime.ts";

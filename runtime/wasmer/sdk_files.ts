/**
 * Files of the SDK of Wasmer that are known by name.
 *
 * @module
 */

/** Files of the SDK, by their absolute path within its package. */
export type SdkFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** Where the program and its threads begin, and the engine's code. */
export const ENTRIES = Object.freeze({
  program: "/dist/index.js",
  thread: "/dist/browser-worker.js",
  glue: "/pkg/wasmer_sdk_js.js",
  engine: "/pkg/wasmer_sdk_js_bg.wasm",
});

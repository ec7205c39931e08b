/**
 * Wasmer as a runtime: programs of WASI and WASIX, in processes of their own.
 *
 * @module
 */

export { WasmerRuntime } from "./runtime.ts";

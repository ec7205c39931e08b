/**
 * Wasmtime in a guest's process.
 *
 * @module
 */

import type { Runtime } from "../../types.ts";
import { WasmtimeRuntime } from "../../wasmtime/runtime.ts";

/**
 * Opens the library.
 *
 * @param library Its path, as this process sees it.
 * @returns The runtime, which keeps no deadlines.
 */
export function openWasmtime(library: string): Promise<Runtime> {
  return WasmtimeRuntime.open({ library, keepsDeadlines: false });
}

/** What the tests on Wasmtime have in common. */

import {
  type WasmtimeOptions,
  WasmtimeRuntime,
} from "../../runtime/wasmtime/runtime.ts";
import { LIBRARY } from "../_wasmtime.ts";

export { LIBRARY };

/** Registers a test that needs the library. */
export function testOnWasmtime(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({ name, ignore: LIBRARY === undefined, fn });
}

/** Opens a runtime. */
export function open(options?: WasmtimeOptions): Promise<WasmtimeRuntime> {
  return WasmtimeRuntime.open(options);
}

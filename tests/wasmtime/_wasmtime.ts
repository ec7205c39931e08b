/** What the tests on Wasmtime have in common. */

import { SandboxError } from "../../errors.ts";
import { findLibrary } from "../../runtime/wasmtime/find.ts";
import {
  type WasmtimeOptions,
  WasmtimeRuntime,
} from "../../runtime/wasmtime/runtime.ts";

/**
 * Where the library is. Where it cannot be had tests are skipped, which can be
 * seen, but not on CI, where this throws.
 */
export const LIBRARY: string | undefined = await find();

async function find(): Promise<string | undefined> {
  try {
    return (await findLibrary()).path;
  } catch (error) {
    if (!SandboxError.is(error, "runtime-unavailable")) throw error;
    if (Deno.env.get("CI")) throw error;
    return undefined;
  }
}

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

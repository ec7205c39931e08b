/**
 * Plug-ins for tests.
 *
 * @module
 */

import {
  createPlugin,
  type ExtismFunctions,
  type ExtismPlugin,
  type ManifestLike,
  type PluginOptions,
} from "../../wrappers/extism/mod.ts";
import { SandboxError, type SandboxErrorCode } from "../../errors.ts";

const FOLDER = new URL("../../examples/extism/", import.meta.url);

/** Bytes of a plug-in of the examples, by its path below their folder. */
export function plugin(path: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(path, FOLDER));
}

/** In C: what most tests need. */
export const PROBE = "c/probe.wasm";
/** In AssemblyScript, with Extism's PDK. */
export const GREET = "assemblyscript/greet.wasm";
/** In the text format: lies in every way. */
export const LIES = "wat/lies.wasm";

/** Functions that the greeting plug-in imports. */
export const SHOUT: ExtismFunctions = {
  "extism:host/user": {
    shout: (context, handle) =>
      context.store((context.read(handle)?.text() ?? "").toUpperCase()),
  },
};

/** Makes a plug-in of an example, whose manifest may say more. */
export function open(
  path: string,
  options: PluginOptions = {},
  manifest: Record<string, unknown> = {},
): Promise<ExtismPlugin> {
  const like = { wasm: [{ data: plugin(path) }], ...manifest };
  return createPlugin(like as ManifestLike, options);
}

/** The error that something fails with, which has a code. */
export async function failure<C extends SandboxErrorCode>(
  promise: Promise<unknown>,
  code: C,
): Promise<SandboxError<C>> {
  try {
    await promise;
  } catch (error) {
    if (SandboxError.is(error, code)) return error;
    throw error;
  }
  throw new Error(`did not fail with ${code}`);
}

/** Runs tests in both isolations. */
export const ISOLATIONS: readonly ("inline" | "process")[] = [
  "inline",
  "process",
];

/**
 * Runs plug-ins that were written with Extism's PDKs, unchanged, under this
 * package's limits and capabilities.
 *
 * {@linkcode createPlugin} has the shape of Extism's JavaScript SDK. What a
 * plug-in may reach is its manifest's `allowedHosts` and `allowedPaths`, and
 * nothing else; each decision is an event of the audit; with either of them it
 * runs in a process of its own.
 *
 * ```ts
 * import { createPlugin } from "@wasm-sandbox/core/extism";
 * import { assertEquals } from "@std/assert";
 *
 * await using plugin = await createPlugin({
 *   wasm: [{ path: "examples/extism/c/probe.wasm" }],
 *   timeoutMs: 500,
 * });
 * const output = await plugin.call("vowels", "Ada");
 * assertEquals(output?.getBigUint64(0, true), 2n);
 * ```
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { Sandbox } from "../../sandbox.ts";
import { resolveLimits } from "../../security/limits.ts";
import { readManifest } from "./manifest.ts";
import { readModules } from "./modules.ts";
import { SandboxedPlugin } from "./plugin.ts";
import { logSink, PluginScope } from "./scope.ts";
import {
  declarationsOf,
  joined,
  limitsOf,
  policyOf,
  settingsOf,
} from "./settings.ts";
import type { ExtismPlugin, ManifestLike, PluginOptions } from "./types.ts";

export { CallContext } from "../../communication/extism/call_context.ts";
export type { CallContextOptions } from "../../communication/extism/call_context.ts";
export { PluginOutput } from "../../communication/extism/plugin_output.ts";
export type {
  ExtismCall,
  ExtismFunction,
  ExtismFunctions,
  ExtismMemory,
} from "../../communication/extism/types.ts";
export type {
  ExtismPlugin,
  Manifest,
  ManifestLike,
  ManifestMemory,
  ManifestWasm,
  NativeManifest,
  PluginCallOptions,
  PluginLogger,
  PluginOptions,
} from "./types.ts";

/**
 * Makes a plug-in: reads its manifest and modules, checks their hashes, and
 * starts it.
 *
 * @example Usage
 * ```ts
 * import { createPlugin } from "@wasm-sandbox/core/extism";
 * import { assertEquals } from "@std/assert";
 *
 * await using plugin = await createPlugin(
 *   "examples/extism/assemblyscript/greet.wasm",
 *   {
 *     functions: {
 *       "extism:host/user": {
 *         shout: (context, handle) =>
 *           context.store((context.read(handle)?.text() ?? "").toUpperCase()),
 *       },
 *     },
 *   },
 * );
 * const output = await plugin.call("loud", "Ada");
 * assertEquals(output?.text(), "ADA");
 * ```
 *
 * @param manifest What it is made from: a manifest, its text in JSON, the bytes
 * or the path of a module, a URL, or a response of either.
 * @param options What comes before the fields of the manifest, and beside them.
 * @returns The plug-in; close it when done.
 * @throws {SandboxError} If a module cannot be read, is refused, needs what
 * nobody grants, or reaches a limit as it starts.
 * @throws {TypeError} If the manifest or an option is wrong.
 */
export async function createPlugin(
  manifest: ManifestLike | Promise<ManifestLike>,
  options: PluginOptions = {},
): Promise<ExtismPlugin> {
  const given = { ...options };
  const { signal, fetch: fetchOf = fetch, features, http, pool } = given;
  const context = { fetch: fetchOf, signal };
  const read = await readManifest(await manifest, context);
  const meant = joined(read, given);
  const limits = limitsOf(meant, given);
  const { moduleBytes: maxBytes } = resolveLimits(limits);
  const modules = await readModules(meant.wasm, { ...context, maxBytes });
  const declarations = declarationsOf(modules, meant, given);
  const policy = policyOf(meant, given);
  const scope = new PluginScope();
  const sandbox = await Sandbox.create({
    module: modules.main,
    linked: modules.linked,
    limits,
    policy,
    isolation: given.runInWorker ? "process" : given.isolation ?? "auto",
    audit: logSink(given),
    extism: {
      ...settingsOf(meant, given),
      ...scope.options(given.functions ?? {}),
    },
    ...(features === undefined ? {} : { features }),
    ...(http === undefined ? {} : { http }),
    ...(pool === undefined ? {} : { pool }),
  }, signal === undefined ? {} : { signal }).catch(explain);
  const { fuelLimit } = given;
  return new SandboxedPlugin({ sandbox, scope, declarations, fuelLimit });
}

/** An import that is missing is often one that has to be linked. */
function explain(error: unknown): never {
  if (!SandboxError.is(error, "import-not-granted")) throw error;
  throw new SandboxError(
    "import-not-granted",
    `${error.message}: not provided by host imports nor linked manifest items`,
    { cause: error, details: error.details },
  );
}

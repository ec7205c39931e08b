/**
 * What options and manifest of a plug-in come to, for a sandbox.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { kernelBytes, splitMemory } from "../../communication/extism/kernel.ts";
import type { ExtismSettings } from "../../communication/extism/types.ts";
import { SandboxError } from "../../errors.ts";
import { ModuleParser } from "../../runtime/v8/parse.ts";
import { PREVIEW1, UNSTABLE } from "../../runtime/wasi/abi.ts";
import { CapabilityKinds } from "../../security/kinds.ts";
import { Capabilities } from "../../security/capabilities.ts";
import { LIMIT_TABLE } from "../../security/limit_table.ts";
import { DEFAULT_LIMITS, type ResourceLimits } from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import { grantHosts, grantPaths } from "./grants.ts";
import { type PlainManifest, readPaths } from "./manifest.ts";
import type { PluginModules } from "./modules.ts";
import type { PluginOptions } from "./types.ts";

/** Bytes of a page of memory. */
const PAGE_BYTES = 65_536;
/** Room for what stands around a message. */
const HEADROOM_BYTES = 65_536;
/** Longest response by HTTP, unless it is told otherwise. */
const RESPONSE_BYTES = 8 * 2 ** 20;

/**
 * Joins options and manifest: an option comes before a field.
 *
 * @param manifest The manifest.
 * @param options The options.
 * @returns What is meant.
 */
export function joined(
  manifest: PlainManifest,
  { config, allowedHosts, allowedPaths, timeoutMs, memory = {} }: PluginOptions,
): PlainManifest {
  return {
    ...manifest,
    config: config ?? manifest.config,
    allowedHosts: allowedHosts ?? manifest.allowedHosts,
    allowedPaths: readPaths(allowedPaths, false) ?? manifest.allowedPaths,
    timeoutMs: timeoutMs === undefined ? manifest.timeoutMs : timeoutMs,
    maxPages: memory.maxPages ?? manifest.maxPages,
    maxHttpResponseBytes: memory.maxHttpResponseBytes ??
      manifest.maxHttpResponseBytes,
    maxVarBytes: memory.maxVarBytes ?? manifest.maxVarBytes,
  };
}

/**
 * What the host of the plug-in is told.
 *
 * @param manifest What is meant.
 * @param options The options.
 * @returns The settings.
 */
export function settingsOf(
  { config = {}, maxVarBytes, maxHttpResponseBytes, ...pages }: PlainManifest,
  { logLevel, allowHttpResponseHeaders, enableWasiOutput }: PluginOptions,
): ExtismSettings {
  const maxPages = pages.maxPages ?? pages.maxNativePages;
  return {
    config,
    allowHttpResponseHeaders: allowHttpResponseHeaders ?? false,
    enableWasiOutput: enableWasiOutput ?? false,
    maxHttpResponseBytes: maxHttpResponseBytes ?? RESPONSE_BYTES,
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(maxPages === undefined ? {} : { maxPages }),
    ...(maxVarBytes === undefined ? {} : { maxVarBytes }),
  };
}

/**
 * The limits of a plug-in.
 *
 * @param manifest What is meant.
 * @param options The options, whose limits come before all.
 * @returns The limits.
 */
export function limitsOf(
  { timeoutMs, maxPages, maxNativePages, ...manifest }: PlainManifest,
  { fuelLimit, limits = {} }: PluginOptions,
): ResourceLimits {
  const memory = { ...memoryOf(maxPages, maxNativePages), ...limits };
  const { memoryBytes = DEFAULT_LIMITS.memoryBytes } = memory;
  const split = splitMemory(memoryBytes, maxPages ?? maxNativePages);
  // what has room in the kernel may be handed over at once
  const messageBytes = Math.min(
    Math.max(
      DEFAULT_LIMITS.messageBytes,
      split.maxPages * PAGE_BYTES,
      (manifest.maxHttpResponseBytes ?? RESPONSE_BYTES) + HEADROOM_BYTES,
    ),
    LIMIT_TABLE.messageBytes.max,
  );
  return {
    messageBytes,
    ...(timeoutMs === undefined
      ? {}
      : { timeoutMs: timeoutMs ?? LIMIT_TABLE.timeoutMs.max }),
    ...(fuelLimit === undefined ? {} : { fuel: fuelLimit }),
    ...memory,
  };
}

/** What pages come to: those of the kernel come on top of the plug-in's own. */
function memoryOf(
  pages: number | undefined,
  native: number | undefined,
): ResourceLimits {
  if (native !== undefined) {
    // what is declared, and as much again
    return { memoryBytes: kernelBytes(native) + 2 * native * PAGE_BYTES };
  }
  if (pages === undefined) return {};
  return { memoryBytes: kernelBytes(pages) + DEFAULT_LIMITS.memoryBytes };
}

/**
 * What a plug-in may do.
 *
 * @param manifest What is meant.
 * @param options The options.
 * @returns The policy.
 */
export function policyOf(
  { allowedHosts = [], allowedPaths = [] }: PlainManifest,
  { useWasi = false, policy = [] }: PluginOptions,
): SecurityPolicy {
  const given = policy instanceof SecurityPolicy
    ? policy
    : SecurityPolicy.from(policy, new CapabilityKinds());
  return given.allowCapability(
    ...grantHosts(allowedHosts),
    ...(useWasi
      ? [...Capabilities.program(), ...grantPaths(allowedPaths)]
      : []),
  );
}

/** What a module declares. */
export interface Declarations {
  /** What it exports. */
  readonly exports: readonly WebAssembly.ModuleExportDescriptor[];
  /** What it imports. */
  readonly imports: readonly WebAssembly.ModuleImportDescriptor[];
}

/**
 * Reads what the main module declares, and checks what no grant could help.
 *
 * @param modules The modules.
 * @param manifest What is meant.
 * @param options The options.
 * @returns What the main module declares.
 * @throws {SandboxError} If a module is none, needs WASI that is not enabled, or
 * declares more memory than it may have.
 */
export function declarationsOf(
  { main, linked }: PluginModules,
  { maxNativePages = Infinity }: PlainManifest,
  { useWasi = false, functions = {} }: PluginOptions,
): Declarations {
  const own = new ModuleParser(main).parse();
  const all = [
    own,
    ...Object.values(linked).map((bytes) => new ModuleParser(bytes).parse()),
  ];
  for (const { imports } of useWasi ? [] : all) {
    const missing = imports.filter(({ module }) =>
      WASI.includes(module) && !Object.hasOwn(functions, module)
    );
    if (missing.length > 0) throw noWasi(missing);
  }
  for (const { memories } of all) {
    const pages = memories.filter(({ imported }) => !imported)
      .reduce((sum, { min }) => sum + min, 0);
    if (pages > maxNativePages) throw tooLarge(maxNativePages, pages);
  }
  return {
    exports: own.exports.map(({ name, kind }) => ({ name, kind })),
    imports: own.imports.map(({ module, name, kind }) => ({
      module,
      name,
      kind,
    })),
  } as Declarations;
}

const WASI: readonly string[] = [PREVIEW1.module, UNSTABLE.module];

function noWasi(
  missing: readonly { readonly module: string; readonly name: string }[],
): SandboxError<"import-not-granted"> {
  const [{ module, name } = { module: "", name: "" }] = missing;
  return new SandboxError(
    "import-not-granted",
    `Cannot make a plug-in: it imports ${quote(module)}.${quote(name)}, and ` +
      'WASI is not enabled; see the "useWasi" plugin option',
    {
      details: {
        missing: missing.map((need) => ({
          module: need.module,
          name: need.name,
        })),
      },
    },
  );
}

function tooLarge(
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "raise memory.max_pages";
  return new SandboxError(
    "limit-exceeded",
    `Cannot make a plug-in: oom, its memory has ${used} pages and ` +
      `memory.max_pages is ${allowed} (${suggestion})`,
    {
      details: {
        limit: "memoryBytes",
        allowed: allowed * PAGE_BYTES,
        used: used * PAGE_BYTES,
        suggestion,
      },
    },
  );
}

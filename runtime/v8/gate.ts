/**
 * The gate: what a module must be before the engine compiles it.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import {
  featureMask,
  featureNames,
  OUT_OF_REACH,
  type WasmFeature,
} from "./features.ts";
import type { GateOptions, Instrumentation, ModuleLayout } from "./layout.ts";
import { refused } from "./bounds.ts";
import { ModuleParser } from "./parse.ts";
import { malformed } from "./reader.ts";
import { rewrite } from "./rewrite.ts";
import { Scanner } from "./scan.ts";

/** Longest module that is accepted unless the caller says otherwise. */
const DEFAULT_MODULE_BYTES: number = 16 * 2 ** 20;
/** Longest function that is accepted unless the caller says otherwise. */
const DEFAULT_FUNCTION_BYTES: number = 2 ** 18;

/** What the gate learnt of a module that it let pass. */
export interface GatedModule {
  /** What the module declares. */
  readonly layout: ModuleLayout;
  /** What its code needs. */
  readonly scanner: Scanner;
  /** Proposals that it uses, in alphabetical order. */
  readonly features: readonly WasmFeature[];
}

/**
 * Looks a module over, and plans its limits. The engine has not seen it yet.
 *
 * @param bytes The module; nobody else may change it.
 * @param mode Which limits its code is to carry.
 * @param options What is allowed.
 * @returns What was learnt.
 * @throws {SandboxError} With code `invalid-module`, `module-refused` or
 * `limit-exceeded`.
 */
export function gate(
  bytes: Uint8Array<ArrayBuffer>,
  mode: Instrumentation,
  options: GateOptions = {},
): GatedModule {
  const {
    features,
    moduleBytes = DEFAULT_MODULE_BYTES,
    functionBytes = DEFAULT_FUNCTION_BYTES,
  } = options;
  const allowed = featureMask(features);
  if (bytes.length > moduleBytes) {
    throw overLimit("moduleBytes", moduleBytes, bytes.length);
  }
  const layout = new ModuleParser(bytes).parse();
  allow(layout.features, allowed);
  const elements = layout.tables.reduce(
    (sum, { min, imported }) => imported ? sum : sum + min,
    0,
  );
  if (elements > mode.tableElements) {
    throw overLimit("tableElements", mode.tableElements, elements);
  }
  const scanner = new Scanner(layout, mode);
  for (let index = 0; index < layout.bodies.length / 2; index++) {
    const offset = layout.bodies[2 * index] ?? 0;
    const length = (layout.bodies[2 * index + 1] ?? 0) - offset;
    if (length > functionBytes) {
      throw overLimit("functionBytes", functionBytes, length);
    }
    scanner.scan(index);
    if ((scanner.features & ~allowed) !== 0) {
      allow(scanner.features, allowed, offset);
    }
  }
  const used = featureNames(layout.features | scanner.features);
  return { layout, scanner, features: used };
}

/**
 * Turns a module into one that carries its limits.
 *
 * @param bytes The module; nobody else may change it.
 * @param mode Which limits its code is to carry.
 * @param options What is allowed.
 * @returns The new module, valid, and what was learnt of the old one.
 * @throws {SandboxError} As {@linkcode gate} does.
 */
export function instrument(
  bytes: Uint8Array<ArrayBuffer>,
  mode: Instrumentation,
  options: GateOptions = {},
): GatedModule & { readonly code: Uint8Array<ArrayBuffer> } {
  const gated = gate(bytes, mode, options);
  return { ...gated, code: writeLimits(gated, mode) };
}

/**
 * Has the engine look at a module that the gate let pass, and writes it anew.
 *
 * @param gated What the gate learnt.
 * @param mode Which limits its code is to carry.
 * @returns The new module.
 * @throws {SandboxError} With code `invalid-module`.
 */
export function writeLimits(
  { layout, scanner }: GatedModule,
  mode: Instrumentation,
): Uint8Array<ArrayBuffer> {
  // what is not valid could become valid by what is added
  validate(layout.bytes);
  return rewrite(layout, scanner, mode);
}

/**
 * Has V8 look at a module, whichever engine is to run it.
 *
 * @param bytes The module; the gate has let it pass.
 * @throws {SandboxError} With code `invalid-module`, if it is not valid.
 */
export function validate(bytes: Uint8Array<ArrayBuffer>): void {
  if (WebAssembly.validate(bytes)) return;
  try {
    new WebAssembly.Module(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw malformed(bytes.length, reason);
  }
  throw malformed(bytes.length, "the engine does not find it valid");
}

function allow(used: number, allowed: number, offset?: number): void {
  const [feature] = featureNames(used & ~allowed);
  if (feature === undefined) return;
  const advice = OUT_OF_REACH.includes(feature)
    ? "no limit reaches it inline"
    : `allow it with features: { ${feature}: true }`;
  throw refused(
    `it uses the feature "${feature}", which is not allowed (${advice})`,
    {
      reason: `feature ${feature}`,
      feature,
      ...(offset === undefined ? {} : { offset }),
    },
  );
}

/**
 * The error of a module that is beyond a limit as it is.
 *
 * @param limit Name of the limit.
 * @param allowed What is allowed.
 * @param used What the module has.
 * @returns The error.
 */
export function overLimit(
  limit: string,
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = `raise ${limit} to at least ${used}`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot accept the module: ${limit} is ${used}, more than ${allowed} (${suggestion})`,
    { details: { limit, allowed, used, suggestion } },
  );
}

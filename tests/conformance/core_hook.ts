/**
 * Lets the runner of the core spec scripts load modules through gate and
 * rewriter, with every feature allowed. The query of the URL names the mode:
 * `?deadline`, `?fuel` or `?deadline&fuel`.
 *
 * @module
 */

import { FEATURES, type ModuleFeatures } from "../../runtime/v8/features.ts";
import { instrument } from "../../runtime/v8/gate.ts";
import type { Instrumentation, ModuleLayout } from "../../runtime/v8/layout.ts";
import { memoryImports } from "../../runtime/v8/link.ts";
import {
  FUEL_EXPORT,
  MEMORY_MODULE,
  START_EXPORT,
} from "../../runtime/v8/rewrite.ts";

/** More than any script burns. */
const FULL_TANK = 2n ** 60n;
/** Name of the custom section that tells which layout a module has. */
const LAYOUT_SECTION = "layout";

const { searchParams } = new URL(import.meta.url);
const MODE: Instrumentation = {
  deadline: searchParams.has("deadline"),
  fuel: searchParams.has("fuel"),
  tableElements: Infinity,
};
const FEATURES_ALLOWED: ModuleFeatures = Object.fromEntries(
  FEATURES.map((name) => [name, true]),
);

/** The flag that the watchdog would set. */
const flag = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
new Int32Array(flag.buffer)[0] = 1;

// the runner makes a module out of the bytes before it asks for its imports
const layouts: ModuleLayout[] = [];

/**
 * Takes a module through gate and rewriter.
 *
 * @param bytes The module.
 * @returns The new module, with a custom section that tells which it is.
 */
export function transform(
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { layout, code } = instrument(bytes, MODE, {
    features: FEATURES_ALLOWED,
  });
  const number = layouts.push(layout) - 1;
  const text = new TextEncoder().encode(LAYOUT_SECTION + number);
  const section = [0, text.length + 1, LAYOUT_SECTION.length, ...text];
  return new Uint8Array([...code, ...section]);
}

/**
 * Adds the memories to what the script gives.
 *
 * @param module The module, as {@linkcode transform} made it.
 * @param base What the script gives.
 * @returns What the module is instantiated with.
 */
export function imports(
  module: WebAssembly.Module,
  base: WebAssembly.Imports,
): WebAssembly.Imports {
  const [section] = WebAssembly.Module.customSections(module, LAYOUT_SECTION);
  const layout = layouts[Number(new TextDecoder().decode(section))];
  if (layout === undefined) throw new Error("The module has no layout");
  return { ...base, [MEMORY_MODULE]: memoryImports(layout, Infinity, flag) };
}

/**
 * Fills the tank, and calls what was the start function.
 *
 * @param instance What was instantiated.
 */
export function started({ exports }: WebAssembly.Instance): void {
  const fuel = exports[FUEL_EXPORT];
  if (fuel instanceof WebAssembly.Global) fuel.value = FULL_TANK;
  const start = exports[START_EXPORT];
  if (typeof start === "function") start();
}

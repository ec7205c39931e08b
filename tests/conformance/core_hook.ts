/**
 * Lets the runner of the core spec scripts load modules through the gate, with
 * everything allowed, and the rewriter. The query of the URL names the mode:
 * `?deadline`, `?fuel` or both.
 */

import { featureMask, FEATURES } from "../../runtime/v8/features.ts";
import { instrument } from "../../runtime/v8/gate.ts";
import { memoryImports } from "../../runtime/v8/link.ts";
import type { ModuleLayout } from "../../runtime/v8/layout.ts";
import {
  FUEL_EXPORT,
  MEMORY_MODULE,
  START_EXPORT,
} from "../../runtime/v8/rewrite.ts";

const query = new URL(import.meta.url).searchParams;
const MODE = {
  deadline: query.has("deadline"),
  fuel: query.has("fuel"),
  tableElements: Infinity,
};
const OPTIONS = {
  features: Object.fromEntries(FEATURES.map((name) => [name, true])),
};
featureMask(OPTIONS.features);

/** The flag that the watchdog would set. */
const flag = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
new Int32Array(flag.buffer)[0] = 1;

/** Name of the custom section that tells which layout a module has. */
const ID = "layout";
const layouts: ModuleLayout[] = [];

/** The module, through gate and rewriter. */
export function transform(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const { layout, code } = instrument(bytes, MODE, OPTIONS);
  layouts.push(layout);
  const id = new TextEncoder().encode(`${ID}${layouts.length - 1}`);
  const section = [0, id.length + 1, ID.length, ...id];
  return new Uint8Array([...code, ...section]);
}

/** The imports that the script gives, and the memories. */
export function imports(
  module: WebAssembly.Module,
  base: WebAssembly.Imports,
): WebAssembly.Imports {
  const [section] = WebAssembly.Module.customSections(module, ID);
  const layout = layouts[Number(new TextDecoder().decode(section))];
  if (layout === undefined) throw new Error("no layout");
  const memories = memoryImports(layout, Infinity, flag);
  return { ...base, [MEMORY_MODULE]: memories };
}

/** Fills the tank and calls what was the start function. */
export function started({ exports }: WebAssembly.Instance): void {
  const fuel = exports[FUEL_EXPORT];
  if (fuel instanceof WebAssembly.Global) fuel.value = 2n ** 60n;
  const start = exports[START_EXPORT];
  if (typeof start === "function") start();
}

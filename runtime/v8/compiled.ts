/**
 * A module as the V8 runtime keeps it: rewritten, compiled, and what must be
 * known of the original. The original's bytes are let go.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import type {
  MemorySize,
  Module,
  ModuleExport,
  ModuleImport,
  WasmFeature,
} from "../types.ts";
import type { GatedModule } from "./gate.ts";
import {
  type Instrumentation,
  type MemoryLayout,
  type ModuleLayout,
  signature,
} from "./layout.ts";

/** What of a compiled module does not depend on the limits of its instances. */
export interface CompiledCode {
  /** The rewritten module, compiled. */
  readonly compiled: WebAssembly.Module;
  /** What the original declares. */
  readonly description: Omit<Module, "byteLength">;
  /** Length of the original, in bytes. */
  readonly byteLength: number;
  /** The memories that the module defines. */
  readonly memories: readonly MemoryLayout[];
  /** What its tables may grow to, in elements. */
  readonly tableElements: number;
  /** Which limits the code carries. */
  readonly mode: Instrumentation;
  /** What it counts towards the bound of the cache: the rewritten bytes. */
  readonly cacheBytes: number;
}

/** A compiled module, with the limits of its instances. */
export class CompiledModule implements Module {
  readonly byteLength: number;
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  readonly memories: readonly MemorySize[];
  readonly features: readonly WasmFeature[];
  readonly hasStart: boolean;
  /** What it shares with others of the same content. */
  readonly code: CompiledCode;
  /** The limits of its instances. */
  readonly limits: ResolvedLimits;

  /**
   * Constructs a compiled module.
   *
   * @param code What it shares with others of the same content.
   * @param limits The limits of its instances.
   */
  constructor(code: CompiledCode, limits: ResolvedLimits) {
    const { imports, exports, memories, features, hasStart } = code.description;
    this.byteLength = code.byteLength;
    this.imports = imports;
    this.exports = exports;
    this.memories = memories;
    this.features = features;
    this.hasStart = hasStart;
    this.code = code;
    this.limits = limits;
  }
}

/**
 * What a module declares, for those who use it.
 *
 * @param gated What the gate learnt.
 * @returns Frozen data that does not hold the module's bytes.
 */
export function describe(
  { layout, features }: Pick<GatedModule, "layout" | "features">,
): Omit<Module, "byteLength"> {
  return Object.freeze({
    imports: freezeAll(
      layout.imports.map(({ module, name, kind, type }) =>
        kind === "function"
          ? { module, name, kind, signature: signature(layout, type) }
          : { module, name, kind }
      ),
    ),
    exports: freezeAll(
      layout.exports.map((each) => describeExport(layout, each)),
    ),
    memories: freezeAll(
      layout.memories.map(({ min, max }) =>
        max === undefined ? { minPages: min } : { minPages: min, maxPages: max }
      ),
    ),
    features: Object.freeze(features),
    hasStart: layout.start !== undefined,
  });
}

function describeExport(
  layout: ModuleLayout,
  { name, kind, index }: ModuleLayout["exports"][number],
): ModuleExport {
  if (kind !== "function") return { name, kind };
  const type = layout.functionTypes[index] ?? 0;
  return { name, kind, signature: signature(layout, type) };
}

function freezeAll<T>(items: T[]): readonly T[] {
  return Object.freeze(items.map((item) => Object.freeze(item)));
}

/**
 * Modules as the Wasmtime runtime keeps them: looked over by the gate, with
 * their caps written in. Native code is not theirs: it is kept elsewhere, and
 * made anew if it was let go.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import { capped } from "../capped.ts";
import { unsupported } from "../needs.ts";
import type {
  MemorySize,
  Module,
  ModuleExport,
  ModuleFeatures,
  ModuleImport,
  NumberType,
  WasmFeature,
} from "../types.ts";
import { tableBound } from "../v8/admission.ts";
import { refused } from "../v8/bounds.ts";
import { contentOf, ModuleCache } from "../v8/cache.ts";
import { describe } from "../v8/compiled.ts";
import { featureMask } from "../v8/features.ts";
import { gate, validate } from "../v8/gate.ts";
import { functionTypes, type MemoryLayout } from "../v8/layout.ts";
import { realm } from "../v8/realm.ts";
import { MAX_WORK } from "../v8/work.ts";
import { WASM_FEATURES } from "./engine.ts";
import { exposed, importedGlobals } from "./exposed.ts";
import { NAME } from "./unavailable.ts";

/** A module, and what its text depends on. */
export interface PrepareOptions {
  /** Proposals that it may use. */
  readonly features: ModuleFeatures;
  /** Limits, of which four are written into it or looked at. */
  readonly limits: Pick<
    ResolvedLimits,
    "functionBytes" | "memoryBytes" | "moduleBytes" | "tableElements"
  >;
}

/** A module that is ready to be compiled. */
export interface Prepared {
  /** Names it, with all that it depends on. */
  readonly key: string;
  /** What the original declares. */
  readonly description: Omit<Module, "byteLength">;
  /** The original. */
  readonly source: Uint8Array<ArrayBuffer>;
  /** The module as it is to run. */
  readonly written: Uint8Array<ArrayBuffer>;
  /** The memories that it defines. */
  readonly memories: readonly MemoryLayout[];
  /** Numbers of its own memories, and of its own tables that may grow. */
  readonly exposed: {
    readonly memories: readonly number[];
    readonly tables: readonly number[];
  };
  /** Elements of its own tables that cannot grow. */
  readonly fixedElements: number;
  /** What its tables may grow to, in elements. */
  readonly tableElements: number;
  /** Types of the globals that it imports, in their order. */
  readonly globals: readonly (NumberType | undefined)[];
  /** How much work it is to compile it. */
  readonly work: number;
  /** What it counts towards the bound of the cache. */
  readonly cacheBytes: number;
}

/** What was prepared last. */
export type PreparedCache = ModuleCache<Prepared>;

/** Makes an empty cache. */
export function preparedCache(): PreparedCache {
  return new ModuleCache({
    maxEntries: 64,
    maxBytes: 32 * 2 ** 20,
    maxEntryBytes: 8 * 2 ** 20,
  });
}

/** A module with the limits of its instances. */
export class WasmtimeModule implements Module {
  readonly byteLength: number;
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  readonly memories: readonly MemorySize[];
  readonly features: readonly WasmFeature[];
  readonly hasStart: boolean;

  /**
   * Constructs it.
   *
   * @param prepared The module.
   * @param options What it was prepared with.
   * @param limits The limits of its instances.
   */
  constructor(
    readonly prepared: Prepared,
    readonly options: PrepareOptions,
    readonly limits: ResolvedLimits,
  ) {
    const { imports, exports, memories, features, hasStart } =
      prepared.description;
    this.byteLength = prepared.source.length;
    this.imports = imports;
    this.exports = exports;
    this.memories = memories;
    this.features = features;
    this.hasStart = hasStart;
  }

  /** The same with other caps written into it. */
  with(prepared: Prepared): WasmtimeModule {
    return prepared === this.prepared
      ? this
      : new WasmtimeModule(prepared, this.options, this.limits);
  }
}

/**
 * Looks a module over, and writes its caps into it.
 *
 * @param source The module; nobody else may change it.
 * @param options What is allowed.
 * @param cache What was prepared before.
 * @returns The module, ready to be compiled.
 * @throws {SandboxError} If it is refused.
 */
export async function prepare(
  source: Uint8Array<ArrayBuffer>,
  options: PrepareOptions,
  cache: PreparedCache,
): Promise<Prepared> {
  const { features, limits } = options;
  const key = [
    await contentOf(source, MAX_NAME_BYTES),
    featureMask(features),
    limits.functionBytes,
    limits.memoryBytes,
    limits.moduleBytes,
    limits.tableElements,
  ].join();
  let prepared = cache.get(key);
  if (prepared === undefined) {
    prepared = write(source, options, key);
    cache.set(key, prepared);
  }
  return prepared;
}

function write(
  source: Uint8Array<ArrayBuffer>,
  { features, limits }: PrepareOptions,
  key: string,
): Prepared {
  const { moduleBytes, functionBytes, tableElements } = limits;
  const mode = { deadline: false, fuel: false, tableElements };
  const gated = gate(source, mode, { features, moduleBytes, functionBytes });
  const lacked = gated.features.find((name) => !WASM_FEATURES.includes(name));
  if (lacked !== undefined) {
    throw unsupported(
      { runtimeName: NAME, isolation: "inline" },
      `the feature "${lacked}", which the module uses`,
      lacked === "legacyExceptions"
        ? 'compile it with the exceptions of the standard, or use the runtime "v8"'
        : 'use the runtime "v8"',
    );
  }
  const { layout, scanner: { work } } = gated;
  if (work > MAX_WORK) {
    const units = `${work.toPrecision(2)} units of work`;
    throw refused(
      "the engine compiles it as a whole, which nothing can stop, and it is " +
        `${units}, more than ${MAX_WORK} (have it compiled with ` +
        'optimizations, or use the runtime "v8")',
      { reason: "too much to compile" },
    );
  }
  // before V8 sees it, which keeps types for as long as the process lives
  realm.admitTypes(functionTypes(layout));
  validate(source);
  const written = exposed(capped(gated, limits), layout);
  const own = layout.tables.filter(({ imported }) => !imported);
  return {
    key,
    description: describe(gated),
    source,
    written,
    memories: layout.memories.filter(({ imported }) => !imported),
    exposed: {
      memories: numbersOf(layout.memories, ({ imported }) => !imported),
      tables: numbersOf(
        layout.tables,
        ({ imported, min, max }) => !imported && max !== min,
      ),
    },
    fixedElements: own.reduce(
      (sum, { min, max }) => max === min ? sum + min : sum,
      0,
    ),
    tableElements: tableBound(layout, mode),
    globals: importedGlobals(layout),
    work,
    cacheBytes: source.length + written.length,
  };
}

function numbersOf<T>(
  items: readonly T[],
  test: (item: T) => boolean,
): readonly number[] {
  return items.flatMap((item, index) => test(item) ? [index] : []);
}

/** Longest module that is its own name in the cache. */
const MAX_NAME_BYTES = 4 * 2 ** 10;

/**
 * Finds what each of several modules imports: of the host, and of each other.
 *
 * @module
 */

import { hasTypes } from "../../communication/guest_abi.ts";
import type { SandboxError } from "../../errors.ts";
import type {
  GuestAccess,
  ModuleExport,
  ModuleImport,
  Signature,
} from "../types.ts";
import { isProcedure } from "../calls.ts";
import { refused } from "./bounds.ts";
import { BRIDGE_EXPORT, BRIDGE_MODULE, type Bridges } from "./bridge.ts";
import type { GuestFunction } from "./functions.ts";
import type { HostGuard } from "./guarded.ts";
import { type Granted, hostImports } from "./link.ts";
import { type Grants, type LinkStep, MAIN, type Unit } from "./linked.ts";
import { START_EXPORT } from "./rewrite.ts";

/** What modules are linked with. */
export interface LinkerOptions extends HostGuard, Grants {
  /** What host modules see of each module, by its place. */
  readonly access: (unit: number) => GuestAccess;
  /** What stands between modules that import from each other. */
  readonly bridges: Bridges;
}

/** A function that is called through a slot, until its module is there. */
interface Slot {
  readonly name: string;
  readonly table: WebAssembly.Table;
}

/** Most functions that are imported in a circle: each takes some memory. */
const MAX_CIRCULAR = 1_000;

/** Links modules one after the other. */
export class Linker {
  readonly #units: ReadonlyMap<string, Unit>;
  readonly #options: LinkerOptions;
  readonly #exports = new Map<string, WebAssembly.Exports>();
  /** Slots to be filled, by the unit that fills them. */
  readonly #slots = new Map<string, Slot[]>();
  readonly #descriptions = new Map<string, ReadonlyMap<string, ModuleExport>>();
  #circular = 0;
  readonly #starts: GuestFunction[] = [];

  /**
   * Constructs it.
   *
   * @param units The modules, the main one first.
   * @param options What they are linked with.
   */
  constructor(units: readonly Unit[], options: LinkerOptions) {
    this.#units = new Map(units.map((unit) => [unit.name, unit]));
    this.#options = options;
  }

  /** What were the start functions of those that are there, in order. */
  get starts(): readonly GuestFunction[] {
    return this.#starts;
  }

  /**
   * What a module imports.
   *
   * @param step The module, and what is not there yet.
   * @param index Its place.
   * @returns Its imports; nothing has a prototype.
   * @throws {SandboxError} With code `import-not-granted`.
   */
  imports(
    { unit, later }: LinkStep,
    index: number,
  ): Record<string, Record<string, WebAssembly.ImportValue>> {
    const { imports, hostModules, access } = this.#options;
    const needed = unit.module.imports;
    const modules: Map<string, HostFunctions> = new Map();
    for (const module of hostModules) {
      if (!needed.some((need) => need.module === module.name)) continue;
      const functions = module.link(access(index));
      modules.set(module.name, { module, functions });
    }
    const linked = (need: ModuleImport) =>
      this.#imported(need, later.has(need.module));
    const others = this.#units.size > 1 ? { linked, chain: unit.chain } : {};
    return hostImports(needed, { imports, modules, ...others }, this.#options);
  }

  /** Adds what a module exports, and fills the slots that wait for it. */
  add({ name, module }: Unit, exports: WebAssembly.Exports): void {
    this.#exports.set(name, exports);
    for (const slot of this.#slots.get(name) ?? []) {
      slot.table.set(0, exports[slot.name] as GuestFunction);
    }
    if (module.hasStart) {
      this.#starts.push(exports[START_EXPORT] as GuestFunction);
    }
    // a reactor that others are linked with: nobody else could call it
    if (name !== MAIN && isProcedure(module.exports, "_initialize")) {
      this.#starts.push(exports["_initialize"] as GuestFunction);
    }
  }

  /** What a module exports, with what the rewriter has added. */
  exports({ name }: Unit): WebAssembly.Exports {
    return this.#exports.get(name) ?? {};
  }

  /** What another module exports under that name, if it is the same thing. */
  #imported(
    { module, name, kind, signature }: ModuleImport,
    isLater: boolean,
  ): WebAssembly.ImportValue | undefined {
    const found = this.#described(module)?.get(name);
    if (found?.kind !== kind || kind === "tag") return undefined;
    if (kind !== "function") return this.#exports.get(module)?.[name];
    if (signature === undefined || found.signature === undefined) return;
    const { params, results } = signature;
    if (!hasTypes(found.signature, params, results)) return undefined;
    if (!isLater) return this.#exports.get(module)?.[name];
    if ([...params, ...results].includes("other")) return undefined;
    return this.#later(module, name, signature);
  }

  /** What a module exports, without what the rewriter has added. */
  #described(name: string): ReadonlyMap<string, ModuleExport> | undefined {
    const known = this.#descriptions.get(name);
    const unit = this.#units.get(name);
    if (known !== undefined || unit === undefined) return known;
    const described = new Map(
      unit.module.exports.map((each) => [each.name, each]),
    );
    this.#descriptions.set(name, described);
    return described;
  }

  /** A function of a module that is not there yet. */
  #later(
    module: string,
    name: string,
    signature: Signature,
  ): WebAssembly.ImportValue | undefined {
    if (++this.#circular > MAX_CIRCULAR) throw tooCircular();
    const table = new WebAssembly.Table({
      element: "anyfunc",
      initial: 1,
      maximum: 1,
    });
    const slots = this.#slots.get(module) ?? [];
    slots.push({ name, table });
    this.#slots.set(module, slots);
    return new WebAssembly.Instance(this.#options.bridges.later(signature), {
      [BRIDGE_MODULE]: { table },
    }).exports[BRIDGE_EXPORT];
  }
}

/** A host module, and its functions for one module. */
type HostFunctions = Granted["modules"] extends ReadonlyMap<string, infer T> ? T
  : never;

function tooCircular(): SandboxError<"module-refused"> {
  return refused(
    `more than ${MAX_CIRCULAR} functions are imported in a circle`,
    { reason: "too many circular imports" },
  );
}

/**
 * Decides where each import of each module comes from, before anything is made.
 *
 * @module
 */

import { hasTypes } from "../../communication/guest_abi.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import { isProcedure } from "../calls.ts";
import type {
  GuestAccess,
  HostImports,
  HostModule,
  HostModuleFunction,
  ModuleExport,
  ModuleImport,
  NumberType,
  Signature,
} from "../types.ts";
import { refused } from "../v8/bounds.ts";
import { direct } from "../v8/guarded.ts";
import {
  inOrder,
  isGranted,
  type LinkStep,
  MAIN,
  notGranted,
  type Unit,
} from "../v8/linked.ts";
import type { Constant, NumberSignature } from "./glue.ts";
import type { BoundFunction } from "./host_call.ts";
import type { WasmtimeModule } from "./module.ts";

/** One of the modules that are instantiated together. */
export type WasmtimeUnit = Unit<WasmtimeModule>;

/** Where an import comes from. */
export type Binding =
  /** A function of the host, by its place in the plan. */
  | { readonly from: "host"; readonly index: number }
  /** A constant, by its place in the plan. */
  | { readonly from: "constant"; readonly index: number }
  /** An export of another module. */
  | { readonly from: "linked"; readonly unit: string; readonly name: string }
  /** A function of a module that is not there yet. */
  | Later;

/** A function of a module that comes later. */
export interface Later {
  readonly from: "later";
  readonly unit: string;
  readonly name: string;
  readonly signature: NumberSignature;
}

/** How one module is linked. */
export interface UnitPlan {
  /** The module. */
  readonly unit: WasmtimeUnit;
  /** Its place among all, the main one first. */
  readonly index: number;
  /** One for each of its imports. */
  readonly bindings: readonly Binding[];
  /** Functions of the host. */
  readonly functions: readonly BoundFunction[];
  /** Constants. */
  readonly constants: readonly Constant[];
  /** Whether it wants to be initialized before others call it. */
  readonly isReactor: boolean;
}

/** What modules are linked with. */
export interface PlanOptions {
  /** Functions of numbers, and constants. */
  readonly imports: HostImports;
  /** Functions that see the guest's memory. */
  readonly hostModules: readonly HostModule[];
  /** What host modules see of each module, by its place. */
  readonly access: (unit: number) => GuestAccess;
}

/** Most functions that are imported in a circle: each takes some memory. */
const MAX_CIRCULAR = 1_000;

/**
 * Plans how modules are linked.
 *
 * @param units The modules, the main one first.
 * @param options What the host grants.
 * @returns A plan for each, in the order in which they are made.
 * @throws {SandboxError} If something is imported that nobody grants.
 */
export function plan(
  units: readonly WasmtimeUnit[],
  options: PlanOptions,
): readonly UnitPlan[] {
  const plans = inOrder(units, options).map((step) =>
    new UnitPlanner(step, units, options).plan()
  );
  const circular = plans.flatMap(({ bindings }) => bindings)
    .filter(({ from }) => from === "later").length;
  if (circular > MAX_CIRCULAR) {
    throw refused(
      `more than ${MAX_CIRCULAR} functions are imported in a circle`,
      { reason: "too many circular imports" },
    );
  }
  return plans;
}

/** A host module, and its functions for one module. */
interface HostFunctions {
  readonly module: HostModule;
  readonly functions: Readonly<Record<string, HostModuleFunction>>;
}

/** Plans how one module is linked. */
class UnitPlanner {
  readonly #step: LinkStep<WasmtimeModule>;
  readonly #units: readonly WasmtimeUnit[];
  readonly #options: PlanOptions;
  readonly #modules = new Map<string, HostFunctions>();
  /** What other modules export, by their names. */
  readonly #exports = new Map<string, ReadonlyMap<string, ModuleExport>>();
  readonly #functions: BoundFunction[] = [];
  readonly #constants: Constant[] = [];
  readonly #known = new Map<
    string,
    { readonly type: string; readonly binding: Binding | undefined }
  >();

  constructor(
    step: LinkStep<WasmtimeModule>,
    units: readonly WasmtimeUnit[],
    options: PlanOptions,
  ) {
    this.#step = step;
    this.#units = units;
    this.#options = options;
  }

  plan(): UnitPlan {
    const { unit } = this.#step;
    const { hostModules, access } = this.#options;
    const index = this.#units.indexOf(unit);
    const needed = unit.module.imports;
    for (const module of hostModules) {
      if (!needed.some((need) => need.module === module.name)) continue;
      const functions = module.link(access(index));
      this.#modules.set(module.name, { module, functions });
    }
    const bindings = this.#bindings(needed);
    return {
      unit,
      index,
      bindings,
      functions: this.#functions,
      constants: this.#constants,
      isReactor: unit.name !== MAIN &&
        isProcedure(unit.module.exports, "_initialize"),
    };
  }

  #bindings(needed: readonly ModuleImport[]): readonly Binding[] {
    const { unit } = this.#step;
    const globals = unit.module.prepared.globals.values();
    const missing: ImportName[] = [];
    const bindings: Binding[] = [];
    for (const need of needed) {
      const global = need.kind === "global" ? globals.next().value : undefined;
      const binding = this.#binding(need, global);
      if (binding !== undefined) bindings.push(binding);
      else {
        const { module, name, kind } = need;
        missing.push({ module, name, kind });
      }
    }
    if (missing.length > 0) {
      const isAlone = this.#units.length === 1;
      throw notGranted(missing, isAlone ? undefined : unit.chain);
    }
    return bindings;
  }

  /** One name is one thing, whose results are checked for one type. */
  #binding(
    need: ModuleImport,
    global: NumberType | undefined,
  ): Binding | undefined {
    const key = JSON.stringify([need.module, need.name]);
    const type = JSON.stringify([need.kind, need.signature, global]);
    const before = this.#known.get(key);
    if (before !== undefined) {
      return before.type === type ? before.binding : undefined;
    }
    const binding = this.#find(need, global);
    this.#known.set(key, { type, binding });
    return binding;
  }

  #find(
    need: ModuleImport,
    global: NumberType | undefined,
  ): Binding | undefined {
    const { imports } = this.#options;
    if (this.#modules.has(need.module)) return this.#own(need);
    if (!isGranted(imports, need)) return this.#linked(need);
    const { module, name, kind, signature } = need;
    const value = imports[module]?.[name];
    if (kind === "function" && typeof value === "function") {
      const numbers = numbersOf(signature);
      // a reference to something of the host's is never handed out
      return numbers && this.#host({
        fn: value,
        name: { module, name },
        signature: numbers,
        own: false,
        isDirect: false,
        maySuspend: false,
      });
    }
    if (kind !== "global" || typeof value === "function") return undefined;
    if (global === undefined || value === undefined) return undefined;
    return this.#constant({ type: global, value }, need);
  }

  #host(bound: BoundFunction): Binding {
    return { from: "host", index: this.#functions.push(bound) - 1 };
  }

  #constant(constant: Constant, { module, name }: ModuleImport): Binding {
    const { type, value } = constant;
    const expected = type === "i64" ? "bigint" : "number";
    const given = typeof value;
    if (given !== expected) {
      throw doesNotFit(
        `"${module}"."${name}" must be a ${expected}, not a ${given}`,
      );
    }
    return { from: "constant", index: this.#constants.push(constant) - 1 };
  }

  /** A function of a host module, if it is imported as what it is. */
  #own(need: ModuleImport): Binding | undefined {
    const { name, kind } = need;
    const found = this.#modules.get(need.module);
    const signature = numbersOf(need.signature);
    if (found === undefined || kind !== "function" || !signature) return;
    const { module, functions } = found;
    if (!Object.hasOwn(module.signatures, name)) return undefined;
    const type = module.signatures[name];
    const fn = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (fn === undefined || type === undefined) return undefined;
    if (!hasTypes(signature, type.params, type.results)) return undefined;
    const id: ImportName = { module: need.module, name };
    const isDirect = module.direct?.includes(name) ?? false;
    return this.#host({
      fn: isDirect ? direct(fn, id) : fn,
      name: id,
      signature,
      own: true,
      isDirect,
      maySuspend: module.suspending?.includes(name) ?? false,
    });
  }

  /** What a module exports: there may be thousands, and as many imports. */
  #exportsOf(module: string): ReadonlyMap<string, ModuleExport> {
    let exports = this.#exports.get(module);
    if (exports === undefined) {
      const unit = this.#units.find((each) => each.name === module);
      const all = unit?.module.exports ?? [];
      exports = new Map(all.map((each) => [each.name, each]));
      this.#exports.set(module, exports);
    }
    return exports;
  }

  /** What another module exports under that name, if it is the same thing. */
  #linked({ module, name, kind, signature }: ModuleImport) {
    const found = this.#exportsOf(module).get(name);
    if (found?.kind !== kind || kind === "tag") return undefined;
    const linked: Binding = { from: "linked", unit: module, name };
    if (kind !== "function") return linked;
    if (signature === undefined || found.signature === undefined) return;
    const { params, results } = signature;
    if (!hasTypes(found.signature, params, results)) return undefined;
    if (!this.#step.later.has(module)) return linked;
    const numbers = numbersOf(signature);
    if (numbers === undefined) return undefined;
    const later: Later = {
      from: "later",
      unit: module,
      name,
      signature: numbers,
    };
    return later;
  }
}

/** A signature, if there is nothing in it but numbers. */
function numbersOf(
  signature: Signature | undefined,
): NumberSignature | undefined {
  if (signature === undefined) return undefined;
  const { params, results } = signature;
  return [...params, ...results].includes("other")
    ? undefined
    : signature as NumberSignature;
}

/**
 * The error of something that is granted, but as something else.
 *
 * @param reason What does not fit.
 * @returns The error.
 */
export function doesNotFit(
  reason: string,
): SandboxError<"import-not-granted"> {
  return new SandboxError(
    "import-not-granted",
    `Cannot make an instance: what is granted does not fit: ${reason}`,
    { details: { missing: [] } },
  );
}

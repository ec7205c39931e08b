/**
 * Modules that are instantiated together: who they are, and in which order.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type {
  HostImports,
  HostModule,
  Module,
  ModuleImport,
} from "../types.ts";
import type { CompiledModule } from "./compiled.ts";

/** Name that the linked modules import the main one from. */
export const MAIN = "main";

/** One of the modules that are instantiated together. */
export interface Unit<M extends Module = CompiledModule> {
  /** Name that others import it from. */
  readonly name: string;
  /** The module. */
  readonly module: M;
  /** How the main one reaches it, for messages: `"main"/"lhs"`. */
  readonly chain: string;
}

/** A step of linking: a unit, and what it imports from those that come later. */
export interface LinkStep<M extends Module = CompiledModule> {
  /** The unit. */
  readonly unit: Unit<M>;
  /** Names of the units whose functions are not there yet. */
  readonly later: ReadonlySet<string>;
}

/** What is granted to all of them. */
export interface Grants {
  /** Functions of numbers, and constants. */
  readonly imports: HostImports;
  /** Functions that see the guest's memory. */
  readonly hostModules: readonly HostModule[];
}

/**
 * The modules that are instantiated together.
 *
 * @param main The main one.
 * @param linked The others, by name.
 * @param hostModules Host modules, whose names nobody else may have.
 * @returns All of them, the main one first.
 * @throws {TypeError} If a name is taken, or a module is there twice.
 */
export function unitsOf<M extends Module>(
  main: M,
  linked: ReadonlyMap<string, M>,
  hostModules: readonly HostModule[],
): readonly Unit<M>[] {
  const seen = new Set([main]);
  const refuse = (name: string, why: string): never => {
    throw new TypeError(`Cannot link the module ${quote(name)}: ${why}`);
  };
  for (const [name, module] of linked) {
    if (name === MAIN) refuse(name, "this is the name of the main module");
    if (hostModules.some((each) => each.name === name)) {
      refuse(name, "a host module has the same name (give it another one)");
    }
    if (seen.has(module)) {
      refuse(name, "it is linked already (compile it once more)");
    }
    seen.add(module);
  }
  const all = new Map([[MAIN, main], ...linked]);
  const chains = linked.size === 0 ? undefined : chainsOf(all);
  return Array.from(all, ([name, module]) => ({
    name,
    module,
    chain: chains?.get(name) ?? quote(name),
  }));
}

/** The shortest way from the main module to each that it reaches. */
function chainsOf(
  all: ReadonlyMap<string, Module>,
): ReadonlyMap<string, string> {
  const chains = new Map([[MAIN, quote(MAIN)]]);
  // a map that grows is gone over to its end
  for (const [name, chain] of chains) {
    for (const { module } of all.get(name)?.imports ?? []) {
      if (!all.has(module) || chains.has(module)) continue;
      chains.set(module, `${chain}/${quote(module)}`);
    }
  }
  return chains;
}

/**
 * Puts units into an order in which each comes after those that it imports
 * from. Where functions are imported in a circle, that cannot be: then what is
 * missing is left for later.
 *
 * @param units The units.
 * @param grants What is not imported from another unit.
 * @returns The steps.
 * @throws {SandboxError} With code `module-refused`, if memories, tables or
 * globals are imported in a circle.
 */
export function inOrder<M extends Module>(
  units: readonly Unit<M>[],
  grants: Grants,
): readonly LinkStep<M>[] {
  const waiting = new Map(
    units.map((unit) => [unit.name, needsOf(unit, units, grants)]),
  );
  // the main one last, where that can be chosen
  const left = [...units.slice(1), ...units.slice(0, 1)];
  const steps: LinkStep<M>[] = [];
  const isFree = (names: ReadonlySet<string>) =>
    !names.values().some((name) => waiting.has(name));
  while (left.length > 0) {
    const needs = ({ name }: Unit<M>) => waiting.get(name) ?? NO_NEEDS;
    let next = left.findIndex((unit) => isFree(needs(unit).all));
    if (next < 0) next = left.findIndex((unit) => isFree(needs(unit).things));
    const unit = left.splice(next, 1)[0];
    if (next < 0 || unit === undefined) throw circular(left);
    const later = needs(unit).all.values().filter((name) => waiting.has(name));
    steps.push({ unit, later: new Set(later) });
    waiting.delete(unit.name);
  }
  return steps;
}

/** Names of the units that one imports from. */
interface Needs {
  readonly all: ReadonlySet<string>;
  /** Those that it needs more of than functions. */
  readonly things: ReadonlySet<string>;
}

const NO_NEEDS: Needs = { all: new Set(), things: new Set() };

function needsOf(
  { module }: Unit<Module>,
  units: readonly Unit<Module>[],
  { imports }: Grants,
): Needs {
  const needed = module.imports.filter((need) =>
    units.some(({ name }) => name === need.module) &&
    !isGranted(imports, need)
  );
  const things = needed.filter(({ kind }) => kind !== "function");
  return {
    all: new Set(needed.map((need) => need.module)),
    things: new Set(things.map((need) => need.module)),
  };
}

/** Whether the host grants an import by its name. */
export function isGranted(
  imports: HostImports,
  { module, name }: ModuleImport,
): boolean {
  return Object.hasOwn(imports, module) &&
    Object.hasOwn(imports[module] ?? {}, name);
}

function circular(
  units: readonly Unit<Module>[],
): SandboxError<"module-refused"> {
  const names = units.map(({ name }) => quote(name)).join(", ");
  return new SandboxError(
    "module-refused",
    "Cannot link the modules: memories, tables or globals are imported in a " +
      `circle among ${names || "one module"} (only functions may be)`,
    { details: { reason: "circular imports" } },
  );
}

/** Most missing imports that a message names. */
const MAX_NAMED = 8;

/**
 * The error of imports that nobody provides.
 *
 * @param missing The imports.
 * @param chain The module that needs them, if there are several.
 * @returns The error.
 */
export function notGranted(
  missing: readonly ImportName[],
  chain?: string,
): SandboxError<"import-not-granted"> {
  const names = missing.slice(0, MAX_NAMED).map(({ module, name, kind }) => {
    const full = `${quote(module)}.${quote(name)}`;
    return chain === undefined ? `${kind} ${full}` : full;
  });
  const more = missing.length - names.length;
  if (more > 0) names.push(`${more} more`);
  const list = names.join(", ");
  const message = chain === undefined
    ? `the module imports ${list}, which nobody grants (functions of numbers, ` +
      "and constants, are granted with imports)"
    : `from module ${chain}: ${list} ${
      missing.length === 1 ? "is" : "are"
    } not provided by a host module, by imports or by a linked module, with ` +
      "this name, kind and type";
  return new SandboxError(
    "import-not-granted",
    `Cannot make an instance: ${message}`,
    { details: { missing } },
  );
}

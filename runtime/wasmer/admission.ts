/**
 * Whether Wasmer may run a module under a policy.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type {
  Auditor,
  Capability,
  ClockCapability,
  FilesystemCapability,
  Operation,
  RandomCapability,
} from "../../security/types.ts";
import { isProcedure } from "../calls.ts";
import { unsupported as notSupported } from "../needs.ts";
import type { Module, ModuleImport } from "../types.ts";
import {
  FUNCTIONS,
  type Need,
  OPERATIONS,
  SHARED_MEMORY,
  type WasmerFunction,
  WORKSPACE,
} from "./wasi_imports.ts";

/** Name of the runtime. */
export const NAME = "wasmer";

/** Types of capability that mean something to a guest of Wasmer's. */
const GRANTED: readonly string[] = [
  "filesystem",
  "environment",
  "clock",
  "random",
  "process",
  "stdio",
];

/**
 * The error of what cannot be had or withheld.
 *
 * @param feature What it is.
 * @param suggestion What to do instead.
 * @returns The error.
 */
export function unsupported(
  feature: string,
  suggestion: string,
): SandboxError<"unsupported"> {
  const where = { runtimeName: NAME, isolation: "process" } as const;
  return notSupported(where, feature, suggestion);
}

/**
 * Refuses grants that Wasmer cannot keep to.
 *
 * @param capabilities What is granted.
 * @throws {SandboxError} With code `unsupported`.
 */
export function requireGrants(capabilities: readonly Capability[]): void {
  for (const capability of capabilities) {
    const { type } = capability;
    if (!GRANTED.includes(type)) {
      throw unsupported(
        `the capability ${quote(type)}`,
        "its guests ask their host for nothing: leave it out, or use another " +
          "runtime",
      );
    }
    const problem = problemOf(capability);
    if (problem !== undefined) throw unsupported(problem.what, problem.advice);
  }
}

function problemOf(
  capability: Capability,
): { readonly what: string; readonly advice: string } | undefined {
  switch (capability.type) {
    case "clock": {
      const { mode } = capability as ClockCapability;
      if (mode === "real") return undefined;
      return {
        what: `a clock of mode ${quote(mode)}`,
        advice: 'grant Capabilities.clock({ mode: "real" }), or none',
      };
    }
    case "random":
      if ((capability as RandomCapability).seed === undefined) return undefined;
      return {
        what: "random bytes of a seed",
        advice: "grant them without a seed",
      };
    case "filesystem":
      return mountProblem(capability as FilesystemCapability);
    default:
      return undefined;
  }
}

function mountProblem(
  { mounts }: FilesystemCapability,
): ReturnType<typeof problemOf> {
  for (const mount of mounts) {
    const { guest, access } = mount;
    const advice =
      `grant { guest: ${quote(WORKSPACE)}, memory: true } and nothing ` +
      "else, or use another runtime";
    if ("host" in mount) {
      return { what: `the host's directory ${quote(mount.host)}`, advice };
    }
    if (guest !== WORKSPACE) {
      return { what: `a mount at ${quote(guest)}`, advice };
    }
    if (access !== "read-write") {
      return { what: "a mount that is for reading alone", advice };
    }
  }
  return undefined;
}

/** What a module is asked for, beside itself. */
export interface Admission {
  /** Decides on what it imports, and records it. */
  readonly auditor: Auditor;
  /** What is granted. */
  readonly capabilities: readonly Capability[];
  /** Whether it may have threads. */
  readonly threads: boolean;
}

/**
 * Refuses modules that could do what they are not granted, or what no limit
 * reaches.
 *
 * @param module The module.
 * @param admission What decides.
 * @throws {SandboxError} With code `unsupported` or `import-not-granted`.
 */
export function requireModule(module: Module, admission: Admission): void {
  if (!isProcedure(module.exports, "_start")) {
    throw unsupported(
      "a module without a function _start",
      "it runs programs alone: use another runtime",
    );
  }
  if (module.hasStart) {
    throw unsupported(
      "a module with a start function",
      "there is no WASI yet when that runs: use another runtime",
    );
  }
  if (!hasMemory(module)) {
    throw unsupported(
      "a module that neither exports nor imports a memory",
      "Wasmer runs none: export it, or use another runtime",
    );
  }
  requireOneMemory(module);
  const asked = new Set<Need>();
  const missing: ImportName[] = [];
  for (const need of module.imports) {
    const known = functionOf(need, admission);
    if (known === undefined) missing.push(nameOf(need));
    else requireLinks(need, admission);
    for (const name of known?.needs ?? []) {
      if (asked.has(name)) continue;
      asked.add(name);
      requireNeed({ ...OPERATIONS[name], via: need.name }, admission);
    }
  }
  if (missing.length > 0) throw notOffered(missing);
}

function hasMemory({ exports, imports }: Module): boolean {
  return [...exports, ...imports].some(({ kind }) => kind === "memory");
}

/** Each thread has an instance of its own, and so all that the module defines. */
function requireOneMemory({ imports, memories }: Module): void {
  const imported = imports.filter(({ kind }) => kind === "memory").length;
  if (imported === 0 || memories.length === imported) return;
  if (!imports.some(({ module, name }) => isForThreads(module, name))) return;
  throw unsupported(
    "a module with threads that defines a memory",
    "each thread would have another one, which memoryBytes does not count: " +
      "let it have the one that threads share alone",
  );
}

function isForThreads(module: string, name: string): boolean {
  return FUNCTIONS.get(module)?.get(name)?.threads === true;
}

/** The function that an import is; undefined if there is none. */
function functionOf(
  { module, name, kind }: ModuleImport,
  { threads }: Admission,
): WasmerFunction | undefined {
  if (kind === "memory") {
    const isShared = module === SHARED_MEMORY.module &&
      name === SHARED_MEMORY.name;
    return isShared ? NO_NEEDS : undefined;
  }
  const known = kind === "function"
    ? FUNCTIONS.get(module)?.get(name)
    : undefined;
  return known?.threads === true && !threads ? undefined : known;
}

const NO_NEEDS: WasmerFunction = Object.freeze({ needs: [], threads: false });

function requireNeed(operation: Operation, { auditor }: Admission): void {
  if (auditor.permits(operation)) return;
  const { capability, via = "" } = operation;
  throw unsupported(
    `a guest without the capability ${quote(capability)} that imports ${
      quote(via)
    }`,
    `nothing stands between it and ${via}: grant ${
      quote(capability)
    }, or use ` +
      "another runtime",
  );
}

/** A mount that refuses links, and a guest that would make them all the same. */
function requireLinks(
  { name }: ModuleImport,
  { capabilities }: Admission,
): void {
  if (name !== "path_symlink") return;
  const refusing = capabilities.some((capability) =>
    capability.type === "filesystem" &&
    (capability as FilesystemCapability).mounts.some(({ symlinks }) =>
      symlinks === "refuse"
    )
  );
  if (!refusing) return;
  throw unsupported(
    `a mount without symbolic links for a guest that imports ${quote(name)}`,
    'mount it with symlinks: "within", or use another runtime',
  );
}

function nameOf({ module, name, kind }: ModuleImport): ImportName {
  return { module, name, kind };
}

/** Most imports that a message names. */
const MAX_NAMED = 8;

function notOffered(
  missing: readonly ImportName[],
): SandboxError<"import-not-granted"> {
  const names = missing.slice(0, MAX_NAMED).map(({ module, name }) =>
    `${quote(module)}.${quote(name)}`
  );
  const more = missing.length > MAX_NAMED ? ", and more" : "";
  return new SandboxError(
    "import-not-granted",
    `Cannot instantiate the module: it imports ${names.join(", ")}${more}, ` +
      'which the runtime "wasmer" does not offer (it offers WASI preview 1 ' +
      "and WASIX, but for threads without the feature, other programs, and " +
      "functions of the host)",
    { details: { missing } },
  );
}

/**
 * What a sandbox is made from, and what it tells of itself.
 *
 * @module
 */

import { quote } from "./_text.ts";
import { SandboxError } from "./errors.ts";
import type { RuntimeFactory } from "./runtime/mod.ts";
import type {
  CallOptions,
  Enforcement,
  GuestAbi,
  HostImports,
  ModuleFeatures,
  ModuleSource,
  Runtime,
} from "./runtime/types.ts";
import { featureMask } from "./runtime/v8/features.ts";
import {
  type LimitName,
  resolveLimits,
  type ResourceLimits,
} from "./security/limits.ts";

/**
 * Where a guest runs: in the calling thread, or in a process of its own.
 * `"auto"` is decided by what the guest is granted; as long as nothing of the
 * operating system can be granted, that is `"inline"`.
 */
export type Isolation = "auto" | "inline" | "process";

/**
 * What happens between two calls: the same instance goes on, with all its
 * state, or each call gets an instance of its own.
 */
export type InstancePolicy = "reuse" | "fresh";

/** How a call passes its input: as numbers, as JSON or as bytes. */
export type CallAbi = "raw" | "json" | "bytes";

/** Options of {@linkcode Sandbox.create}. */
export interface SandboxOptions {
  /** Where the module comes from. */
  readonly module: ModuleSource;
  /**
   * The runtime, or the name of one in `runtimes`. A runtime that is given as
   * an object is not disposed with the sandbox.
   *
   * @default {"v8"}
   */
  readonly runtime?: Runtime | string;
  /**
   * Where a runtime's name is looked up.
   *
   * @default {new RuntimeFactory()}
   */
  readonly runtimes?: RuntimeFactory;
  /**
   * Where the guest runs. `"process"` is refused in this version.
   *
   * @default {"auto"}
   */
  readonly isolation?: Isolation;
  /**
   * What the guest may use at the most.
   *
   * @default {DEFAULT_LIMITS}
   */
  readonly limits?: ResourceLimits;
  /**
   * Which proposals of WebAssembly the module may use.
   *
   * @default {DEFAULT_FEATURES}
   */
  readonly features?: ModuleFeatures;
  /**
   * What the guest may import: functions of numbers, and constants. A function
   * that is granted runs with all rights of the host, on numbers that the
   * guest chooses: check them.
   *
   * @default {{}}
   */
  readonly imports?: HostImports;
  /** Names of the guest's memory functions, for JSON and bytes. */
  readonly abi?: GuestAbi;
  /**
   * What happens between two calls.
   *
   * @default {"reuse"}
   */
  readonly instance?: InstancePolicy;
}

/** Options of {@linkcode Sandbox.prototype.call}. */
export interface SandboxCallOptions extends CallOptions {
  /**
   * How the input is passed. Without it: JSON, or bytes for a `Uint8Array`, if
   * the export is of type `(i32, i32) -> i64` and the guest can allocate, and
   * numbers otherwise.
   */
  abi?: CallAbi;
}

/** What was used of one limit. */
export interface LimitUsage {
  /** What is allowed, in the unit of the limit's name. */
  readonly allowed: number;
  /** What was used, where that is measured. */
  readonly used?: number;
}

/** What a sandbox has used. */
export interface SandboxUsage {
  /** Calls that were made. */
  readonly calls: number;
  /** What was used of each limit. */
  readonly limits: Readonly<Partial<Record<LimitName, LimitUsage>>>;
}

/** Who enforces one limit of a sandbox, and how firmly. */
export interface LimitEnforcement extends Enforcement {
  /** What is allowed, if it is a number of the caller's. */
  readonly allowed?: number;
}

/** Who enforces what. */
export interface SandboxEnforcement {
  /** Where the guest runs. */
  readonly isolation: Exclude<Isolation, "auto">;
  /** Name of the runtime. */
  readonly runtime: string;
  /** Each limit that holds. */
  readonly limits: Readonly<
    Partial<Record<LimitName | "stack", LimitEnforcement>>
  >;
  /** What this isolation does not protect against. */
  readonly unprotected: readonly string[];
}

const OPTION_NAMES: readonly string[] = [
  "module",
  "runtime",
  "runtimes",
  "isolation",
  "limits",
  "features",
  "imports",
  "abi",
  "instance",
];

/** What each option of a few words may be. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  isolation: ["auto", "inline", "process"],
  instance: ["reuse", "fresh"],
};

/**
 * Finds everything that is wrong with options, before anything is done.
 *
 * @param options What the caller gave.
 * @throws {TypeError} That lists all of it.
 */
export function checkOptions(options: Partial<SandboxOptions>): void {
  const problems = [...findProblems(options)];
  if (problems.length === 0) return;
  throw new TypeError(`Cannot create the sandbox: ${problems.join("; ")}`);
}

const CALL_OPTION_NAMES: readonly string[] = ["abi", "signal", "timeoutMs"];
const ABIS: readonly unknown[] = [undefined, "raw", "json", "bytes"];

/**
 * Refuses options of a call that are not known: they would be ignored.
 *
 * @param options What the caller gave.
 * @throws {TypeError} If an option is not known.
 */
export function checkCallOptions(options: SandboxCallOptions): void {
  for (const name in options) {
    if (CALL_OPTION_NAMES.includes(name)) continue;
    throw new TypeError(
      `Cannot call with the option ${quote(name)}: known are ${
        CALL_OPTION_NAMES.join(", ")
      }`,
    );
  }
  if (!ABIS.includes(options.abi)) {
    throw new TypeError(
      `Cannot call with the abi ${quote(String(options.abi))}: known are ` +
        "raw, json, bytes",
    );
  }
}

function* findProblems(options: Partial<SandboxOptions>): Iterable<string> {
  if (options.module === undefined) yield "no module is given";
  for (const [name, value] of Object.entries(options)) {
    if (!OPTION_NAMES.includes(name)) {
      yield `option ${quote(name)} is not known (known are ${
        OPTION_NAMES.join(", ")
      })`;
    }
    const choices = CHOICES[name];
    if (choices !== undefined && !choices.some((choice) => choice === value)) {
      yield `option ${name} is ${quote(String(value))}, not one of ${
        choices.join(", ")
      }`;
    }
  }
  const { abi = {}, limits = {}, features = {}, imports = {} } = options;
  for (const [name, value] of Object.entries(abi)) {
    if (name !== "alloc" && name !== "free") {
      yield `abi has ${quote(name)}, and known are alloc, free`;
    } else if (typeof value !== "string") yield `abi.${name} is no string`;
  }
  const { fuel } = limits;
  for (const [name, value] of Object.entries(limits)) {
    // a deadline may be infinite only together with fuel
    const counted = fuel === undefined || name === "fuel" ? {} : { fuel };
    yield* problemOf(() => resolveLimits({ ...counted, [name]: value }));
  }
  yield* problemOf(() => featureMask(features));
  yield* importProblems(imports);
}

function* importProblems(imports: HostImports): Iterable<string> {
  for (const [module, namespace] of Object.entries(imports)) {
    for (const [name, value] of Object.entries(namespace)) {
      if (["function", "number", "bigint"].includes(typeof value)) continue;
      yield `import ${quote(module)}.${
        quote(name)
      } is neither a function nor a number`;
    }
  }
}

function* problemOf(check: () => unknown): Iterable<string> {
  try {
    check();
  } catch (error) {
    yield error instanceof Error ? error.message : String(error);
  }
}

/**
 * Refuses what a runtime cannot run or enforce.
 *
 * @param runtime The runtime.
 * @param options What is asked of it, checked.
 * @throws {SandboxError} With code `unsupported`.
 */
export function requireSupport(
  runtime: Runtime,
  { isolation, limits = {}, features = {} }: SandboxOptions,
): void {
  if (isolation === "process") {
    throw unsupported(runtime, 'isolation "process"', 'use "inline"');
  }
  for (const name of Object.keys(limits) as LimitName[]) {
    const { level = "none" } = runtime.features.limits[name] ?? {};
    if (level === "none") {
      throw unsupported(runtime, `the limit ${name}`, "leave it out");
    }
  }
  for (const [name, allowed] of Object.entries(features)) {
    if (allowed && !runtime.features.wasm.some((each) => each === name)) {
      throw unsupported(runtime, `the feature ${name}`, "do not allow it");
    }
  }
}

/**
 * The error of something that a runtime cannot do or enforce.
 *
 * @param runtime The runtime.
 * @param feature What it cannot.
 * @param suggestion What to do instead.
 * @returns The error.
 */
export function unsupported(
  runtime: Runtime,
  feature: string,
  suggestion: string,
): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    `Cannot provide ${feature}: the runtime "${runtime.name}" cannot ` +
      `enforce it inline (${suggestion})`,
    { details: { runtime: runtime.name, feature } },
  );
}

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
  RuntimeFeatures,
} from "./runtime/types.ts";
import type { ProcessPool } from "./runtime/process/pool.ts";
import { featureMask } from "./runtime/v8/features.ts";
import {
  type LimitName,
  resolveLimits,
  type ResourceLimits,
} from "./security/limits.ts";
import type { CapabilityKinds } from "./security/kinds.ts";
import type { SecurityPolicy } from "./security/policy.ts";
import type { AuditEvent, AuditSink, Capability } from "./security/types.ts";

/**
 * Where a guest runs: in the calling thread, or in a process of its own, which
 * holds no permission of Deno's but those that its grants need. `"auto"` is
 * decided by the policy: `"process"` as soon as it grants directories of the
 * host or the network, `"inline"` otherwise.
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
   * Where the guest runs. `"process"` needs the permission to run Deno, runs
   * the built-in runtime `"v8"` and offers no `callSync`.
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
  /**
   * What the guest may do, with WASI and with host functions that ask.
   *
   * @default {SecurityPolicy.strict()}
   */
  readonly policy?: SecurityPolicy | readonly Capability[];
  /**
   * The kinds of capability that the policy may hold.
   *
   * @default {new CapabilityKinds()}
   */
  readonly capabilityKinds?: CapabilityKinds;
  /**
   * Takes each decision about what the guest may do, beside
   * {@linkcode Sandbox.prototype.audit}: a sink, or a function.
   */
  readonly audit?: AuditSink | ((event: AuditEvent) => void);
  /** Processes to take one from, for the isolation `"process"`. */
  readonly pool?: ProcessPool;
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

/** Options of {@linkcode Sandbox.prototype.execute}. */
export interface ExecuteOptions extends CallOptions {
  /**
   * The standard input. A stream is read as the guest reads in a process, and
   * to its end before the guest runs inline.
   *
   * @default {""}
   */
  stdin?: string | Uint8Array | ReadableStream<Uint8Array>;
  /**
   * Variables of the environment. Each name must be among those that the
   * policy's environment capability passes on.
   *
   * @default {{}}
   */
  env?: Readonly<Record<string, string>>;
  /**
   * Files to put into memory mounts, by the guest's absolute path.
   *
   * @default {{}}
   */
  files?: Readonly<Record<string, string | Uint8Array>>;
  /** Where the standard output goes; it is collected if left out. */
  stdout?: WritableStream<Uint8Array>;
  /** Where the standard error goes; it is collected if left out. */
  stderr?: WritableStream<Uint8Array>;
  /**
   * What the program is told its own name is.
   *
   * @default {"guest"}
   */
  name?: string;
}

/** How a program ended. */
export interface ExecuteResult {
  /** Its exit code. */
  readonly exitCode: number;
  /** The standard output; empty if it went to a stream. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** The standard error; empty if it went to a stream. */
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** All files of all memory mounts, by the guest's absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
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
  /** What was used of the counters of capabilities, by `type.counter`. */
  readonly counters: Readonly<Record<string, Required<LimitUsage>>>;
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
  /** Who enforces each grant, by type of capability. */
  readonly grants: Readonly<Record<string, string>>;
  /** What the isolation and the grants do not protect against. */
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
  "policy",
  "capabilityKinds",
  "audit",
  "pool",
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
const EXECUTE_OPTION_NAMES: readonly string[] = [
  "stdin",
  "env",
  "files",
  "stdout",
  "stderr",
  "name",
  "signal",
  "timeoutMs",
];
const ABIS: readonly unknown[] = [undefined, "raw", "json", "bytes"];

/**
 * Refuses options of a call that are not known: they would be ignored.
 *
 * @param options What the caller gave.
 * @throws {TypeError} If an option is not known.
 */
export function checkCallOptions(options: SandboxCallOptions): void {
  checkNames("call", options, CALL_OPTION_NAMES);
  if (!ABIS.includes(options.abi)) {
    throw new TypeError(
      `Cannot call with the abi ${quote(String(options.abi))}: known are ` +
        "raw, json, bytes",
    );
  }
}

/**
 * Refuses options of a run that are not known: they would be ignored.
 *
 * @param options What the caller gave.
 * @throws {TypeError} If an option is not known.
 */
export function checkExecuteOptions(options: ExecuteOptions): void {
  checkNames("execute", options, EXECUTE_OPTION_NAMES);
}

function checkNames(
  what: string,
  options: object,
  known: readonly string[],
): void {
  for (const name in options) {
    if (known.includes(name)) continue;
    throw new TypeError(
      `Cannot ${what} with the option ${quote(name)}: known are ${
        known.join(", ")
      }`,
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
 * Refuses limits and features that nobody enforces where the guest is to run.
 *
 * @param source Where it is to run.
 * @param options What is asked of it, checked.
 * @throws {SandboxError} With code `unsupported`.
 */
export function requireSupport(
  source: Enforcer,
  { limits = {}, features = {} }: Pick<SandboxOptions, "limits" | "features">,
): void {
  for (const name of Object.keys(limits) as LimitName[]) {
    if (limits[name] === undefined || OWN_LIMITS[name] !== undefined) continue;
    const { level = "none" } = source.features.limits[name] ?? {};
    if (level === "none") {
      throw unsupported(source, `the limit ${name}`, "leave it out");
    }
  }
  for (const [name, allowed] of Object.entries(features)) {
    if (allowed && !source.features.wasm.some((each) => each === name)) {
      throw unsupported(source, `the feature ${name}`, "do not allow it");
    }
  }
}

/** Who enforces limits: a runtime, where it runs. */
export interface Enforcer {
  /** Where it runs. */
  readonly isolation: "inline" | "process";
  /** Name of the runtime. */
  readonly runtimeName: string;
  /** What it enforces. */
  readonly features: RuntimeFeatures;
}

/** Limits that the sandbox itself enforces, whatever the runtime. */
export const OWN_LIMITS: Readonly<Partial<Record<LimitName, Enforcement>>> =
  Object.freeze({
    messages: { level: "hard", by: "the sandbox, before it sends one" },
    instances: { level: "hard", by: "the sandbox, before it makes one" },
  });

/**
 * The error of something that a runtime cannot do or enforce.
 *
 * @param source The runtime, and where it runs.
 * @param feature What it cannot.
 * @param suggestion What to do instead.
 * @returns The error.
 */
export function unsupported(
  { runtimeName, isolation }: Pick<Enforcer, "runtimeName" | "isolation">,
  feature: string,
  suggestion: string,
): SandboxError<"unsupported"> {
  const where = isolation === "inline" ? "inline" : "in a process";
  return new SandboxError(
    "unsupported",
    `Cannot provide ${feature}: the runtime "${runtimeName}" cannot ` +
      `enforce it ${where} (${suggestion})`,
    { details: { runtime: runtimeName, feature } },
  );
}

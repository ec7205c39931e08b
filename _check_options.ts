/** What is wrong with options, and what nobody enforces. */

import { communicationProblems } from "./_check_communication.ts";
import { quote } from "./_text.ts";
import { type Enforcer, needProblems, unsupported } from "./runtime/needs.ts";
import type { Enforcement, HostImports } from "./runtime/types.ts";
import { featureMask } from "./runtime/v8/features.ts";
import type {
  ExecuteOptions,
  SandboxCallOptions,
  SandboxOptions,
} from "./sandbox_options.ts";
import {
  LIMIT_NAMES,
  type LimitName,
  resolveLimits,
} from "./security/limits.ts";

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
  "hostFunctions",
  "onHostFunctionError",
  "channel",
  "channels",
  "http",
  "linked",
  "extism",
  "need",
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

const CALL_OPTION_NAMES: readonly string[] = [
  "abi",
  "signal",
  "timeoutMs",
  "source",
  "sink",
];
const EXECUTE_OPTION_NAMES: readonly string[] = [
  "stdin",
  "env",
  "inheritEnv",
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
  const { source, sink } = options;
  if (source !== undefined) checkStream("source", source, ReadableStream);
  if (sink !== undefined) checkStream("sink", sink, WritableStream);
}

/** Refuses what is no stream, or is somebody else's, before the guest runs. */
function checkStream(
  name: "source" | "sink",
  stream: ReadableStream | WritableStream,
  type: typeof ReadableStream | typeof WritableStream,
): void {
  if (!(stream instanceof type)) {
    throw new TypeError(`Cannot call with a ${name} that is no ${type.name}`);
  }
  if (!stream.locked) return;
  throw new TypeError(
    `Cannot call with a ${name} that is locked: somebody else holds it ` +
      "(release its lock, or give the call a stream of its own)",
  );
}

/**
 * Refuses streams of a call in the calling thread: it could not wait for them.
 *
 * @param options What the caller gave.
 * @throws {TypeError} If there are streams.
 */
export function checkSyncOptions({ source, sink }: SandboxCallOptions): void {
  if (source === undefined && sink === undefined) return;
  throw new TypeError(
    "Cannot callSync with streams: nothing can be waited for (use call)",
  );
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
  yield* needProblems(options.need);
  yield* importProblems(imports);
  yield* communicationProblems(options);
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
  // by name, as they were resolved: what is inherited or computed counts too
  for (const name of LIMIT_NAMES) {
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

/** Limits that the sandbox itself enforces, whatever the runtime. */
export const OWN_LIMITS: Readonly<Partial<Record<LimitName, Enforcement>>> =
  Object.freeze({
    messages: { level: "hard", by: "the sandbox, before it sends one" },
    instances: { level: "hard", by: "the sandbox, before it makes one" },
    streamBytes: { level: "hard", by: "the host, before a piece is passed on" },
    networkRequests: { level: "hard", by: "the host, before it asks" },
    networkBytes: { level: "hard", by: "the host, as they come and go" },
  });

/**
 * Functions of the host that a guest may call by name.
 *
 * @module
 */

import { quote, reasonOf } from "../_text.ts";
import { MAX_NAME_BYTES } from "./guest_functions.ts";
import { checkSchema, type StandardSchemaV1 } from "./standard_schema.ts";

/** What a function of the host knows of the call that it answers. */
export interface HostFunctionContext {
  /** The name by which it was called. */
  readonly name: string;
  /** Aborted when nobody waits for the answer any longer. */
  readonly signal: AbortSignal;
  /**
   * Asks the policy, and records what it says. What this throws is for the
   * guest: let it through.
   *
   * @param operation Name of the operation, such as `"custom_access.read"`.
   * @param args Its arguments.
   * @throws {SandboxError} With code `capability-not-granted`, `access-denied`,
   * `invalid-argument` or `limit-exceeded`.
   */
  audit(operation: string, args?: readonly unknown[]): void;
}

/**
 * A function of the host. It gives its answer, or a promise of it.
 *
 * A `GuestFault` that it throws is told to the guest: its code, message and
 * data. Of everything else the guest is told only that the function failed.
 *
 * @typeParam I What it takes.
 * @typeParam O What it gives.
 */
export type HostFunctionHandler<I = unknown, O = unknown> = (
  input: I,
  context: HostFunctionContext,
) => O | PromiseLike<O>;

/** How input and answer of a function are written. */
export type HostFunctionCodec = "json" | "bytes";

/** What a function asks the policy for, before it runs. */
export interface HostFunctionOperation {
  /** Name of the operation, such as `"custom_access.read"`. */
  readonly operation: string;
  /**
   * Its arguments.
   *
   * @default {[]}
   */
  readonly args?: readonly unknown[];
}

/**
 * A function of the host, and what stands before it.
 *
 * @typeParam I What it takes.
 * @typeParam O What it gives.
 */
export interface HostFunctionOptions<I = unknown, O = unknown> {
  /** The function. It runs with all rights of the host. */
  readonly handler: HostFunctionHandler<I, O>;
  /**
   * How input and answer are written: as JSON, or as they are, in which case
   * both are a `Uint8Array`.
   *
   * @default {"json"}
   */
  readonly codec?: HostFunctionCodec;
  /** What the input must be. The function gets what the schema makes of it. */
  readonly input?: StandardSchemaV1<unknown, I>;
  /** What the answer must be. The guest gets what the schema makes of it. */
  readonly output?: StandardSchemaV1<O, unknown>;
  /**
   * What the policy is asked for before the function runs.
   *
   * @param input The input; its schema has passed it.
   * @returns The operation.
   */
  readonly capability?: (input: I) => HostFunctionOperation;
  /**
   * Most calls by one sandbox; with one more the guest ends.
   *
   * @default {Infinity}
   */
  readonly maxCalls?: number;
  /**
   * How long the guest waits for an answer, in milliseconds; never longer than
   * its call may take. Has no effect on a function that answers at once.
   *
   * @default {Infinity}
   */
  readonly timeoutMs?: number;
}

/**
 * Functions of the host by name. A function runs with all rights of the host, on
 * input that the guest chooses.
 */
export type HostFunctions = Readonly<
  Record<
    string,
    // deno-lint-ignore no-explicit-any -- each function has types of its own
    HostFunctionHandler<any, any> | HostFunctionOptions<any, any>
  >
>;

/** A function of the host, as it is in force. */
export interface HostFunctionDefinition {
  /** Its name. */
  readonly name: string;
  /** The function. */
  readonly handler: HostFunctionHandler;
  /** How input and answer are written. */
  readonly codec: HostFunctionCodec;
  /** What the input must be. */
  readonly input: StandardSchemaV1 | undefined;
  /** What the answer must be. */
  readonly output: StandardSchemaV1 | undefined;
  /** What the policy is asked for. */
  readonly capability:
    | ((input: unknown) => HostFunctionOperation)
    | undefined;
  /** Most calls. */
  readonly maxCalls: number;
  /** How long the guest waits. */
  readonly timeoutMs: number;
}

/** Name of the function that the package itself offers. */
export const HTTP_FUNCTION = "http.request";

/** Timers of more than this fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const OPTION_NAMES: readonly string[] = [
  "handler",
  "codec",
  "input",
  "output",
  "capability",
  "maxCalls",
  "timeoutMs",
];

/**
 * Says what is wrong with functions of the host.
 *
 * @param given What the caller gave.
 * @returns Each problem in a few words.
 */
export function* hostFunctionProblems(given: unknown): Iterable<string> {
  for (const each of readAll(given)) if (typeof each === "string") yield each;
}

/**
 * Reads functions of the host, each once.
 *
 * @param given What the caller gave.
 * @returns The functions by name.
 * @throws {TypeError} If something is wrong with them.
 */
export function hostFunctionTable(
  given: HostFunctions,
): ReadonlyMap<string, HostFunctionDefinition> {
  const table = new Map<string, HostFunctionDefinition>();
  const problems: string[] = [];
  for (const each of readAll(given)) {
    if (typeof each === "string") problems.push(each);
    else table.set(each.name, each);
  }
  if (problems.length === 0) return table;
  throw new TypeError(
    `Cannot offer functions of the host: ${problems.join("; ")}`,
  );
}

/** Each function, or what is wrong with it. */
function* readAll(given: unknown): Iterable<HostFunctionDefinition | string> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    yield "hostFunctions is no object of functions by name";
    return;
  }
  for (const name of Object.keys(given)) {
    const path = `hostFunctions[${quote(name)}]`;
    try {
      const definition = read(name, (given as Record<string, unknown>)[name]);
      yield typeof definition === "string"
        ? `${path} ${definition}`
        : definition;
    } catch (error) {
      yield `${path} cannot be read: ${reasonOf(error)}`;
    }
  }
}

/** One function, or what is wrong with it. */
function read(name: string, value: unknown): HostFunctionDefinition | string {
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  if (typeof value === "function") return defined(name, { handler: value });
  if (typeof value !== "object" || value === null) {
    return "is neither a function nor an object with a handler";
  }
  const options: Record<string, unknown> = { ...value };
  for (const key of Object.keys(options)) {
    if (OPTION_NAMES.includes(key)) continue;
    return `has an option ${quote(key)}; known are ${OPTION_NAMES.join(", ")}`;
  }
  return optionProblem(options) ?? defined(name, options);
}

function nameProblem(name: string): string | undefined {
  if (name === "") return "has no name";
  if (name === HTTP_FUNCTION) {
    return "is built in: a network capability grants it (take another name)";
  }
  if (!name.isWellFormed()) return "has a name with a lone surrogate";
  return new TextEncoder().encode(name).length > MAX_NAME_BYTES
    ? `has a name of more than ${MAX_NAME_BYTES} bytes`
    : undefined;
}

function optionProblem(
  { handler, codec, input, output, capability, maxCalls, timeoutMs }: Record<
    string,
    unknown
  >,
): string | undefined {
  if (typeof handler !== "function") return "has a handler that is no function";
  if (codec !== undefined && codec !== "json" && codec !== "bytes") {
    return "has a codec that is neither json nor bytes";
  }
  if (!isSchema(input)) return "has an input that is no Standard Schema";
  if (!isSchema(output)) return "has an output that is no Standard Schema";
  if (capability !== undefined && typeof capability !== "function") {
    return "has a capability that is no function";
  }
  if (!isCount(maxCalls, Number.MAX_SAFE_INTEGER)) {
    return "has a maxCalls that is no whole number from 1";
  }
  return isCount(timeoutMs, MAX_TIMER_MS)
    ? undefined
    : `has a timeoutMs that is no whole number from 1 to ${MAX_TIMER_MS}`;
}

/** The options were looked at before. */
function defined(
  name: string,
  options: Record<string, unknown>,
): HostFunctionDefinition {
  const { codec, input, output, capability, maxCalls, timeoutMs, handler } =
    options as unknown as HostFunctionOptions;
  return Object.freeze({
    name,
    handler,
    codec: codec ?? "json",
    input,
    output: output as StandardSchemaV1 | undefined,
    capability,
    maxCalls: maxCalls ?? Infinity,
    timeoutMs: timeoutMs ?? Infinity,
  });
}

function isSchema(value: unknown): boolean {
  if (value === undefined) return true;
  try {
    checkSchema(value);
    return true;
  } catch {
    return false;
  }
}

function isCount(value: unknown, max: number): boolean {
  if (value === undefined || value === Infinity) return true;
  return Number.isSafeInteger(value) && Number(value) >= 1 &&
    Number(value) <= max;
}

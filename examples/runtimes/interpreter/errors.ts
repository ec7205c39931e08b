/**
 * Why a guest cannot be run, or did not return.
 *
 * @module
 */

import { type ImportName, SandboxError } from "@wasm-sandbox/core";
import { quote, reasonOf } from "@wasm-sandbox/core/runtime-authors";

/** Name of the runtime. */
export const NAME = "interpreter";

type LimitDetails = SandboxError<"limit-exceeded">["details"];

/** The machine stopped: the guest did what WebAssembly forbids. */
export class Trap extends Error {
  override readonly name = "Trap";
}

/** The machine stopped at a limit. */
export class LimitReached extends Error {
  override readonly name = "LimitReached";
  /** Which one. */
  readonly limit: "fuel" | "timeoutMs" | "stack" | "hostCalls";

  /**
   * Constructs it.
   *
   * @param limit Which one.
   */
  constructor(limit: LimitReached["limit"]) {
    super(`${limit} is used up`);
    this.limit = limit;
  }
}

/** The machine stopped, because a function of the host failed. */
export class HostFailure extends Error {
  override readonly name = "HostFailure";
  /** The import. */
  readonly imported: ImportName;
  /** Whether it is a host module's, whose errors are passed on. */
  readonly own: boolean;

  /**
   * Constructs it.
   *
   * @param imported The import.
   * @param own Whether it is a host module's.
   * @param cause What it threw.
   */
  constructor(imported: ImportName, own: boolean, cause: unknown) {
    super("a host function failed", { cause });
    this.imported = imported;
    this.own = own;
  }
}

/**
 * The error of bytes that are no valid module.
 *
 * @param offset Where the fault was found.
 * @param problem What is wrong.
 * @param byteLength Length of the module.
 * @returns The error.
 */
export function invalid(
  offset: number,
  problem: string,
  byteLength: number,
): SandboxError<"invalid-module"> {
  return new SandboxError(
    "invalid-module",
    `Cannot compile the module: at byte ${offset}: ${problem}`,
    { details: { byteLength, offset } },
  );
}

/**
 * The error of a module that is valid, but not allowed.
 *
 * @param problem What was refused, and what to do.
 * @param details The reason, and where.
 * @returns The error.
 */
export function refused(
  problem: string,
  details: SandboxError<"module-refused">["details"],
): SandboxError<"module-refused"> {
  return new SandboxError(
    "module-refused",
    `Cannot accept the module: ${problem}`,
    { details },
  );
}

/**
 * The error of what this runtime cannot do or enforce.
 *
 * @param feature What was asked for.
 * @returns The error.
 */
export function unsupported(feature: string): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    `Cannot use ${feature}: the "${NAME}" runtime does not provide it (leave ` +
      "it out, or use another runtime)",
    { details: { runtime: NAME, feature } },
  );
}

/**
 * The error of a module that is beyond a limit as it is.
 *
 * @param limit Name of the limit.
 * @param allowed What is allowed.
 * @param used What the module has.
 * @returns The error.
 */
export function beyond(
  limit: string,
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = `raise ${limit} to at least ${used}`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot accept the module: ${limit} is ${used}, more than ${allowed} (${suggestion})`,
    { details: { limit, allowed, used, suggestion } },
  );
}

/**
 * The error of imports that nobody grants.
 *
 * @param missing The imports.
 * @returns The error.
 */
export function notGranted(
  missing: readonly ImportName[],
): SandboxError<"import-not-granted"> {
  const named = missing.slice(0, 8).map(({ module, name, kind }) =>
    `${kind} ${quote(module)}.${quote(name)}`
  );
  const more = missing.length - named.length;
  if (more > 0) named.push(`${more} more`);
  return new SandboxError(
    "import-not-granted",
    `Cannot make an instance: the module imports ${named.join(", ")}, which ` +
      "nobody grants (functions of numbers, and constants, are granted with " +
      "imports)",
    { details: { missing } },
  );
}

/**
 * The error of something that is used after it was disposed.
 *
 * @param kind What it is.
 * @returns The error.
 */
export function disposed(
  kind: "instance" | "runtime",
): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    `Cannot use the ${kind}: it is disposed`,
    { details: { kind } },
  );
}

/**
 * Why an instance is gone whose call was cancelled while it waited.
 *
 * @param name The export.
 * @returns The error.
 */
export function cancelled(name: string): SandboxError<"trap"> {
  return new SandboxError(
    "trap",
    `Cannot complete ${quote(name)}: the call was cancelled while ` +
      "the guest waited, and it cannot go on",
    { details: { export: name, kind: "trap" } },
  );
}

/**
 * The error of a call on an instance that is gone.
 *
 * @param name The export.
 * @param failure Why it is gone.
 * @returns The error.
 */
export function dead(name: string, failure: SandboxError): SandboxError {
  if (SandboxError.is(failure, "disposed")) return disposed("instance");
  return new SandboxError(
    "instance-dead",
    `Cannot call ${quote(name)}: the instance ended with an earlier ` +
      "call (reset the sandbox, or use a fresh instance for each call)",
    { cause: failure, details: { reason: failure.code } },
  );
}

/**
 * The error of a call that did not return.
 *
 * @param name The export.
 * @param error What the machine threw.
 * @param allowed What is allowed of each limit.
 * @returns The error.
 */
export function failureOf(
  name: string,
  error: unknown,
  allowed: (limit: LimitReached["limit"]) => LimitDetails,
): SandboxError {
  const shown = quote(name);
  if (SandboxError.is(error)) return error;
  if (error instanceof HostFailure) return hostFailed(shown, error);
  // of JavaScript's own stack, which calls through the host may exhaust
  const overflow = error instanceof RangeError &&
    error.message.includes("call stack size");
  if (error instanceof LimitReached || overflow) {
    const details = allowed(
      error instanceof LimitReached ? error.limit : "stack",
    );
    const { limit, suggestion } = details;
    return new SandboxError(
      "limit-exceeded",
      `Cannot complete ${shown}: ${limit} of ${details.allowed} is used up (${suggestion})`,
      { details },
    );
  }
  const reason = reasonOf(error);
  return new SandboxError(
    "trap",
    `Cannot complete ${shown}: the guest trapped: ${reason}`,
    { cause: error, details: { export: name, kind: "trap" } },
  );
}

function hostFailed(
  shown: string,
  { own, cause, imported: { module, name } }: HostFailure,
): SandboxError {
  if (own && SandboxError.is(cause)) return cause;
  const reason = reasonOf(cause);
  return new SandboxError(
    "host-function-failed",
    `Cannot complete ${shown}: the host function ${quote(module)}.${
      quote(name)
    } failed: ${reason}`,
    { cause, details: { import: { module, name } } },
  );
}

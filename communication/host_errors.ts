/**
 * What functions of the host throw, and what becomes of it.
 *
 * @module
 */

import { reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { ABI_MODULE } from "./abi_version.ts";
import { GuestFault } from "./fault.ts";

/**
 * Whether something that was thrown is a fault.
 *
 * @param error Anything: the host's functions are not ours.
 * @returns Whether it is.
 */
export function isFault(error: unknown): error is GuestFault {
  try {
    return error instanceof GuestFault;
  } catch {
    // a proxy may throw when it is asked what it is
    return false;
  }
}

/**
 * Whether something that was thrown is a {@linkcode SandboxError}.
 *
 * @param error Anything: the host's functions are not ours.
 * @returns Whether it is.
 */
export function isSandboxError(error: unknown): error is SandboxError {
  try {
    return SandboxError.is(error);
  } catch {
    return false;
  }
}

/**
 * What comes of a refusal: what is denied the guest is told of, what is used up
 * ends it.
 *
 * @param error What was thrown.
 * @returns The fault, or the same.
 */
export function denied(error: unknown): Error {
  if (!SandboxError.is(error) || SandboxError.is(error, "limit-exceeded")) {
    return error as Error;
  }
  return new GuestFault("denied", "the policy does not permit it", {
    cause: error,
  });
}

/**
 * The error that the host is told of.
 *
 * @param name What failed, as an import of the ABI's module.
 * @param cause What was thrown.
 * @returns The error.
 */
export function functionFailed(
  name: string,
  cause: unknown,
): SandboxError<"host-function-failed"> {
  return new SandboxError(
    "host-function-failed",
    `Cannot answer the guest: the host function ${JSON.stringify(name)} ` +
      `failed: ${reasonOf(cause)}`,
    { cause, details: { import: { module: ABI_MODULE, name } } },
  );
}

/**
 * What a function's `maxCalls` is called where limits are listed.
 *
 * @param name The function.
 * @returns The name of its counter.
 */
export function counterOf(name: string): string {
  return `hostFunctions.${name}.maxCalls`;
}

/**
 * The error of a function that was called too often.
 *
 * @param name The function.
 * @param allowed Most calls.
 * @param used Calls, with this one.
 * @returns The error.
 */
export function tooManyCalls(
  name: string,
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const limit = counterOf(name);
  const suggestion = `raise ${limit}`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot go on: the guest called ${JSON.stringify(name)} more than ` +
      `${allowed} times (${suggestion})`,
    { details: { limit, allowed, used, suggestion } },
  );
}

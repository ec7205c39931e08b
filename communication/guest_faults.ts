/**
 * What goes wrong in the functions of the guest ABI.
 *
 * @module
 */

import { printable } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { GuestFault } from "./fault.ts";
import { MAX_NAME_BYTES } from "./guest_functions.ts";

/**
 * The fault of a name that no function can have.
 *
 * @returns The fault.
 */
export function wrongName(): GuestFault {
  return new GuestFault(
    "invalid",
    `the name is not UTF-8, or longer than ${MAX_NAME_BYTES} bytes`,
  );
}

/**
 * The fault of a message that is longer than the limit.
 *
 * @param what What it is.
 * @returns The fault.
 */
export function tooLong(what: string): GuestFault {
  return new GuestFault("too-large", `the ${what} is longer than messageBytes`);
}

/**
 * The error of a guest that says that it failed.
 *
 * @param name The export that runs.
 * @param reason Why, in the guest's words.
 * @returns The error.
 */
export function failed(
  name: string,
  reason: string,
): SandboxError<"guest-error"> {
  const problem = printable(reason);
  return new SandboxError(
    "guest-error",
    `Cannot use the guest's answer: it says that it failed: ${problem}`,
    { details: { export: name, problem } },
  );
}

/**
 * The error of what came when its call was over; the guest is not told of it.
 *
 * @param name The export that runs.
 * @returns The error.
 */
export function late(name: string): SandboxError<"guest-protocol"> {
  const problem = "it waits for an answer of an earlier call";
  return new SandboxError(
    "guest-protocol",
    `Cannot go on with the guest: ${problem}`,
    { details: { export: name, problem } },
  );
}

/**
 * Modules that the engine itself does not take.
 *
 * @module
 */

import { printable } from "../../../_text.ts";
import { SandboxError } from "../../../errors.ts";

/** Most of a reason that is told. */
const MAX_REASON = 400;

/**
 * The error of a module that Wasmer does not take.
 *
 * @param text Why, in its own words.
 * @returns The error.
 */
export function notTaken(text: string): SandboxError<"module-refused"> {
  const [line = ""] = text.split("\n");
  const reason = printable(line.slice(0, MAX_REASON));
  return new SandboxError(
    "module-refused",
    `Cannot run the module: Wasmer does not take it: ${reason}`,
    { details: { reason } },
  );
}

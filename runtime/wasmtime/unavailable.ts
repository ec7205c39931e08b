/**
 * The error of an engine that cannot be had.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { HOW_TO_GET } from "./places.ts";

/** Name of the runtime. */
export const NAME = "wasmtime";

/**
 * The error of an engine that cannot be had.
 *
 * @param reason Why not.
 * @param suggestion What to do about it.
 * @param cause What was thrown, if anything.
 * @returns The error.
 */
export function unavailable(
  reason: string,
  suggestion: string = HOW_TO_GET,
  cause?: unknown,
): SandboxError<"runtime-unavailable"> {
  return new SandboxError(
    "runtime-unavailable",
    `Cannot use the runtime "${NAME}": ${reason} (${suggestion})`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { runtime: NAME, reason, suggestion },
    },
  );
}

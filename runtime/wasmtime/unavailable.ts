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
 * @param suggestion What to do about it; how it is got, if left out.
 * @param cause What was thrown, if anything.
 * @returns The error.
 */
export function unavailable(
  reason: string,
  suggestion?: string,
  cause?: unknown,
): SandboxError<"runtime-unavailable"> {
  const advice = suggestion ?? HOW_TO_GET;
  return new SandboxError(
    "runtime-unavailable",
    `Cannot use the runtime "${NAME}": ${reason} (${advice})`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { runtime: NAME, reason, suggestion: advice },
    },
  );
}

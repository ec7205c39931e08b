/**
 * Errors of those who use what is disposed.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";

/** The error of a use of a runtime that is disposed. */
export function runtimeDisposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the runtime: it is disposed",
    { details: { kind: "runtime" } },
  );
}

/** The error of who wants an instance of a source that is disposed. */
export function sourceDisposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot make an instance: what makes them is disposed",
    { details: { kind: "sandbox" } },
  );
}

/** Why an instance that is disposed does nothing more. */
export function instanceDisposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the instance: it is disposed",
    { details: { kind: "instance" } },
  );
}

/**
 * The exit codes of the command line.
 *
 * | code | meaning |
 * | --- | --- |
 * | 0 | it worked |
 * | 1 | the guest failed: it trapped, broke its ABI, said so or was denied something; or an audit file is bad |
 * | 2 | wrong usage: an unknown flag, export or type, or a bad policy, manifest or config; or an engine is not there or cannot do it |
 * | 3 | the module cannot be read, is invalid, refused, or imports what nobody grants |
 * | 4 | a limit was reached |
 * | 5 | anything else |
 * | 130 | it was interrupted, and has taken back what it did |
 *
 * A WASI program that `run` runs to its end gives its own exit code, whatever it
 * is, and 141 if nobody reads its output any more, as `head` does after some
 * lines. An error of this list prints a line to the standard error.
 *
 * `inspect` ends with the code that running the module would begin with: 0 if
 * it is accepted, 2 if the engine cannot provide what is asked for, 3 or 4 if it
 * is refused.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { SandboxError, type SandboxErrorCode } from "../errors.ts";
import { Interruption } from "./interruption.ts";

/** An exit code of the command line's own. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | typeof INTERRUPTED;

/**
 * The exit code of a program whose output nobody reads any more: what shells
 * give for the signal SIGPIPE.
 */
export const CLOSED_PIPE = 141;

/** The exit code of what the user has stopped: what shells give for SIGINT. */
const INTERRUPTED = 130;

/** Largest exit code that an operating system passes on. */
const MAX_EXIT_CODE = 255;

/**
 * The exit code of a program, for the operating system, which keeps only eight
 * bits: a larger one must not come out as 0.
 *
 * @param exitCode The program's.
 * @returns The same, or 255 if it is larger.
 */
export function guestExitCode(exitCode: number): number {
  return Math.min(exitCode, MAX_EXIT_CODE);
}

/** The exit codes, and what they mean, for the help. */
export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = Object
  .freeze([
    [0, "it worked"],
    [
      1,
      "the guest failed: it trapped, broke its ABI, said so or was denied " +
      "something; or an audit file is bad",
    ],
    [
      2,
      "wrong usage: an unknown flag, export or type, or a bad policy, manifest " +
      "or config; or an engine is not there or cannot do it",
    ],
    [
      3,
      "the module cannot be read, is invalid, refused, or imports what nobody " +
      "grants",
    ],
    [4, "a limit was reached"],
    [5, "anything else"],
    [INTERRUPTED, "it was interrupted, and has taken back what it did"],
  ]);

const CODES: Readonly<Record<SandboxErrorCode, ExitCode>> = Object.freeze({
  "trap": 1,
  "guest-protocol": 1,
  "guest-error": 1,
  "invalid-message": 1,
  "channel-closed": 1,
  "rpc-error": 1,
  "timed-out": 1,
  "host-function-failed": 1,
  "export-not-found": 2,
  "unknown-name": 2,
  "unsupported": 2,
  "runtime-unavailable": 2,
  "module-unreadable": 3,
  "invalid-module": 3,
  "module-refused": 3,
  "import-not-granted": 3,
  "invalid-capability": 2,
  "invalid-policy": 2,
  "invalid-manifest": 2,
  "invalid-config": 2,
  "template-failed": 2,
  "project-unwritable": 2,
  "overloaded": 5,
  "plugin-unavailable": 5,
  "install-failed": 2,
  "invalid-argument": 1,
  "capability-not-granted": 1,
  "access-denied": 1,
  "guest-exit": 1,
  "process-failed": 5,
  "limit-exceeded": 4,
  "instance-busy": 5,
  "instance-dead": 5,
  "disposed": 5,
});

/**
 * The exit code of a failure.
 *
 * @param error What was thrown.
 * @returns The code.
 */
export function exitCodeOf(error: unknown): ExitCode {
  if (SandboxError.is(error)) return CODES[error.code];
  if (error instanceof Interruption) return INTERRUPTED;
  return error instanceof ValidationError ? 2 : 5;
}

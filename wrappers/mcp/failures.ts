/** What clients are told of failures: short, and nothing of the host's. */

import { printable } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { BadReply } from "./content.ts";

/** Longest text of a failure, in characters. */
const MAX_TEXT = 500;

/** What the protocol calls a server that cannot do more. */
export const BUSY_CODE = -32000;

/** Says of a failure what a client may know: `it reached its limit ...`. */
export function failureText(error: unknown): string {
  const text = printable(textOf(error));
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function textOf(error: unknown): string {
  if (error instanceof BadReply) {
    return `its reply is not what it must be: ${error.message}`;
  }
  if (SandboxError.is(error, "limit-exceeded")) {
    const { limit, allowed } = error.details;
    return `it reached its limit ${limit} of ${allowed}`;
  }
  if (SandboxError.is(error, "guest-error")) return error.details.problem;
  if (SandboxError.is(error, "guest-exit")) {
    return `it ended with code ${error.details.exitCode}`;
  }
  if (SandboxError.is(error, "trap")) return "it crashed";
  if (SandboxError.is(error, "guest-protocol")) {
    return "its reply is not what it must be";
  }
  if (SandboxError.is(error, "invalid-argument")) {
    return "it cannot be run with these arguments";
  }
  return "it failed";
}

/** Whether nothing of the guest's was at fault: there is too much to do. */
export function isBusy(error: unknown): boolean {
  return SandboxError.is(error, "overloaded") ||
    SandboxError.is(error, "timed-out");
}

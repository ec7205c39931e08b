/** Whose fault it is that a call has failed. */

import { SandboxError, type SandboxErrorCode } from "../../errors.ts";
import type { Sandbox } from "../../sandbox.ts";

/** What a call was made with, as far as it matters here. */
export interface CallTerms {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** Whether the caller's streams can make the guest wait. */
  readonly hasStreams: boolean;
}

/** Codes of failures that end a guest, and that no caller can make happen alone. */
const FATAL: ReadonlySet<SandboxErrorCode> = new Set<SandboxErrorCode>([
  "trap",
  "guest-protocol",
  "guest-exit",
  "process-failed",
  "instance-dead",
  "host-function-failed",
  "access-denied",
  "capability-not-granted",
]);

/** Limits on what a caller sends: whoever sends too much is to blame. */
const CALLERS: ReadonlySet<string> = new Set([
  "messageBytes",
  "streamBytes",
  "stdinBytes",
]);

/**
 * Whether the guest has failed, and not its caller.
 *
 * @param error What the call was answered with.
 * @param terms What it was made with.
 * @param sandbox The guest, if there was one: one that was ended by its reply
 * tells so.
 */
export function isGuestFailure(
  error: unknown,
  terms: CallTerms,
  sandbox: Sandbox | undefined,
): error is SandboxError {
  if (!SandboxError.is(error) || terms.signal?.aborted) return false;
  if (SandboxError.is(error, "limit-exceeded")) {
    const { limit } = error.details;
    if (limit === "timeoutMs") return !isImpatient(terms, sandbox);
    return !CALLERS.has(limit) ||
      !terms.hasStreams && sandbox?.failure !== undefined;
  }
  return FATAL.has(error.code);
}

/** A caller who gave less time than the limits do, or who made the guest wait. */
function isImpatient(
  { timeoutMs = Infinity, hasStreams }: CallTerms,
  sandbox: Sandbox | undefined,
): boolean {
  return hasStreams || timeoutMs < (sandbox?.limits.timeoutMs ?? 0);
}

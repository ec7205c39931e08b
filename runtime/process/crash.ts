/**
 * Why a guest's process is gone, as errors.
 *
 * @module
 */

import { printable } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { ProtocolError } from "./frames.ts";

/** How much of what a process says at its end is quoted. */
const MAX_QUOTED = 400;

/** What ends a process that has used up RLIMIT_CPU. */
const CPU_SIGNALS: ReadonlySet<string> = new Set(["SIGXCPU", "SIGKILL"]);

/** Why it is gone, if it was killed for no other reason. */
export const KILLED = Object.freeze({
  start: "it did not answer in time",
  run: "its host has ended it",
});

/** What to do about it. */
export const SUGGESTIONS = Object.freeze({
  start: 'see that deno can be run here, or choose isolation "inline"',
  run: "reset the sandbox to start another process",
});

/**
 * The error of a process that has ended by itself.
 *
 * @param phase While it started, or later.
 * @param facts What is known of it.
 * @param last What it said at its end, and its CPU time, if that is bounded.
 * @returns The error.
 */
export function crashed(
  phase: "start" | "run",
  facts: Facts,
  { text, cpuSeconds }: {
    readonly text: string;
    readonly cpuSeconds: number | undefined;
  },
): SandboxError {
  const { exitCode, signal } = facts;
  const how = signal === undefined
    ? `it ended with exit code ${exitCode}`
    : `it was ended by ${signal}`;
  if (cpuSeconds !== undefined && CPU_SIGNALS.has(signal ?? "")) {
    return tooMuchCpu(cpuSeconds);
  }
  if (/out of memory|memory allocation of/i.test(text)) {
    return failed(phase, `it ran out of memory (${how})`, {
      ...facts,
      suggestion: "raise memoryBytes, or give the guest less to do",
    });
  }
  const last = printable(text.trim().slice(-MAX_QUOTED));
  return failed(
    phase,
    last === "" ? how : `${how}, and said: ${last}`,
    facts,
  );
}

/**
 * The error of a process that broke the protocol.
 *
 * @param cause How.
 * @returns The error.
 */
export function brokenRules(
  cause: ProtocolError,
): SandboxError<"process-failed"> {
  return failed("protocol", `it broke the protocol with ${cause.message}`, {
    suggestion: "do not run this guest again, and report it: it may have " +
      "got hold of its process",
    cause,
  });
}

/** What is known of a process that is gone. */
export interface Facts {
  /** What to do. */
  readonly suggestion: string;
  /** Its exit code. */
  readonly exitCode?: number;
  /** The signal that ended it, if one did. */
  readonly signal?: string;
  /** The rule that it broke. */
  readonly cause?: unknown;
}

/**
 * The error of a process that did not do what it should.
 *
 * @param phase While it started, or later, or because it broke the protocol.
 * @param reason Why it is gone.
 * @param facts What is known of it.
 * @returns The error.
 */
export function failed(
  phase: "start" | "run" | "protocol",
  reason: string,
  { cause, ...facts }: Facts,
): SandboxError<"process-failed"> {
  const what = phase === "start" ? "start" : "go on with";
  return new SandboxError(
    "process-failed",
    `Cannot ${what} the guest's process: ${reason} (${facts.suggestion})`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: { phase, ...facts },
    },
  );
}

function tooMuchCpu(seconds: number): SandboxError<"limit-exceeded"> {
  const suggestion = "raise cpuMs, or look for an endless loop in the guest";
  return new SandboxError(
    "limit-exceeded",
    `Cannot go on with the guest: cpuMs of ${seconds * 1000} is used up ` +
      `(${suggestion})`,
    { details: { limit: "cpuMs", allowed: seconds * 1000, suggestion } },
  );
}

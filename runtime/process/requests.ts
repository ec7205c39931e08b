/**
 * What an instance asks of its process, and how that ends.
 *
 * @module
 */

import type { CallServices } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import type { CallOptions } from "../types.ts";
import {
  type Check,
  isArrayOf,
  isCount,
  isShaped,
  isText,
  isUsage,
} from "./check.ts";
import type { ChildProcess } from "./child_process.ts";
import { V8 } from "./engine.ts";
import type { Message } from "./frames.ts";
import type { Launch } from "./launch.ts";
import type { Done } from "./messages.ts";
import type { RunStreams } from "./run_streams.ts";

/** What is asked of the child, and what is expected. */
export interface Request {
  /** Type of the message. */
  readonly type: number;
  /** Its header, without the operation's number. */
  readonly header: object;
  /** Its bytes. */
  readonly body?: Uint8Array;
  /** Whether the bytes are the caller's, who may change them meanwhile. */
  readonly isBorrowed?: boolean;
  /** The longest body of the answer. */
  readonly maxBody?: number;
  /** The standard streams of a command. */
  readonly stdio?: RunStreams;
  /** A deadline of its own, where nothing of the guest's runs. */
  readonly ownMs?: number;
}

/** Options of a request. */
export interface AskOptions extends CallOptions {
  /** Does what the guest asks for, if it may ask for anything. */
  readonly services: CallServices | undefined;
}

/** What the child has done. */
export interface Answered {
  /** What it says. */
  readonly done: Done;
  /** The bytes with it. */
  readonly message: Message;
  /** Which child. */
  readonly child: ChildProcess;
}

/** How an operation ended well. */
export const isDone: Check = isShaped({
  required: { id: isCount },
  optional: {
    usage: isUsage,
    values: isArrayOf(isText, 1_000),
    exitCode: (value) => isCount(value) && Number(value) < 2 ** 32,
  },
});

/** Why an instance is dead whose call ended with something else. */
export function failureOf(error: unknown): SandboxError {
  if (SandboxError.is(error)) return error;
  const suggestion = "reset the sandbox to start another process";
  return new SandboxError(
    "process-failed",
    `Cannot go on with the guest's process: its call was cancelled (${suggestion})`,
    { details: { phase: "run", signal: "SIGKILL", suggestion } },
  );
}

/** A process answers later than at once. */
export function notSync(
  name: string,
  { engine = V8 }: Pick<Launch, "engine">,
): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    `Cannot call "${name}" in the calling thread: the guest is in a process ` +
      'of its own (use call, or isolation "inline")',
    { details: { runtime: engine.name, feature: "callSync" } },
  );
}

/** A request is longer than `messageBytes`. */
export function tooLong(allowed: number, used: number): SandboxError {
  const suggestion = "raise messageBytes, or send less";
  return new SandboxError(
    "limit-exceeded",
    `Cannot send the request: messageBytes of ${allowed} is used up (${suggestion})`,
    { details: { limit: "messageBytes", allowed, used, suggestion } },
  );
}

/**
 * How a process opens its module: it looks the module over, and compiles it.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type { ProcessParts } from "../guest_source.ts";
import type { Module, OperationOptions } from "../types.ts";
import type { ChildProcess } from "./child_process.ts";
import { converse } from "./conversation.ts";
import { FRAME, ProtocolError } from "./frames.ts";
import { HostFunctions } from "./host_functions.ts";
import { type ParsedModule, parseModule } from "./module.ts";
import { Services } from "./services.ts";
import { Symlinks } from "./symlinks.ts";

/** What a process is sent to open a module. */
export interface Opening extends Pick<ProcessParts, "onEvent"> {
  /** The message. */
  readonly header: object;
  /** Its bytes: the module, and what goes with it. */
  readonly body: Uint8Array;
  /** Length of the module. */
  readonly byteLength: number;
  /** The limits of the guest. */
  readonly limits: ResolvedLimits;
}

/** Longest time for a process to look the module over and compile it. */
const OPEN_TIMEOUT_MS = 60_000;

const NO_MODULE: Module = Object.freeze({
  byteLength: 0,
  imports: [],
  exports: [],
  memories: [],
  features: [],
  hasStart: false,
});

/**
 * Has a process open a module.
 *
 * @param child The process.
 * @param opening The module.
 * @param operation Cancellation.
 * @returns What the process says of the module.
 * @throws {SandboxError} If the module is refused, or the process has failed.
 */
export async function openModule(
  child: ChildProcess,
  { header, body, byteLength, limits, onEvent }: Opening,
  { signal }: OperationOptions,
): Promise<ParsedModule> {
  const outcome = await converse(child, {
    type: FRAME.open,
    header: { ...header, id: 0 },
    body,
    timeoutMs: OPEN_TIMEOUT_MS,
    signal,
    maxBody: 8 * byteLength + 2 ** 21,
    services: new Services({
      child,
      limits,
      functions: new HostFunctions({}, NO_MODULE, limits),
      symlinks: new Symlinks([], false),
      onEvent,
    }),
    late: tooSlow,
  });
  if (outcome.state === "failed") throw outcome.error;
  try {
    return parseModule(outcome.message.body, byteLength);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw await child.failure("run", cause);
  }
}

function tooSlow(): SandboxError<"process-failed"> {
  const suggestion = "run a smaller module, or one with smaller functions";
  return new SandboxError(
    "process-failed",
    "Cannot open the module in a process: it takes longer than " +
      `${OPEN_TIMEOUT_MS} ms (${suggestion})`,
    { details: { phase: "start", suggestion } },
  );
}

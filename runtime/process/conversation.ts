/**
 * One operation of a guest in its process: what the host asks, everything that
 * the child wants meanwhile, and how it ends.
 *
 * @module
 */

import type { SandboxError } from "../../errors.ts";
import {
  checked,
  childError,
  isBoolean,
  isCount,
  isShaped,
  isUsage,
} from "./check.ts";
import { type ChildProcess, EndOfChild } from "./child_process.ts";
import { FRAME, type Message, ProtocolError } from "./frames.ts";
import type { Failed, SentUsage } from "./messages.ts";
import type { Services } from "./services.ts";

/** An operation. */
export interface Operation {
  /** Type of the message that asks for it. */
  readonly type: number;
  /** Its header. */
  readonly header: { readonly id: number } & object;
  /** Its bytes. */
  readonly body?: Uint8Array;
  /** Whether the bytes are the caller's, who may change them meanwhile. */
  readonly isBorrowed?: boolean;
  /** Its deadline, from now; `Infinity` for none. */
  readonly timeoutMs: number;
  /** Cancellation. */
  readonly signal?: AbortSignal | undefined;
  /** The longest body of the answer. */
  readonly maxBody: number;
  /** Does what the child asks for. */
  readonly services: Services;
  /** The error of a deadline that has passed. */
  readonly late: () => SandboxError;
}

/** How an operation ended. */
export type Outcome =
  | { readonly state: "done"; readonly message: Message }
  | {
    readonly state: "failed";
    readonly error: SandboxError;
    /** Whether the instance is dead, though not the process. */
    readonly dead: boolean;
    readonly usage: SentUsage | undefined;
  };

/**
 * Has an operation done. Unless it ends with an outcome, the process is gone.
 *
 * @param child The process.
 * @param operation What to do.
 * @returns How it ended.
 * @throws {SandboxError} If the process did not do it. What a stream of the
 * caller's throws is thrown as it is.
 */
export async function converse(
  child: ChildProcess,
  operation: Operation,
): Promise<Outcome> {
  const { signal, timeoutMs, late } = operation;
  signal?.throwIfAborted();
  const stop = () => child.kill();
  let isLate = false;
  const timer = Number.isFinite(timeoutMs)
    ? setTimeout(() => {
      isLate = true;
      child.kill();
    }, timeoutMs)
    : undefined;
  signal?.addEventListener("abort", stop);
  child.ref();
  try {
    const outcome = await talk(child, operation);
    // killed at the very moment at which it answered
    child.requireAlive();
    return outcome;
  } catch (cause) {
    const { failure } = operation.services;
    const isChilds = cause instanceof ProtocolError ||
      cause instanceof EndOfChild;
    const error = failure !== undefined
      ? failure.error
      : isChilds
      ? await child.failure("run", cause)
      : cause;
    await child[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    throw isLate ? late() : error;
  } finally {
    child.unref();
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

async function talk(
  child: ChildProcess,
  { type, header, body, isBorrowed, maxBody, services }: Operation,
): Promise<Outcome> {
  const longest = (answer: number) =>
    answer === FRAME.done
      ? maxBody
      : answer === FRAME.failed
      ? 0
      : services.maxBody(answer);
  if (isBorrowed && body !== undefined) child.sendCopy(type, header, body);
  else child.send(type, header, body);
  for (;;) {
    const message = await child.receive(longest);
    switch (message.type) {
      case FRAME.done:
        checkId(message, header.id);
        await child.whileAlive(services.settle());
        return { state: "done", message };
      case FRAME.failed:
        checkId(message, header.id);
        await child.whileAlive(services.settle());
        return failed(message);
      default: {
        const work = services.serve(message);
        if (work !== undefined) await child.whileAlive(work);
        const { room } = child;
        if (room !== undefined) await child.whileAlive(room);
      }
    }
  }
}

function checkId({ header }: Message, id: number): void {
  if (header["id"] !== id) {
    throw new ProtocolError("another operation's answer");
  }
}

const isFailed = isShaped({
  required: { id: isCount, error: () => true, dead: isBoolean },
  optional: { usage: isUsage },
});

function failed({ header }: Message): Outcome {
  const { error, dead, usage } = checked<Failed>(header, isFailed, "failure");
  return { state: "failed", error: childError(error), dead, usage };
}

/**
 * What goes wrong with the streams of a call.
 *
 * @module
 */

import { reasonOf } from "../_text.ts";
import { type ImportName, SandboxError } from "../errors.ts";
import { ABI_MODULE } from "./abi_version.ts";
import { GuestFault } from "./fault.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Refuses what is no stream, or another's.
 *
 * @param name What it is to be.
 * @param stream What the caller gave.
 * @param type Class of streams.
 * @throws {TypeError} If it cannot be used.
 */
export function checkStream(
  name: string,
  stream: { readonly locked: boolean } | undefined,
  type: typeof ReadableStream | typeof WritableStream,
): void {
  if (stream === undefined) return;
  if (!(stream instanceof type)) {
    throw new TypeError(
      `Cannot begin the call: its ${name} is no ${type.name}`,
    );
  }
  if (!stream.locked) return;
  throw new TypeError(
    `Cannot begin the call: its ${name} is locked, so somebody else uses it ` +
      "(give it a stream of its own)",
  );
}

/**
 * A chunk belongs to whoever reads it, but for shared memory.
 *
 * @param chunk The chunk.
 * @returns The same, or a copy.
 */
export function ownBytes(chunk: Uint8Array): Bytes {
  return chunk.buffer instanceof ArrayBuffer
    ? chunk as Bytes
    : new Uint8Array(chunk);
}

/**
 * The fault of a call without such a stream.
 *
 * @param what What it would be for.
 * @returns The fault.
 */
export function noStream(what: string): GuestFault {
  return new GuestFault("unknown", `the call has no stream to ${what}`);
}

/**
 * The fault of a source that failed.
 *
 * @returns The fault.
 */
export function sourceFailed(): GuestFault {
  return new GuestFault("failed", "the stream failed");
}

/**
 * The fault of a sink that is closed or failed.
 *
 * @returns The fault.
 */
export function sinkClosed(): GuestFault {
  return new GuestFault("closed", "the stream takes no more");
}

/**
 * The error of a source that gives no bytes.
 *
 * @returns The error.
 */
export function notBytes(): SandboxError<"invalid-message"> {
  const problem = "it gives something else than Uint8Array";
  return new SandboxError(
    "invalid-message",
    `Cannot read the source of the call: ${problem} (pipe text through a ` +
      "TextEncoderStream)",
    { cause: new TypeError(problem), details: { where: "source", problem } },
  );
}

/**
 * The error of a stream that failed.
 *
 * @param name What the guest did.
 * @param cause What the stream said.
 * @returns The error.
 */
export function streamFailed(
  name: "read" | "write",
  cause: unknown,
): SandboxError<"host-function-failed"> {
  const stream = name === "read" ? "source" : "sink";
  const details: { import: ImportName } = {
    import: { module: ABI_MODULE, name },
  };
  return new SandboxError(
    "host-function-failed",
    `Cannot ${name} the ${stream} of the call: ${reasonOf(cause)}`,
    { cause, details },
  );
}

/**
 * The error of a call whose streams carried too much.
 *
 * @param allowed Most bytes.
 * @param used Bytes, with these.
 * @returns The error.
 */
export function tooMuch(
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "raise streamBytes";
  return new SandboxError(
    "limit-exceeded",
    `Cannot go on with the guest: it read and wrote more than ${allowed} ` +
      `bytes through the streams of one call (${suggestion})`,
    { details: { limit: "streamBytes", allowed, used, suggestion } },
  );
}

/**
 * The error of a sink that was not closed in time.
 *
 * @param allowed How long it may take, in milliseconds.
 * @returns The error.
 */
export function tooLate(allowed: number): SandboxError<"limit-exceeded"> {
  const suggestion = "let the sink take it sooner, or raise timeoutMs";
  return new SandboxError(
    "limit-exceeded",
    `Cannot end the call: its sink was not closed within ${allowed} ms ` +
      `(${suggestion})`,
    { details: { limit: "timeoutMs", allowed, suggestion } },
  );
}

/**
 * Envelopes: a head of JSON and bytes, in one message.
 *
 * ```text
 * envelope  length u32, little-endian · head (JSON, UTF-8, that long) · body
 * ```
 *
 * @module
 */

import { GuestFault } from "./fault.ts";
import { stringifyJson } from "./json.ts";

/** An envelope, opened. */
export interface Envelope {
  /** The head: any value of JSON. */
  readonly header: unknown;
  /** The body; a part of the message that it came in. */
  readonly body: Uint8Array;
}

const LENGTH_BYTES = 4;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Writes an envelope.
 *
 * @param header The head, anything that JSON can hold.
 * @param body The body.
 * @returns The message.
 * @throws {TypeError} If the head cannot be written.
 */
export function encodeEnvelope(
  header: unknown,
  body: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const head = ENCODER.encode(stringifyJson(header, "the head"));
  const bytes = new Uint8Array(LENGTH_BYTES + head.length + body.length);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, LENGTH_BYTES);
  bytes.set(body, LENGTH_BYTES + head.length);
  return bytes;
}

/**
 * Opens an envelope, which may be a guest's: nothing of the head is trusted.
 *
 * @param bytes The message.
 * @returns The head and the body.
 * @throws {GuestFault} If it is none.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length < LENGTH_BYTES) throw invalid("it has no length");
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const end = LENGTH_BYTES + view.getUint32(0, true);
  if (end > bytes.length) throw invalid("its head is longer than it");
  return {
    header: parse(bytes.subarray(LENGTH_BYTES, end)),
    body: bytes.subarray(end),
  };
}

function parse(head: Uint8Array): unknown {
  try {
    return JSON.parse(DECODER.decode(head));
  } catch (cause) {
    throw invalid("its head is no JSON", cause);
  }
}

function invalid(problem: string, cause?: unknown): GuestFault {
  return new GuestFault("invalid", `the message is no envelope: ${problem}`, {
    cause,
  });
}

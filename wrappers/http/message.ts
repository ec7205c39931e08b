/** Requests and replies as messages of a handler: envelopes, or JSON. */

import { json } from "../../communication/codecs.ts";
import { decodeEnvelope } from "../../communication/envelope.ts";
import type { Exchange } from "./exchange.ts";
import { type HeadBounds, type Header, longestHead } from "./head.ts";
import { badReply, HttpProblem } from "./problem.ts";
import { checkHead, headOf, type ReplyHead } from "./reply.ts";

/** A reply, read. */
export interface Reply {
  readonly head: ReplyHead;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** A request, to be written. */
export interface RequestParts {
  readonly exchange: Exchange;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}

/** How the messages of one server are written. */
export interface MessageFormat {
  /**
   * Writes a request.
   *
   * @param request The request.
   * @param isShared Whether the message may be in memory that the next one is
   * written to: it is copied before.
   * @returns The message.
   * @throws {HttpProblem} With status 400 if the request cannot be written.
   */
  write(request: RequestParts, isShared: boolean): Uint8Array;
  /**
   * Reads a reply.
   *
   * @param message The message.
   * @returns The reply.
   * @throws {HttpProblem} With status 502 if it is none.
   */
  read(message: Uint8Array): Reply;
}

const ENCODER = new TextEncoder();
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const LENGTH_BYTES = 4;
const SHARED_BYTES = 65_536;
/** Longer heads are not kept: comparing them takes as long as reading them. */
const MAX_KNOWN_BYTES = 4_096;
/** Most bytes of UTF-8 for a unit of UTF-16. */
const BYTES_OF_UNIT = 3;

/** A head of JSON, and the body as it is. */
class EnvelopeFormat implements MessageFormat {
  readonly #bounds: HeadBounds;
  readonly #maxHeadBytes: number;
  readonly #shared: Uint8Array = new Uint8Array(SHARED_BYTES);
  /** The last head that was read, and its bytes: most replies have the same. */
  #lastHead: ReplyHead | undefined;
  #lastBytes: Uint8Array = new Uint8Array();

  constructor(bounds: HeadBounds) {
    this.#bounds = bounds;
    this.#maxHeadBytes = longestHead(bounds);
  }

  write(
    { exchange: { method, target: { url } }, headers, body }: RequestParts,
    isShared: boolean,
  ): Uint8Array {
    const head = JSON.stringify({ method, url, headers });
    const most = LENGTH_BYTES + head.length * BYTES_OF_UNIT + body.length;
    const buffer = isShared && most <= SHARED_BYTES
      ? this.#shared
      : new Uint8Array(most);
    const { written } = ENCODER.encodeInto(
      head,
      buffer.subarray(LENGTH_BYTES),
    );
    writeLength(buffer, written);
    const end = LENGTH_BYTES + written;
    if (body.length > 0) buffer.set(body, end);
    return buffer.subarray(0, end + body.length);
  }

  read(message: Uint8Array<ArrayBuffer>): Reply {
    const known = this.#lastBytes.length;
    if (this.#lastHead !== undefined && startsWith(message, this.#lastBytes)) {
      return { head: this.#lastHead, body: message.subarray(known) };
    }
    if (lengthOf(message) > this.#maxHeadBytes) {
      throw badReply("its head is too long");
    }
    const { header, body } = opened(message);
    if (!isObject(header)) throw badReply("its head is no object");
    const head = checkHead(header.status, header.headers, this.#bounds);
    const length = message.length - body.length;
    if (length <= MAX_KNOWN_BYTES) {
      this.#lastHead = head;
      this.#lastBytes = message.slice(0, length);
    }
    return { head, body: body as Uint8Array<ArrayBuffer> };
  }
}

function writeLength(buffer: Uint8Array, length: number): void {
  buffer[0] = length & 0xff;
  buffer[1] = length >> 8 & 0xff;
  buffer[2] = length >> 16 & 0xff;
  buffer[3] = length >>> 24;
}

/** What a message says of the length of its head. */
function lengthOf(message: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = message;
  return a + (b << 8) + (c << 16) + d * 2 ** 24;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false;
  for (let at = 0; at < start.length; at++) {
    if (bytes[at] !== start[at]) return false;
  }
  return true;
}

/** All of it JSON, and the body text. */
class JsonFormat implements MessageFormat {
  readonly #bounds: HeadBounds;
  readonly #shared: Uint8Array = new Uint8Array(SHARED_BYTES);

  constructor(bounds: HeadBounds) {
    this.#bounds = bounds;
  }

  write(
    { exchange: { method, target: { url } }, headers, body }: RequestParts,
    isShared: boolean,
  ): Uint8Array {
    const text = body.length === 0 ? "" : decoded(body);
    const message = JSON.stringify({ method, url, headers, body: text });
    if (!isShared || message.length * BYTES_OF_UNIT > SHARED_BYTES) {
      return ENCODER.encode(message);
    }
    const { written } = ENCODER.encodeInto(message, this.#shared);
    return this.#shared.subarray(0, written);
  }

  read(message: Uint8Array): Reply {
    const reply = parsed(message);
    if (!isObject(reply)) throw badReply("it is no object");
    for (const name in reply) {
      if (MEMBERS.has(name)) continue;
      throw badReply("it has other members than status, headers and body");
    }
    const { status = 200, headers, body = "" } = reply;
    const isText = typeof body === "string";
    const usual = isText ? TEXT_HEAD : JSON_HEAD;
    return {
      head: status === 200 && headers === undefined
        ? usual
        : withType(checkHead(status, headers, this.#bounds), usual),
      body: isText ? body : JSON.stringify(body),
    };
  }
}

const MEMBERS: ReadonlySet<string> = new Set(["status", "headers", "body"]);
const TEXT_HEAD = headOf(200, [["content-type", "text/plain;charset=utf-8"]]);
const JSON_HEAD = headOf(200, [["content-type", "application/json"]]);

/**
 * Makes a format.
 *
 * @param name Its name.
 * @param bounds The bounds of the heads of replies.
 * @returns The format, for one server.
 */
export function formatOf(
  name: "envelope" | "json",
  bounds: HeadBounds,
): MessageFormat {
  return name === "json" ? new JsonFormat(bounds) : new EnvelopeFormat(bounds);
}

function withType(head: ReplyHead, usual: ReplyHead): ReplyHead {
  if (head.hasType) return head;
  return headOf(head.status, [...head.headers, ...usual.headers]);
}

function opened(message: Uint8Array) {
  try {
    return decodeEnvelope(message);
  } catch (error) {
    throw badReply("it is no envelope", error);
  }
}

/** Reading what is nested too deep takes minutes, which nobody could stop. */
function parsed(message: Uint8Array): unknown {
  try {
    return json.decode(message);
  } catch (error) {
    throw badReply("it is no JSON", error);
  }
}

function decoded(body: Uint8Array): string {
  try {
    return STRICT.decode(body);
  } catch (cause) {
    throw new HttpProblem(400, "the body is no text in UTF-8", { cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

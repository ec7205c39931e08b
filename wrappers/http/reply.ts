/** What a guest answers, checked. */

import { type HeadBounds, type Header, isHopByHop } from "./head.ts";
import { badReply } from "./problem.ts";

/** The head of a reply. */
export interface ReplyHead {
  readonly status: number;
  readonly headers: readonly Header[];
  /** The same, as a response takes it. */
  readonly init: ResponseInit;
  /** Whether it says what the body is. */
  readonly hasType: boolean;
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
/** Each character is one byte; no line ends within. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What stands around a value belongs to no value. */
const AROUND = /^[\t ]+|[\t ]+$/g;

const MIN_STATUS = 200;
const MAX_STATUS = 599;

/** Statuses whose replies have no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Checks the head of a reply.
 *
 * @param status What the guest says the status is.
 * @param headers What it says the headers are: pairs of name and value.
 * @param bounds How many there may be.
 * @returns The head, without what belongs to the connection.
 * @throws {HttpProblem} With status 502.
 */
export function checkHead(
  status: unknown,
  headers: unknown,
  bounds: HeadBounds,
): ReplyHead {
  if (
    typeof status !== "number" || !Number.isInteger(status) ||
    status < MIN_STATUS || status > MAX_STATUS
  ) {
    throw badReply("its status is not from 200 to 599");
  }
  return headOf(
    status,
    headers === undefined ? NONE : checkHeaders(headers, bounds),
  );
}

/**
 * Makes a head of what was checked.
 *
 * @param status The status.
 * @param headers The headers, names in lower case.
 * @returns The head.
 */
export function headOf(status: number, headers: readonly Header[]): ReplyHead {
  const names = new Set(headers.map(([name]) => name));
  // a table is faster, and cannot hold a name twice
  const table = names.size === headers.length
    ? Object.fromEntries(headers)
    : headers as [string, string][];
  return {
    status,
    headers,
    init: { status, headers: table },
    hasType: names.has("content-type"),
  };
}

const NONE: readonly Header[] = Object.freeze([]);

function checkHeaders(
  given: unknown,
  { maxHeaders, maxHeaderBytes }: HeadBounds,
): Header[] {
  if (!Array.isArray(given)) throw badReply("its headers are no list");
  if (given.length > maxHeaders) throw badReply("it has too many headers");
  const headers: Header[] = [];
  let bytes = 0;
  for (const pair of given) {
    if (!Array.isArray(pair) || pair.length !== 2) throw noHeader();
    const [name, text]: unknown[] = pair;
    if (typeof name !== "string" || typeof text !== "string") throw noHeader();
    bytes += name.length + text.length;
    if (bytes > maxHeaderBytes) throw badReply("its headers are too long");
    const value = text.replace(AROUND, "");
    if (!NAME.test(name) || !VALUE.test(value)) throw noHeader();
    const lower = name.toLowerCase();
    // the length is told by whoever writes the body, and has seen it
    if (lower === "content-length" || isHopByHop(lower)) continue;
    headers.push([lower, value]);
  }
  return headers;
}

function noHeader() {
  return badReply("a header is no pair of a name and a value");
}

/**
 * Whether a reply has a body at all.
 *
 * @param method The request's method.
 * @param status The reply's status.
 * @returns Whether it has.
 */
export function hasBody(method: string, status: number): boolean {
  return method !== "HEAD" && !WITHOUT_BODY.has(status);
}

/** Up to this length text is worth making of bytes. */
const SHORT_BYTES = 1_024;

/**
 * Makes a response.
 *
 * @param head A head that was checked.
 * @param body The body, or null for none.
 * @returns The response.
 */
export function toResponse(
  { init, hasType }: ReplyHead,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
): Response {
  // Deno answers short text with less ado; it needs a type, or gets another
  return new Response(
    hasType && body instanceof Uint8Array ? asciiOf(body) ?? body : body,
    init,
  );
}

/** Short bytes as text, if it is the same in UTF-8. */
function asciiOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHORT_BYTES) return undefined;
  let text = "";
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

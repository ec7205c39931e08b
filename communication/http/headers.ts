/**
 * Headers of a guest's requests.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { GuestFault } from "../fault.ts";

/** A name and a value; names are in lower case. */
export type Header = readonly [name: string, value: string];

/** Most headers of a request, and of a response. */
export const MAX_HEADERS = 256;

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/;
/** What stands around a value belongs to no value. */
const AROUND = /^[\t ]+|[\t ]+$/g;
/** Each character is one byte; no line ends within. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Headers by which a message is framed or a connection is kept, or which say
 * who is asked. They are the host's to write.
 */
const OF_THE_HOST: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const OF_PROXIES = "proxy-";

/** Headers that may follow a redirect to another origin: none holds a secret. */
const TRAVELLERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-language",
  "content-type",
  "range",
  "user-agent",
]);

/** What belongs to a body, and goes with it. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
]);

/**
 * Checks the headers that a guest gives.
 *
 * @param headers Names and values, any text.
 * @param maxBytes The most that they may come to.
 * @returns The headers, in order.
 * @throws {GuestFault} If one cannot be sent, or is not the guest's to choose.
 */
export function checkHeaders(
  headers: readonly (readonly [string, string])[],
  maxBytes: number,
): readonly Header[] {
  if (headers.length > MAX_HEADERS) {
    throw new GuestFault("too-large", "there are too many headers");
  }
  let bytes = 0;
  return headers.map(([given, text]) => {
    const name = given.toLowerCase();
    const value = text.replace(AROUND, "");
    if (!NAME.test(name)) throw invalid(given, "has a name that is no token");
    if (!VALUE.test(value)) {
      throw invalid(given, "has a value with characters that cannot be sent");
    }
    if (isOfTheHost(name)) throw invalid(given, "is for the host to write");
    bytes += name.length + value.length + 4;
    if (bytes > maxBytes) {
      throw new GuestFault("too-large", "the headers are too long");
    }
    return [name, value] as const;
  });
}

/**
 * Leaves out what tells of a connection, which the guest has none of.
 *
 * @param headers Headers of a response.
 * @returns Those of the message.
 */
export function endToEnd(headers: readonly Header[]): readonly Header[] {
  return headers.filter(([name]) =>
    name === "content-length" || !isOfTheHost(name)
  );
}

/**
 * Headers that may be sent to another origin than the guest has chosen.
 *
 * @param headers Headers of a request.
 * @returns Those that hold no secret.
 */
export function acrossOrigins(headers: readonly Header[]): readonly Header[] {
  return headers.filter(([name]) => TRAVELLERS.has(name));
}

/**
 * Headers of a request whose body is dropped.
 *
 * @param headers Headers of a request.
 * @returns Those that do not tell of a body.
 */
export function withoutBody(headers: readonly Header[]): readonly Header[] {
  return headers.filter(([name]) => !OF_THE_BODY.has(name));
}

function isOfTheHost(name: string): boolean {
  return OF_THE_HOST.has(name) || name.startsWith(OF_PROXIES);
}

function invalid(name: string, problem: string): GuestFault {
  return new GuestFault("invalid", `the header ${quote(name)} ${problem}`);
}

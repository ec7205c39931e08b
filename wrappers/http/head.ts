/** The head of a request, within bounds, and as a guest is told of it. */

import { HttpProblem } from "./problem.ts";

/** A header: its name, in lower case, and its value. */
export type Header = readonly [name: string, value: string];

/** What heads are bounded by. */
export interface HeadBounds {
  readonly maxUrlBytes: number;
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
}

/** Room for what stands around a header that JSON writes: quotes, commas. */
const HEADER_OVERHEAD = 16;
/** A character in JSON takes up to six bytes: `\u0000`. */
const LONGEST_ESCAPE = 6;

/**
 * The longest head of a message.
 *
 * @param bounds How long its parts may be.
 * @returns The length when all of it is escaped in JSON, in bytes.
 */
export function longestHead(
  { maxUrlBytes, maxHeaders, maxHeaderBytes }: HeadBounds,
): number {
  return LONGEST_ESCAPE * (maxHeaderBytes + maxUrlBytes) +
    HEADER_OVERHEAD * (maxHeaders + 8);
}

/** Where a request goes, of which nothing is decoded. */
export interface Target {
  /** The URL without its fragment. */
  readonly url: string;
  /** From the first `/`, up to the query. */
  readonly path: string;
  /** What follows the `?`; empty if there is none. */
  readonly query: string;
}

/**
 * Splits a URL, as the client has sent it: nothing is decoded or resolved.
 *
 * @param url The URL of a request.
 * @returns Its parts.
 */
export function targetOf(url: string): Target {
  const hash = url.indexOf("#");
  const whole = hash < 0 ? url : url.slice(0, hash);
  const scheme = whole.indexOf("://");
  const from = scheme < 0 ? 0 : scheme + 3;
  const mark = whole.indexOf("?", from);
  const end = mark < 0 ? whole.length : mark;
  const slash = whole.indexOf("/", from);
  return {
    url: whole,
    path: slash < 0 || slash > end ? "/" : whole.slice(slash, end),
    query: mark < 0 ? "" : whole.slice(mark + 1),
  };
}

/**
 * What belongs to the connection, and to no request; `proxy-` stands for itself
 * and all that begins with it.
 */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Whether a header is one of the connection (RFC 9110, 7.6.1).
 *
 * @param name Its name, in lower case.
 * @returns Whether it is.
 */
export function isHopByHop(name: string): boolean {
  return OF_THE_CONNECTION.has(name) || name.startsWith("proxy-");
}

/**
 * Reads the headers of a request, no more of them than may be.
 *
 * @param headers The headers.
 * @param bounds How many there may be.
 * @param forwards The names of those that are wanted; all, if left out.
 * @returns Those of the message.
 * @throws {HttpProblem} With status 431, or 400 if the host is none.
 */
export function readHeaders(
  headers: Headers,
  { maxHeaders, maxHeaderBytes }: HeadBounds,
  forwards: ReadonlySet<string> | undefined,
): Header[] {
  const wanted: Header[] = [];
  let count = 0;
  let bytes = 0;
  let named: string | undefined;
  // half as long as `for`, of a function that each request runs through
  headers.forEach((value, name) => {
    bytes += name.length + value.length;
    if (++count > maxHeaders || bytes > maxHeaderBytes) throw tooLarge();
    if (name === "host") checkHost(value);
    if (name === "connection") named = value.toLowerCase();
    if (isHopByHop(name)) return;
    if (forwards === undefined || forwards.has(name)) {
      wanted.push([name, value]);
    }
  });
  return named === undefined ? wanted : withoutNamed(wanted, named);
}

/** Without those that `Connection` names: they were for whoever is in between. */
function withoutNamed(headers: Header[], connection: string): Header[] {
  if (connection === "keep-alive" || connection === "close") return headers;
  const names = new Set(connection.split(",").map((name) => name.trim()));
  return headers.filter(([name]) => !names.has(name));
}

function tooLarge(): HttpProblem {
  return new HttpProblem(431, "the headers are too many or too long");
}

/** Methods that are about the connection, and no guest's. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);
/** None that is registered is longer than 20. */
const LONGEST_METHOD = 32;

/**
 * Refuses a request by its first line.
 *
 * @param method The method.
 * @param url The URL.
 * @param bounds How long it may be.
 * @throws {HttpProblem} With status 414 or 501.
 */
export function checkRequestLine(
  method: string,
  url: string,
  { maxUrlBytes }: HeadBounds,
): void {
  // a URL that came over a socket is of ASCII; others have been encoded
  if (url.length > maxUrlBytes) {
    throw new HttpProblem(414, "the URL is too long");
  }
  if (REFUSED_METHODS.has(method) || method.length > LONGEST_METHOD) {
    throw new HttpProblem(501, "the method is not implemented");
  }
}

/** A name or an address, and a port; nothing by which an authority ends. */
const HOST = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]+$/;

/**
 * Refuses a host that is none. Deno makes the URL of it: `x/admin?` would lead to
 * another path than the one that the client, or a proxy, has asked for.
 *
 * @param host The header; null if there is none.
 * @throws {HttpProblem} With status 400.
 */
export function checkHost(host: string | null): void {
  if (host === null || HOST.test(host)) return;
  throw new HttpProblem(400, "the host is not valid");
}

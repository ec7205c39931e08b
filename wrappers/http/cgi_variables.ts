/** A request as the variables of a CGI program (RFC 3875). */

import type { Exchange } from "./exchange.ts";
import type { Header } from "./head.ts";
import { HttpProblem } from "./problem.ts";

/** Variables that do not come from a header, or not as `HTTP_`. */
export const CGI_VARIABLES: readonly string[] = Object.freeze([
  "CONTENT_LENGTH",
  "CONTENT_TYPE",
  "GATEWAY_INTERFACE",
  "HTTPS",
  "PATH_INFO",
  "QUERY_STRING",
  "REMOTE_ADDR",
  "REQUEST_METHOD",
  "REQUEST_URI",
  "SCRIPT_NAME",
  "SERVER_NAME",
  "SERVER_PORT",
  "SERVER_PROTOCOL",
  "SERVER_SOFTWARE",
]);

/**
 * Headers that a CGI program is told of unless the option `forwardHeaders` says
 * otherwise: those that tell what is wanted, and none by which somebody shows
 * who they are, but for the cookie.
 */
export const DEFAULT_CGI_HEADERS: readonly string[] = Object.freeze([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "access-control-request-headers",
  "access-control-request-method",
  "cache-control",
  "content-encoding",
  "content-language",
  "cookie",
  "dnt",
  "forwarded",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "pragma",
  "range",
  "referer",
  "sec-fetch-dest",
  "sec-fetch-mode",
  "sec-fetch-site",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-request-id",
  "x-requested-with",
]);

/** Headers that have a variable of their own, and no `HTTP_`. */
const OWN_VARIABLE: ReadonlySet<string> = new Set([
  "content-length",
  "content-type",
]);

/**
 * The variable of a header.
 *
 * @param header The header's name.
 * @returns Such as `HTTP_USER_AGENT`.
 */
export function variableOf(header: string): string {
  return `HTTP_${header.toUpperCase().replaceAll("-", "_")}`;
}

/** What the variables of one request are made from. */
export interface CgiParts {
  readonly headers: readonly Header[];
  /** Length of the body, if there is one. */
  readonly length: number | undefined;
  /** Variables that each run has. */
  readonly fixed: Readonly<Record<string, string>>;
}

/**
 * The variables of a request.
 *
 * @param exchange The request.
 * @param parts What is known of it.
 * @returns Names and values.
 * @throws {HttpProblem} With status 400 if something of it can be in no variable.
 */
export function cgiVariables(
  exchange: Exchange,
  { headers, length, fixed }: CgiParts,
): Record<string, string> {
  const { target: { url, path, query }, method } = exchange;
  const { protocol, hostname, port } = originOf(url);
  const isSecure = protocol === "https:";
  const variables: Record<string, string> = {
    ...fixed,
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_SOFTWARE: "wasm-sandbox",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_NAME: hostname,
    SERVER_PORT: port || (isSecure ? "443" : "80"),
    REQUEST_METHOD: method,
    REQUEST_URI: query === "" ? path : `${path}?${query}`,
    SCRIPT_NAME: "",
    PATH_INFO: decoded(path),
    QUERY_STRING: query,
    REMOTE_ADDR: exchange.remoteAddress ?? "",
    ...(isSecure ? { HTTPS: "on" } : {}),
    ...(length === undefined ? {} : { CONTENT_LENGTH: String(length) }),
  };
  if (length !== undefined) {
    const type = exchange.request.headers.get("content-type");
    if (type !== null) variables.CONTENT_TYPE = type;
  }
  for (const [name, value] of headers) {
    if (!OWN_VARIABLE.has(name)) variables[variableOf(name)] = value;
  }
  return variables;
}

function originOf(url: string): Pick<URL, "protocol" | "hostname" | "port"> {
  const parsed = URL.parse(url);
  if (parsed === null) throw new HttpProblem(400, "the host is not valid");
  return parsed;
}

/** The path as text; `/` that was encoded cannot be told from others then. */
function decoded(path: string): string {
  let text: string;
  try {
    text = decodeURIComponent(path);
  } catch (cause) {
    throw new HttpProblem(400, "the path is not encoded in UTF-8", { cause });
  }
  if (!text.includes("\0")) return text;
  throw new HttpProblem(400, "the path holds a NUL");
}

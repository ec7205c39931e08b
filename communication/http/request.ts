/**
 * Checks what a guest asks for, before anybody else hears of it.
 *
 * @module
 */

import { canonicalHost, defaultPort } from "../../security/address.ts";
import { GuestFault } from "../fault.ts";
import { checkHeaders, type Header } from "./headers.ts";
import type { ResolvedHttpOptions } from "./options.ts";

/** A request, as a guest makes it: any text, any bytes. */
export interface HttpRequest {
  /** Absolute URL. */
  readonly url: string;
  /** Method. */
  readonly method: string;
  /** Names and values, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Body; empty for none. */
  readonly body: Uint8Array;
}

/** Where a request goes, read once. */
export interface Target {
  /** `"http"` or `"https"`. */
  readonly scheme: string;
  /** Name or address, in one spelling. */
  readonly host: string;
  /** From 1 to 65,535. */
  readonly port: number;
  /** Path and query; begins with `/`. */
  readonly path: string;
}

/** A request that can be sent as it is, to one target. */
export interface Hop {
  /** Where it goes. */
  readonly target: Target;
  /** In capitals. */
  readonly method: string;
  /** Those of the guest. */
  readonly headers: readonly Header[];
  /** Body; empty for none. */
  readonly body: Uint8Array;
}

/** Longest URL, in UTF-16 units. */
const MAX_URL = 8_192;
/** What the URL parser would drop, or take for a slash. */
const ODD = /[\p{Cc}\p{Cs}\s\\]/u;
/** An `@` before the path: somebody's name, or an attempt to hide the host. */
const USERINFO = /^[^:/?#]+:\/*[^/?#]*@/;
const METHOD = /^[A-Z0-9!#$%&'+.^_`|~-]{1,32}$/;
/** Spelled in any case, as fetch has it. */
const COMMON = /^(?:delete|get|head|options|post|put)$/i;
/** They ask a proxy for a tunnel, or a server to tell what it was sent. */
const FORBIDDEN: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/**
 * Checks a request.
 *
 * @param request The guest's.
 * @param options What bounds it.
 * @returns What can be sent.
 * @throws {GuestFault} If it cannot.
 */
export function checkRequest(
  { url, method, headers, body }: HttpRequest,
  { maxHeaderBytes }: Pick<ResolvedHttpOptions, "maxHeaderBytes">,
): Hop {
  if (url.length > MAX_URL) {
    throw new GuestFault("invalid", "the URL is too long");
  }
  if (ODD.test(url)) throw noUrl();
  if (USERINFO.test(url)) throw userinfo();
  const name = checkMethod(method);
  if (body.length > 0 && (name === "GET" || name === "HEAD")) {
    throw new GuestFault("invalid", `a request by ${name} has no body`);
  }
  return {
    target: readTarget(url),
    method: name,
    headers: checkHeaders(headers, maxHeaderBytes),
    body,
  };
}

/**
 * Reads a URL; what it says is read once and used as read.
 *
 * @param text The URL.
 * @param base What it is relative to, if it may be.
 * @returns Where it leads; without the fragment.
 * @throws {GuestFault} If nothing may be sent there.
 */
export function readTarget(text: string, base?: Target): Target {
  const url = URL.parse(text, base && urlOf(base));
  if (url === null) throw noUrl();
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new GuestFault("invalid", "the URL is neither http: nor https:");
  }
  if (url.username !== "" || url.password !== "") throw userinfo();
  const scheme = url.protocol.slice(0, -1);
  const host = canonicalHost(url.hostname);
  const port = url.port === "" ? defaultPort(scheme) : Number(url.port);
  const path = url.pathname + url.search;
  if (host === undefined || port === 0 || path.length > MAX_URL) throw noUrl();
  return { scheme, host, port, path };
}

/**
 * Writes where a request goes, as `network.connect` names it.
 *
 * @param target The target.
 * @param address Another host or address in place of its own.
 * @returns Scheme, host and port: `https://example.com:443`.
 */
export function originOf(
  { scheme, host, port }: Target,
  address: string = host,
): string {
  return `${scheme}://${address}:${port}`;
}

/**
 * Writes the host as a request's header has it.
 *
 * @param target The target.
 * @returns The host, and the port unless it is the scheme's own.
 */
export function authorityOf({ scheme, host, port }: Target): string {
  return port === defaultPort(scheme) ? host : `${host}:${port}`;
}

/**
 * Writes a target as a URL.
 *
 * @param target The target.
 * @returns The URL.
 */
export function urlOf(target: Target): string {
  return `${target.scheme}://${authorityOf(target)}${target.path}`;
}

function checkMethod(text: string): string {
  const method = COMMON.test(text) ? text.toUpperCase() : text;
  if (!METHOD.test(method)) {
    throw new GuestFault("invalid", "the method is no word in capitals");
  }
  if (FORBIDDEN.has(method)) {
    throw new GuestFault("denied", `no request may be made by ${method}`);
  }
  return method;
}

function noUrl(): GuestFault {
  return new GuestFault("invalid", "the URL is no absolute http(s) URL");
}

function userinfo(): GuestFault {
  return new GuestFault(
    "invalid",
    "the URL holds a user name or a password (send a header instead)",
  );
}

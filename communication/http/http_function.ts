/**
 * Requests as a function of the host, `http.request`.
 *
 * @module
 */

import { reasonOf } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { decodeEnvelope, encodeEnvelope } from "../envelope.ts";
import { GuestFault } from "../fault.ts";
import type { GuestHttp } from "./client.ts";
import type { HttpRequest } from "./request.ts";

/** A function that takes and gives envelopes. */
export type HttpFunction = (
  input: Uint8Array,
  options: { readonly signal: AbortSignal },
) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Makes the function by which a guest makes requests. It takes an envelope of
 * `{ url, method?, headers? }` and the body, and gives one of
 * `{ status, headers, url }` and the body.
 *
 * @param http Makes the requests.
 * @returns The function.
 */
export function httpFunction(http: GuestHttp): HttpFunction {
  return async (input, { signal }) => {
    const request = readRequest(input);
    try {
      const { body, ...header } = await http.request(request, { signal });
      return encodeEnvelope(header, body);
    } catch (error) {
      throw tellable(error);
    }
  };
}

/**
 * That this program cannot connect is its own affair: the guest is told that
 * its request failed, and the host why.
 */
function tellable(error: unknown): unknown {
  const isOurs = SandboxError.is(error, "unsupported") ||
    SandboxError.is(error, "process-failed");
  return isOurs ? new Error(reasonOf(error), { cause: error }) : error;
}

function readRequest(input: Uint8Array): HttpRequest {
  const { header, body } = decodeEnvelope(input);
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw invalid("the head of the request is no object");
  }
  const { url, method = "GET", headers = [] } = ownFields(header);
  if (typeof url !== "string") throw invalid("the request has no URL");
  if (typeof method !== "string") throw invalid("the method is no text");
  if (!isHeaders(headers)) throw invalid("the headers are no list of pairs");
  return { url, method, headers, body };
}

function ownFields(
  header: object,
): {
  readonly url?: unknown;
  readonly method?: unknown;
  readonly headers?: unknown;
} {
  // whatever the guest names besides, such as __proto__, is not looked at
  return Object.assign(Object.create(null), header);
}

function isHeaders(value: unknown): value is HttpRequest["headers"] {
  return Array.isArray(value) &&
    value.every((pair) =>
      Array.isArray(pair) && pair.length === 2 &&
      pair.every((each) => typeof each === "string")
    );
}

function invalid(message: string): GuestFault {
  return new GuestFault("invalid", message);
}

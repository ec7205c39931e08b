/** Why a request is not answered, and what its client is told. */

import { SandboxError } from "../../errors.ts";
import { replyToUnread } from "./unread.ts";

/** Statuses that this server answers by itself, and what they are called. */
const TITLES = Object.freeze(
  {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    499: "Client Closed Request",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
  } as const,
);

/** A status that this server answers by itself. */
export type ProblemStatus = keyof typeof TITLES;

/** A request that is answered with a status of this server's own. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";

  /**
   * Constructs it.
   *
   * @param status The status.
   * @param detail What is wrong; nothing of the guest's or the host's, since
   * clients are told.
   * @param options What it comes from, and headers of the answer.
   */
  constructor(
    readonly status: ProblemStatus,
    readonly detail: string,
    { cause, headers = {} }: {
      readonly cause?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(`Cannot answer the request: ${detail}`, { cause });
    this.headers = headers;
  }

  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A guest that answered what is no answer. */
export function badReply(problem: string, cause?: unknown): HttpProblem {
  return new HttpProblem(502, "the guest's reply is not valid", {
    cause: cause ?? new Error(`The reply is not valid: ${problem}`),
  });
}

/** Limits whose end is an end of time. */
const LIMITS_OF_TIME: ReadonlySet<string> = new Set([
  "timeoutMs",
  "fuel",
  "cpuMs",
]);

/** Limits of what a guest gives away. */
const LIMITS_OF_OUTPUT: ReadonlySet<string> = new Set([
  "stdoutBytes",
  "messageBytes",
  "streamBytes",
]);

/**
 * What a client is told of an error.
 *
 * @param error What was thrown.
 * @param hasLeft Whether the client is gone.
 * @returns The problem.
 */
export function problemOf(error: unknown, hasLeft: boolean): HttpProblem {
  if (error instanceof HttpProblem) return error;
  const options = { cause: error };
  if (!SandboxError.is(error)) {
    if (hasLeft) return new HttpProblem(499, "the client went away", options);
    return new HttpProblem(500, "the server failed", options);
  }
  switch (error.code) {
    case "overloaded":
    case "disposed":
      return unavailable("the server is busy, or about to end", options);
    case "limit-exceeded":
      return ofLimit(error as SandboxError<"limit-exceeded">, options);
    case "guest-protocol":
      return badReply("", error);
    case "process-failed":
      return (error as SandboxError<"process-failed">).details.phase === "start"
        ? unavailable("no guest could be started", options)
        : new HttpProblem(500, "the guest ended", options);
    default:
      return new HttpProblem(500, "the guest failed", options);
  }
}

function ofLimit(
  { details: { limit } }: SandboxError<"limit-exceeded">,
  options: { readonly cause: unknown },
): HttpProblem {
  if (LIMITS_OF_TIME.has(limit)) {
    return new HttpProblem(504, "the guest took too long", options);
  }
  if (LIMITS_OF_OUTPUT.has(limit)) {
    return new HttpProblem(502, "the guest's reply is too long", options);
  }
  return new HttpProblem(500, "the guest reached a limit", options);
}

/**
 * Refuses a request that does not only read.
 *
 * @param exchange The request.
 * @throws {HttpProblem} With status 405.
 */
export function checkReads({ method }: { readonly method: string }): void {
  if (method === "GET" || method === "HEAD") return;
  throw new HttpProblem(405, "it can only be read", {
    headers: { allow: "GET, HEAD" },
  });
}

/** Seconds after which somebody who was turned away may try again. */
const RETRY_AFTER_SECONDS = "1";

/**
 * A request that is turned away, but not for good.
 *
 * @param detail Why.
 * @param options What it comes from.
 * @returns The problem, with `Retry-After`.
 */
export function unavailable(
  detail: string,
  options: { readonly cause?: unknown } = {},
): HttpProblem {
  return new HttpProblem(503, detail, {
    ...options,
    headers: { "retry-after": RETRY_AFTER_SECONDS },
  });
}

/** A guest may have said a lot. */
const MAX_CAUSE_LENGTH = 2_000;

/**
 * A problem as an answer (RFC 9457).
 *
 * @param problem The problem.
 * @param options Whether to say where it comes from, too, and the request, if
 * its body was not read.
 * @returns The answer.
 */
export function problemResponse(
  { status, detail, cause, headers }: HttpProblem,
  { exposes, unread }: {
    readonly exposes: boolean;
    readonly unread: Request | undefined;
  },
): { readonly response: Response; readonly length: number } {
  const document = JSON.stringify({
    type: "about:blank",
    title: TITLES[status],
    status,
    detail,
    ...(exposes && cause instanceof Error
      ? { cause: cause.message.slice(0, MAX_CAUSE_LENGTH) }
      : {}),
  });
  const body = new TextEncoder().encode(document);
  const init = {
    status,
    headers: {
      ...headers,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    },
  };
  return {
    length: body.length,
    response: unread === undefined
      ? new Response(body, init)
      : replyToUnread(unread, body, init),
  };
}

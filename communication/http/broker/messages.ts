/**
 * What a host and a broker say to each other, as headers of messages. What the
 * broker says is checked: what it has talked to may have got hold of it.
 *
 * @module
 */

import {
  checked,
  isArrayOf,
  isCount,
  isOneOf,
  isShaped,
  isText,
} from "../../../runtime/process/check.ts";
import {
  type Message,
  ProtocolError,
} from "../../../runtime/process/frames.ts";
import {
  DIAL_PROBLEMS,
  type DialOutcome,
  type DialProblem,
  type DialRequest,
} from "../dial.ts";
import { type Header, MAX_HEADERS } from "../headers.ts";

/** What a broker is asked; the body of a request is the message's. */
export type BrokerQuestion =
  | { readonly id: number; readonly what: "resolve"; readonly host: string }
  | {
    readonly id: number;
    readonly what: "dial";
    readonly request: Omit<DialRequest, "body">;
  };

/** Most addresses of one name that are looked at. */
const MAX_ADDRESSES = 256;

interface Addresses {
  readonly id: number;
  readonly addresses: readonly string[];
}

interface Done {
  readonly id: number;
  readonly state: "done";
  readonly status: number;
  readonly headers: readonly Header[];
  readonly wireBytes: number;
}

interface Failed {
  readonly id: number;
  readonly state: "failed";
  readonly problem: DialProblem;
  readonly wireBytes: number;
}

const isAddresses = isShaped({
  required: {
    id: isCount,
    addresses: (value) => Array.isArray(value) && value.every(isText),
  },
});

const isDone = isShaped({
  required: {
    id: isCount,
    state: isOneOf(["done"]),
    status: (value) => isCount(value) && isWithin(Number(value), 200, 999),
    headers: isArrayOf(isHeader, MAX_HEADERS),
    wireBytes: isCount,
  },
});

const isFailed = isShaped({
  required: {
    id: isCount,
    state: isOneOf(["failed"]),
    problem: isOneOf(DIAL_PROBLEMS),
    wireBytes: isCount,
  },
});

/** As the parser in the broker lets them through. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Reads the answer to a question for addresses.
 *
 * @param message The answer.
 * @param id Number of the question.
 * @returns Texts that may be addresses.
 * @throws {ProtocolError} If it is none.
 */
export function readAddresses(
  { header }: Message,
  id: number,
): readonly string[] {
  const answer = checked<Addresses>(header, isAddresses, "list of addresses");
  checkId(answer, id);
  return answer.addresses.slice(0, MAX_ADDRESSES);
}

/**
 * Reads the answer to a request.
 *
 * @param message The answer.
 * @param id Number of the question.
 * @param request The request.
 * @returns How it went.
 * @throws {ProtocolError} If it is none, or longer than it may be.
 */
export function readOutcome(
  { header, body }: Message,
  id: number,
  request: DialRequest,
): DialOutcome {
  if (header["state"] !== "done") {
    const answer = checked<Failed>(header, isFailed, "failure");
    checkId(answer, id);
    const { problem, wireBytes } = answer;
    return { state: "failed", problem, wireBytes };
  }
  const answer = checked<Done>(header, isDone, "response");
  checkId(answer, id);
  const { status, headers } = answer;
  const least = headers.reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    0,
  );
  if (least > request.maxHeaderBytes) {
    throw new ProtocolError("a head that is too long");
  }
  // it cannot have got less than it gives
  const wireBytes = Math.max(answer.wireBytes, least + body.length);
  return { state: "done", response: { status, headers, body }, wireBytes };
}

function isHeader(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [name, text] = value;
  return typeof name === "string" && NAME.test(name) &&
    typeof text === "string" && VALUE.test(text);
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function checkId({ id }: { readonly id: number }, asked: number): void {
  if (id !== asked) throw new ProtocolError("another request's answer");
}

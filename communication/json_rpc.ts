/**
 * JSON-RPC 2.0 on the wire. See https://www.jsonrpc.org/specification.
 *
 * @module
 */

/** What a request is known by, among those of one side. */
export type RpcId = string | number | null;

/** Arguments of a method: by position or by name. */
export type RpcParams = readonly unknown[] | Readonly<Record<string, unknown>>;

/** Asks for a reply. */
export interface RpcRequest {
  /** Version of the protocol. */
  readonly jsonrpc: "2.0";
  /** What the reply will be known by. */
  readonly id: RpcId;
  /** Name of the method. */
  readonly method: string;
  /** Its arguments. */
  readonly params?: RpcParams;
}

/** Asks for nothing. */
export interface RpcNotification {
  /** Version of the protocol. */
  readonly jsonrpc: "2.0";
  /** Name of the method. */
  readonly method: string;
  /** Its arguments. */
  readonly params?: RpcParams;
}

/** The reply to a request that was done. */
export interface RpcResult {
  /** Version of the protocol. */
  readonly jsonrpc: "2.0";
  /** The request. */
  readonly id: RpcId;
  /** What the method gave. */
  readonly result: unknown;
}

/** The reply to a request that was not done. */
export interface RpcFailure {
  /** Version of the protocol. */
  readonly jsonrpc: "2.0";
  /** The request; null if it could not be told. */
  readonly id: RpcId;
  /** Why. */
  readonly error: RpcErrorObject;
}

/** Why a request was not done. */
export interface RpcErrorObject {
  /** Which error, as the specification or the application numbers it. */
  readonly code: number;
  /** The error in a sentence. */
  readonly message: string;
  /** Anything more. */
  readonly data?: unknown;
}

/** The reply to a request. */
export type RpcReply = RpcResult | RpcFailure;

/** One message. */
export type RpcMessage = RpcRequest | RpcNotification | RpcReply;

/** What travels: one message, or a batch of them. */
export type RpcFrame = RpcMessage | readonly RpcMessage[];

/**
 * Numbers of errors. The first five are the specification's, `cancelled` is
 * that of the Language Server Protocol, the rest are this package's.
 *
 * | name | when |
 * | --- | --- |
 * | `parseError` | the frame is not JSON |
 * | `invalidRequest` | the frame is no request, or its id is in use |
 * | `methodNotFound` | there is no such method |
 * | `invalidParams` | for handlers to use |
 * | `internalError` | the handler failed; the host is told why, nobody else |
 * | `busy` | too many requests are in flight |
 * | `timedOut` | the handler did not answer in its time |
 * | `cancelled` | the request was cancelled, and the handler gave up |
 */
export const RPC_ERRORS: {
  readonly parseError: -32700;
  readonly invalidRequest: -32600;
  readonly methodNotFound: -32601;
  readonly invalidParams: -32602;
  readonly internalError: -32603;
  readonly busy: -32000;
  readonly timedOut: -32001;
  readonly cancelled: -32800;
} = Object.freeze({
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  busy: -32000,
  timedOut: -32001,
  cancelled: -32800,
});

/** The notification that cancels a request: `{ "id": … }`, as in LSP. */
export const CANCEL_METHOD = "$/cancelRequest";

/** Longest id that is kept in mind, in UTF-16 units. */
const MAX_ID = 256;

/** A message that came in, as far as it is one. */
export type Incoming =
  | { readonly kind: "request"; readonly message: RpcRequest }
  | { readonly kind: "notification"; readonly message: RpcNotification }
  | { readonly kind: "reply"; readonly message: RpcReply }
  | {
    readonly kind: "malformed";
    /** The id, if it has a valid one. */
    readonly id: RpcId;
    /** Whether it was to be a reply: those are never answered. */
    readonly isReply: boolean;
    /** What is wrong with it. */
    readonly problem: string;
  };

/**
 * Tells what came in. Nothing of it is trusted; what it inherits is not seen.
 *
 * @param value What a frame holds.
 * @returns What it is.
 */
export function readMessage(value: unknown): Incoming {
  try {
    return classify(value);
  } catch {
    // no JSON does this: the channel hands over an object with getters
    return malformed(null, false, "it cannot be read");
  }
}

/**
 * The reply to a request that was done.
 *
 * @param id The request.
 * @param value What the method gave; undefined is null.
 * @returns The reply.
 */
export function resultOf(id: RpcId, value: unknown): RpcResult {
  return { jsonrpc: "2.0", id, result: value === undefined ? null : value };
}

/**
 * The reply to a request that was not done.
 *
 * @param id The request.
 * @param code Which error.
 * @param message The error in a sentence.
 * @returns The reply.
 */
export function failureOf(
  id: RpcId,
  code: number,
  message: string,
): RpcFailure {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/**
 * Whether a value is an object that JSON would write with braces.
 *
 * @param value Any value.
 * @returns Whether it is.
 */
export function isRecord(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether a value may be an id.
 *
 * @param value Any value.
 * @returns Whether it is a text of at most 256 units, a number or null.
 */
export function isId(value: unknown): value is RpcId {
  return value === null || Number.isFinite(value) ||
    typeof value === "string" && value.length <= MAX_ID;
}

function classify(value: unknown): Incoming {
  if (!isRecord(value)) return malformed(null, false, "it is no object");
  const hasResult = Object.hasOwn(value, "result");
  const hasError = Object.hasOwn(value, "error");
  const isReply = !Object.hasOwn(value, "method") && (hasResult || hasError);
  const hasId = Object.hasOwn(value, "id");
  const id = hasId ? value.id : null;
  if (!isId(id)) return malformed(null, isReply, "its id is none");
  const fail = (problem: string) => malformed(id, isReply, problem);

  if (!Object.hasOwn(value, "jsonrpc") || value.jsonrpc !== "2.0") {
    return fail("it is not of version 2.0");
  }
  if (!isReply) return asCall(value, hasId ? id : undefined, fail);
  if (!hasId) return fail("it has no id");
  if (hasResult && hasError) return fail("it has a result and an error");
  if (hasResult) {
    return { kind: "reply", message: resultOf(id, value.result) };
  }
  const error = readError(value.error);
  if (error === undefined) return fail("its error is none");
  return { kind: "reply", message: { jsonrpc: "2.0", id, error } };
}

/** A request, or without an id a notification. */
function asCall(
  value: Readonly<Record<string, unknown>>,
  id: RpcId | undefined,
  fail: (problem: string) => Incoming,
): Incoming {
  const method = Object.hasOwn(value, "method") ? value.method : undefined;
  if (typeof method !== "string") return fail("its method is no text");
  const params = Object.hasOwn(value, "params") ? value.params : undefined;
  if (params !== undefined && !isRecord(params) && !Array.isArray(params)) {
    return fail("its params are neither array nor object");
  }
  const message: RpcNotification = {
    jsonrpc: "2.0",
    method,
    ...(params === undefined ? {} : { params }),
  };
  return id === undefined
    ? { kind: "notification", message }
    : { kind: "request", message: { ...message, id } };
}

function readError(error: unknown): RpcErrorObject | undefined {
  if (!isRecord(error)) return undefined;
  const code = Object.hasOwn(error, "code") ? error.code : undefined;
  const message = Object.hasOwn(error, "message") ? error.message : undefined;
  if (!isCode(code) || typeof message !== "string") return undefined;
  return Object.hasOwn(error, "data")
    ? { code, message, data: error.data }
    : { code, message };
}

function isCode(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function malformed(id: RpcId, isReply: boolean, problem: string): Incoming {
  return { kind: "malformed", id, isReply, problem };
}

/**
 * Requests of this side that wait for their replies.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { OperationOptions } from "../runtime/types.ts";
import {
  CANCEL_METHOD,
  type RpcErrorObject,
  type RpcId,
  type RpcNotification,
  type RpcParams,
  type RpcReply,
  type RpcRequest,
} from "./json_rpc.ts";

/** Options of a request. */
export interface RpcRequestOptions extends OperationOptions {
  /**
   * How long to wait for the reply, in milliseconds; `Infinity` for as long as
   * it takes.
   *
   * @default {the peer's `timeoutMs`}
   */
  timeoutMs?: number;
}

/** A request without its id. */
export interface RpcCall {
  /** Name of the method. */
  readonly method: string;
  /** Its arguments. */
  readonly params: RpcParams | undefined;
}

/** How requests leave. */
export type Send = (
  message: RpcRequest | RpcNotification,
  options: OperationOptions,
) => Promise<void>;

/** A request that waits for its reply. */
interface Pending {
  readonly method: string;
  resolve(result: unknown): void;
  /** Ends it; the other side is told, if it knows of it. */
  giveUp(reason: unknown): void;
  /** Ends it with what the other side says. */
  reject(reason: unknown): void;
}

/** The requests of one side, from their sending to their end. */
export class PendingRequests {
  readonly #send: Send;
  readonly #maxPending: number;
  readonly #pending = new Map<RpcId, Pending>();
  #lastId = 0;

  /**
   * Constructs it with none.
   *
   * @param send How requests leave.
   * @param maxPending Most that wait at a time.
   */
  constructor(send: Send, maxPending: number) {
    this.#send = send;
    this.#maxPending = maxPending;
  }

  /** How many wait. */
  get size(): number {
    return this.#pending.size;
  }

  /**
   * Sends a request and waits for its reply.
   *
   * @param call Method and arguments.
   * @param options Deadline and cancellation.
   * @returns The result.
   */
  async request(
    { method, params }: RpcCall,
    { signal, timeoutMs }: { signal?: AbortSignal; timeoutMs: number },
  ): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#pending.size >= this.#maxPending) {
      throw tooMany(method, this.#maxPending);
    }
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const end = this.#post({ ...callOf(method, params), id }, reject);
    const giveUp = (reason: unknown) => {
      // once it has its reply there is nothing to give up
      if (this.#pending.delete(id)) end(reason);
    };
    this.#pending.set(id, { method, resolve, reject, giveUp });
    const abort = () => giveUp(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const timer = timeoutMs === Infinity
      ? undefined
      : setTimeout(() => giveUp(timedOut(method, timeoutMs)), timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#pending.delete(id);
    }
  }

  /**
   * Takes a reply.
   *
   * @param reply The reply.
   * @returns Whether anybody waited for it.
   */
  settle(reply: RpcReply): boolean {
    const pending = this.#take(reply.id);
    if (pending === undefined) return false;
    if ("error" in reply) {
      pending.reject(rpcError(pending.method, reply.error));
    } else pending.resolve(reply.result);
    return true;
  }

  /**
   * Takes a reply that is none.
   *
   * @param id What it claims to be a reply to.
   * @param problem What is wrong with it.
   */
  spoil(id: RpcId, problem: string): void {
    const pending = this.#take(id);
    pending?.reject(malformedReply(pending.method, problem));
  }

  /**
   * Ends all of them.
   *
   * @param reason What they are rejected with.
   */
  rejectAll(reason: unknown): void {
    for (const { giveUp } of this.#pending.values()) giveUp(reason);
  }

  #take(id: RpcId): Pending | undefined {
    const pending = this.#pending.get(id);
    // a second reply finds nobody
    this.#pending.delete(id);
    return pending;
  }

  /** Sends a request; what it gives ends the request, at whatever stage. */
  #post(
    request: RpcRequest,
    reject: (reason: unknown) => void,
  ): (reason: unknown) => void {
    const sending = new AbortController();
    let isSent = false;
    const cancel = () => {
      const params = { id: request.id };
      // the other side need not be there any more
      this.#send(callOf(CANCEL_METHOD, params), {}).catch(() => {});
    };
    this.#send(request, { signal: sending.signal }).then(() => {
      isSent = true;
      if (sending.signal.aborted) cancel();
    }, reject);
    return (reason) => {
      reject(reason);
      sending.abort(reason);
      if (isSent) cancel();
    };
  }
}

/**
 * A message that calls a method.
 *
 * @param method Name of the method.
 * @param params Its arguments, if any.
 * @returns The notification; with an id it is a request.
 */
export function callOf(
  method: string,
  params: RpcParams | undefined,
): RpcNotification {
  return {
    jsonrpc: "2.0",
    method,
    ...(params === undefined ? {} : { params }),
  };
}

/**
 * The error of what took too long.
 *
 * @param method Name of the method.
 * @param timeoutMs The time that it had.
 * @returns The error.
 */
export function timedOut(
  method: string,
  timeoutMs: number,
): SandboxError<"timed-out"> {
  return new SandboxError(
    "timed-out",
    `Cannot wait for ${quote(method)} any longer: it was not done in ` +
      `${timeoutMs} ms`,
    { details: { operation: method, timeoutMs } },
  );
}

function tooMany(
  method: string,
  allowed: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "wait for replies, or raise maxPending";
  return new SandboxError(
    "limit-exceeded",
    `Cannot request ${quote(method)}: ${allowed} requests wait for replies ` +
      `(${suggestion})`,
    {
      details: {
        limit: "maxPending",
        allowed,
        used: allowed + 1,
        suggestion,
      },
    },
  );
}

function rpcError(
  method: string,
  { code, message, ...more }: RpcErrorObject,
): SandboxError<"rpc-error"> {
  return new SandboxError(
    "rpc-error",
    `Cannot request ${quote(method)}: the other side says ${quote(message)} ` +
      `(error ${code})`,
    { details: { method, code, ...more } },
  );
}

function malformedReply(
  method: string,
  problem: string,
): SandboxError<"invalid-message"> {
  return new SandboxError(
    "invalid-message",
    `Cannot use the reply to ${quote(method)}: ${problem}`,
    { details: { where: "rpc reply", problem } },
  );
}

/**
 * Requests and notifications of the other side, and the methods they call.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { GuestFault } from "./fault.ts";
import {
  CANCEL_METHOD,
  failureOf,
  isId,
  isRecord,
  resultOf,
  RPC_ERRORS,
  type RpcErrorObject,
  type RpcId,
  type RpcNotification,
  type RpcParams,
  type RpcReply,
  type RpcRequest,
} from "./json_rpc.ts";
import { errorObjectOf } from "./rpc_fault.ts";
import { handlerOf, type RpcHandler, type RpcMethod } from "./rpc_method.ts";
import { timedOut } from "./rpc_pending.ts";
import type { MaybePromise } from "./types.ts";

/** How requests of the other side are dealt with. */
export interface RpcHandlersOptions {
  /** Most requests and notifications that are handled at a time. */
  readonly maxInFlight: number;
  /** How long a handler may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether a method may be called now. */
  readonly allow: ((method: string) => MaybePromise<boolean>) | undefined;
  /** Is told what handlers throw that is nobody else's business. */
  readonly report: (error: unknown, method: string) => void;
}

/** A call that came in. */
export interface Answer {
  /** The reply; undefined for a notification. Never rejected. */
  readonly reply: MaybePromise<RpcReply | undefined>;
  /** Says that the reply has left: there is room for another call. */
  release(): void;
}

/** A handler at work. */
interface Work {
  readonly controller: AbortController;
  /** Ends it before the handler does. */
  readonly over: PromiseWithResolvers<never>;
}

/** The methods of one side, and what is at work. */
export class RpcHandlers {
  // a map: what objects inherit is no method
  readonly #methods = new Map<string, RpcHandler>();
  readonly #inFlight = new Map<RpcId | symbol, Work>();
  readonly #options: RpcHandlersOptions;
  #refused = 0;

  /**
   * Constructs it without methods.
   *
   * @param options Bounds and hooks.
   */
  constructor(options: RpcHandlersOptions) {
    this.#options = options;
  }

  /** Calls at work. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Calls that found too many others at work. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Adds a method, or replaces it.
   *
   * @param name Its name.
   * @param method What it does.
   * @throws {TypeError} If the name is reserved, or the method is none.
   */
  set(name: string, method: RpcHandler | RpcMethod): void {
    if (name.startsWith("rpc.") || name === CANCEL_METHOD) {
      throw new TypeError(
        `Cannot handle the method ${quote(name)}: the name is reserved`,
      );
    }
    this.#methods.set(name, handlerOf(name, method));
  }

  /**
   * Begins a call.
   *
   * @param message The request or notification.
   * @returns The answer to it.
   */
  begin(message: RpcRequest | RpcNotification): Answer {
    const { method } = message;
    const id = "id" in message ? message.id : undefined;
    const handler = this.#methods.get(method);
    if (handler === undefined) {
      const problem = `there is no method ${quote(method)}`;
      return refusal(id, RPC_ERRORS.methodNotFound, problem);
    }
    if (id !== undefined && this.#inFlight.has(id)) {
      // a reply with that id would be taken for the other request's
      const problem = "the id is that of a request in flight";
      return refusal(null, RPC_ERRORS.invalidRequest, problem);
    }
    if (this.#inFlight.size >= this.#options.maxInFlight) {
      this.#refused++;
      return refusal(id, RPC_ERRORS.busy, "busy: too many requests in flight");
    }
    const key = id === undefined ? Symbol() : id;
    const work: Work = {
      controller: new AbortController(),
      over: Promise.withResolvers<never>(),
    };
    this.#inFlight.set(key, work);
    return {
      reply: this.#answer(handler, message, work),
      release: () => void this.#inFlight.delete(key),
    };
  }

  /**
   * Tells a handler that its answer is not wanted any more. It answers all the
   * same, if only with an error, and counts as at work until then.
   *
   * @param params What the notification says.
   */
  cancel(params: RpcParams | undefined): void {
    if (!isRecord(params) || !Object.hasOwn(params, "id")) return;
    const { id } = params;
    if (!isId(id)) return;
    const reason = new DOMException("the request was cancelled", "AbortError");
    this.#inFlight.get(id)?.controller.abort(reason);
  }

  /**
   * Ends whatever is at work.
   *
   * @param reason Why.
   */
  endAll(reason: unknown): void {
    for (const { controller, over } of this.#inFlight.values()) {
      controller.abort(reason);
      over.reject(reason);
    }
  }

  /** Runs a handler, for as long as it may take. */
  async #handle(
    handler: RpcHandler,
    { method, params }: RpcNotification,
    { controller, over }: Work,
  ): Promise<unknown> {
    const { signal } = controller;
    const { timeoutMs } = this.#options;
    const timer = setTimeout(() => {
      const reason = timedOut(method, timeoutMs);
      controller.abort(reason);
      over.reject(reason);
    }, timeoutMs);
    const run = async () => {
      await this.#authorize(method);
      signal.throwIfAborted();
      return await handler(params, { method, signal });
    };
    try {
      return await Promise.race([over.promise, run()]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #authorize(method: string): Promise<void> {
    const { allow, report } = this.#options;
    if (allow === undefined) return;
    let isAllowed = false;
    let fault: GuestFault | undefined;
    try {
      isAllowed = await allow(method) === true;
    } catch (thrown) {
      if (thrown instanceof GuestFault) fault = thrown;
      else if (!isDenial(thrown)) report(thrown, method);
    }
    if (isAllowed) return;
    throw fault ?? new GuestFault("denied", `${quote(method)} is not allowed`);
  }

  async #answer(
    handler: RpcHandler,
    message: RpcRequest | RpcNotification,
    work: Work,
  ): Promise<RpcReply | undefined> {
    const id = "id" in message ? message.id : undefined;
    try {
      const value = await this.#handle(handler, message, work);
      return id === undefined ? undefined : resultOf(id, value);
    } catch (thrown) {
      const { signal } = work.controller;
      const error = this.#errorOf(thrown, message.method, signal);
      return id === undefined ? undefined : { jsonrpc: "2.0", id, error };
    }
  }

  /** What the other side is told of what ended a handler. */
  #errorOf(
    thrown: unknown,
    method: string,
    signal: AbortSignal,
  ): RpcErrorObject {
    const told = errorObjectOf(thrown);
    if (told !== undefined) return told;
    const isLate = thrown === signal.reason &&
      SandboxError.is(thrown, "timed-out");
    // whatever a handler throws once it is cancelled comes of that
    if (signal.aborted && !isLate) {
      return { code: RPC_ERRORS.cancelled, message: "cancelled" };
    }
    this.#options.report(thrown, method);
    return isLate
      ? { code: RPC_ERRORS.timedOut, message: "not done in its time" }
      : { code: RPC_ERRORS.internalError, message: "internal error" };
  }
}

/** Whether an auditor denied it, and recorded that. */
function isDenial(thrown: unknown): boolean {
  return SandboxError.is(thrown, "access-denied") ||
    SandboxError.is(thrown, "capability-not-granted");
}

function refusal(
  id: RpcId | undefined,
  code: number,
  problem: string,
): Answer {
  return {
    reply: id === undefined ? undefined : failureOf(id, code, problem),
    release: () => {},
  };
}

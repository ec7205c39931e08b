/**
 * One side of a JSON-RPC 2.0 conversation, over either end of any channel.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import { shorterTimeout } from "../runtime/calls.ts";
import type { OperationOptions } from "../runtime/types.ts";
import { channelClosed } from "./coding.ts";
import type { ChannelEnd } from "./ends.ts";
import { isRecord, type RpcFrame, type RpcParams } from "./json_rpc.ts";
import { RpcHandlers } from "./rpc_handlers.ts";
import type { RpcHandler, RpcMethod } from "./rpc_method.ts";
import type { RpcCounters, RpcPeerOptions } from "./rpc_options.ts";
import {
  callOf,
  PendingRequests,
  type RpcRequestOptions,
} from "./rpc_pending.ts";
import { RpcReader } from "./rpc_reader.ts";

/**
 * One side of a conversation in JSON-RPC 2.0: it requests, notifies and answers
 * over one end of a channel, which from then on is the peer's to read. Both
 * sides are alike, and others may speak for either.
 *
 * - A batch is answered by a batch, as the specification has it; an empty one,
 *   or one longer than `maxInFlight`, by one error -32600.
 * - A request whose id is in use is answered with -32600 and no id. Ids are
 *   texts of at most 256 units, numbers or null.
 * - The notification `$/cancelRequest` with `{ "id": … }` cancels a request, as
 *   in the Language Server Protocol: the handler's signal is aborted, and the
 *   request is answered when the handler ends. This side sends it for requests
 *   that are aborted or late.
 * - A handler that is late is answered for with -32001, its signal is aborted,
 *   and another call takes its place.
 * - A `GuestFault` becomes an error of code -32010 less its status, with
 *   `{ code, data }` as data.
 * - Malformed messages are answered with -32600, or -32700 where the channel
 *   could not read them; malformed replies are only counted.
 *
 * What the other side sends is not trusted, and not typed: give a method a
 * schema for its parameters, and check what `request` gives.
 *
 * @example Usage
 * ```ts
 * import {
 *   guestEnd,
 *   hostEnd,
 *   MemoryChannel,
 *   RpcPeer,
 * } from "@wasm-sandbox/core/communication";
 * import { assertEquals } from "@std/assert";
 *
 * await using channel = new MemoryChannel();
 * await using host = new RpcPeer(hostEnd(channel));
 * await using guest = new RpcPeer(guestEnd(channel));
 * guest.handle("add", (params) => {
 *   const [a, b] = params as number[];
 *   return Number(a) + Number(b);
 * });
 * assertEquals(await host.request("add", [1, 2]), 3);
 * ```
 */
export class RpcPeer implements AsyncDisposable {
  readonly #end: ChannelEnd<RpcFrame, unknown>;
  readonly #handlers: RpcHandlers;
  readonly #requests: PendingRequests;
  readonly #timeoutMs: number;
  readonly #reader: RpcReader;
  readonly #onError: RpcPeerOptions["onError"];
  readonly #ended = new AbortController();
  /** Fulfilled when the conversation is over: closed, disposed or broken. */
  readonly closed: Promise<void>;

  /**
   * Constructs it, and begins to read.
   *
   * @param end Either end of a channel of JSON; nobody else may read there.
   * @param options Methods, bounds and hooks.
   * @throws {TypeError} If an option is not what it must be.
   */
  constructor(
    end: ChannelEnd<RpcFrame, unknown>,
    {
      methods = {},
      timeoutMs = 30_000,
      handlerTimeoutMs = 30_000,
      maxPending = 64,
      maxInFlight = 32,
      allow,
      onError,
    }: RpcPeerOptions = {},
  ) {
    checkCount("maxPending", maxPending);
    checkCount("maxInFlight", maxInFlight);
    this.#end = end;
    this.#timeoutMs = shorterTimeout(timeoutMs, Infinity);
    this.#onError = onError;
    this.#handlers = new RpcHandlers({
      maxInFlight,
      timeoutMs: shorterTimeout(handlerTimeoutMs, MAX_HANDLER_MS),
      allow,
      report: (error, method) => this.#report(error, method),
    });
    this.#requests = new PendingRequests(
      (message, options) => end.send(message, options),
      maxPending,
    );
    for (const [name, method] of Object.entries(methods)) {
      this.handle(name, method);
    }
    this.#reader = new RpcReader({
      end,
      handlers: this.#handlers,
      requests: this.#requests,
      maxBatch: maxInFlight,
      signal: this.#ended.signal,
      report: (error) => this.#reportOpen(error),
    });
    this.closed = this.#run();
  }

  /** What was counted so far. */
  get counters(): RpcCounters {
    return {
      ...this.#reader.counters,
      refused: this.#handlers.refused,
      inFlight: this.#handlers.inFlight,
      pending: this.#requests.size,
    };
  }

  /**
   * Adds a method that the other side may call, or replaces it.
   *
   * @param name Its name.
   * @param method What it does, with a schema of its parameters if wanted.
   * @returns This peer, to chain.
   * @throws {TypeError} If the name is reserved (`rpc.…`, `$/cancelRequest`), or
   * the method is none.
   */
  handle(name: string, method: RpcHandler | RpcMethod): this {
    this.#handlers.set(name, method);
    return this;
  }

  /**
   * Calls a method of the other side and waits for the reply.
   *
   * @typeParam R What the caller expects; nothing checks it.
   * @param method Name of the method.
   * @param params An array, an object, or nothing.
   * @param options Deadline and cancellation; the other side is told of either.
   * @returns What the method gave.
   * @throws {SandboxError} With code `rpc-error` for what the other side says,
   * `timed-out`, `channel-closed`, `limit-exceeded` for too many requests, or
   * `invalid-message` for what cannot be sent, or is no reply.
   */
  async request<R = unknown>(
    method: string,
    params?: RpcParams,
    { signal, timeoutMs = this.#timeoutMs }: RpcRequestOptions = {},
  ): Promise<R> {
    this.#check(method, params);
    const result = await this.#requests.request({ method, params }, {
      ...(signal === undefined ? {} : { signal }),
      timeoutMs: shorterTimeout(timeoutMs, Infinity),
    });
    return result as R;
  }

  /**
   * Calls a method of the other side that answers nothing; waits for room.
   *
   * @param method Name of the method.
   * @param params An array, an object, or nothing.
   * @param options Cancellation: the notification is then not sent.
   * @throws {SandboxError} With code `channel-closed` or `invalid-message`.
   */
  async notify(
    method: string,
    params?: RpcParams,
    options?: OperationOptions,
  ): Promise<void> {
    this.#check(method, params);
    await this.#end.send(callOf(method, params), options);
  }

  /**
   * Ends the conversation and closes the channel: what waits for a reply is
   * rejected with `channel-closed`, handlers are aborted. Idempotent.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.closed;
  }

  #check(method: string, params: RpcParams | undefined): void {
    if (typeof method !== "string") {
      throw new TypeError("Cannot call a method: its name is no text");
    }
    if (
      params !== undefined && !Array.isArray(params) && !isRecord(params)
    ) {
      throw new TypeError(
        "Cannot call a method: params must be an array or an object",
      );
    }
    if (this.#ended.signal.aborted) throw channelClosed(this.#end.channelType);
  }

  /** Reads until the end. Never rejected. */
  async #run(): Promise<void> {
    try {
      await this.#reader.run();
    } catch (error) {
      this.#reportOpen(error);
    }
    this.#close();
  }

  #close(): void {
    if (this.#ended.signal.aborted) return;
    const reason = channelClosed(this.#end.channelType);
    this.#ended.abort(reason);
    this.#end.close();
    this.#requests.rejectAll(reason);
    this.#handlers.endAll(reason);
  }

  /** Reports what is more than the end of the conversation. */
  #reportOpen(error: unknown): void {
    const isOver = this.#ended.signal.aborted ||
      SandboxError.is(error, "channel-closed");
    if (!isOver) this.#report(error);
  }

  #report(error: unknown, method?: string): void {
    try {
      this.#onError?.(error, method);
    } catch {
      // there is nobody left to tell
    }
  }
}

/** Longest time of a handler: a timer of more fires at once. */
const MAX_HANDLER_MS = 2 ** 31 - 1;

function checkCount(name: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return;
  throw new TypeError(
    `Cannot make an rpc peer with a ${name} of ${count}: ` +
      "must be a whole number above 0",
  );
}

/**
 * What an rpc peer is told, and what it counts.
 *
 * @module
 */

import type { RpcHandler, RpcMethod } from "./rpc_method.ts";
import type { MaybePromise } from "./types.ts";

/** Options of an rpc peer. */
export interface RpcPeerOptions {
  /** What the other side may call: own properties only. */
  methods?: Readonly<Record<string, RpcHandler | RpcMethod>>;
  /**
   * How long this side waits for a reply, in milliseconds.
   *
   * @default {30000}
   */
  timeoutMs?: number;
  /**
   * How long a handler may take, in milliseconds.
   *
   * @default {30000}
   */
  handlerTimeoutMs?: number;
  /**
   * Most requests of this side that wait for replies; one more is refused with
   * `limit-exceeded`.
   *
   * @default {64}
   */
  maxPending?: number;
  /**
   * Most calls of the other side at work; one more request is answered with
   * -32000, one more notification is dropped. A batch is at most as long.
   *
   * @default {32}
   */
  maxInFlight?: number;
  /**
   * Is asked before each handler whether the method may be called now, and
   * decides by `true`; anything else, and whatever it throws, denies. This is
   * where methods meet a policy: an `allow` that calls
   * `sandbox.auditOperation("host_functions.call", [method])` and gives true
   * has each call decided and recorded.
   *
   * @default {every method may be called: giving it is the grant}
   */
  allow?: (method: string) => MaybePromise<boolean>;
  /**
   * Is told what the other side is not: what handlers and `allow` throw, and
   * what ended the conversation. What it throws itself is dropped.
   */
  onError?: (error: unknown, method?: string) => void;
}

/** What a peer has counted. */
export interface RpcCounters {
  /** Requests and notifications that came in, well-formed. */
  readonly calls: number;
  /** Replies that came in and were waited for. */
  readonly replies: number;
  /** Replies that nobody waited for: late, twice, or of unknown id. */
  readonly orphaned: number;
  /** Messages that are no JSON-RPC 2.0. */
  readonly malformed: number;
  /** Calls that came in while too many were at work. */
  readonly refused: number;
  /** Calls at work. */
  readonly inFlight: number;
  /** Requests of this side that wait for their replies. */
  readonly pending: number;
}

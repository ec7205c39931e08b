/**
 * The channel whose messages are JSON-RPC 2.0.
 *
 * @module
 */

import { json } from "./codecs.ts";
import { guestEnd, hostEnd } from "./ends.ts";
import type { RpcFrame } from "./json_rpc.ts";
import { type ChannelOptions, MemoryChannel } from "./memory.ts";
import type { RpcPeerOptions } from "./rpc_options.ts";
import { RpcPeer } from "./rpc_peer.ts";
import type { Codec } from "./types.ts";

/** Options of {@linkcode RpcChannel}. */
export interface RpcChannelOptions
  extends Omit<ChannelOptions, "requestCodec" | "resultCodec"> {
  /**
   * Methods, bounds and hooks of the host's side. If they are given, the host
   * answers from the start; else once `host` is first used.
   */
  host?: RpcPeerOptions;
  /** The same of the guest's side, for what plays the guest. */
  guest?: RpcPeerOptions;
}

/**
 * A channel whose messages are JSON-RPC 2.0, with a peer at either end.
 *
 * Each peer reads its end from when it is first used. A guest in a sandbox
 * speaks JSON-RPC itself, through the messages of the guest ABI: there, leave
 * `guest` alone, or the peer takes the guest's messages.
 *
 * The channel outlives the calls of a guest: requests wait for the next call,
 * until `timeoutMs`. Where a conversation is one call long, close the channel
 * with it: `call.then(close, close)`; then requests that wait are rejected.
 *
 * @example Usage
 * ```ts
 * import { RpcChannel } from "@wasm-sandbox/core/communication";
 * import { assertEquals } from "@std/assert";
 *
 * await using channel = new RpcChannel({
 *   host: { methods: { hello: () => "hello, guest" } },
 *   guest: { methods: { hello: () => "hello, host" } },
 * });
 * assertEquals(await channel.host.request("hello"), "hello, host");
 * assertEquals(await channel.guest.request("hello"), "hello, guest");
 * ```
 */
export class RpcChannel extends MemoryChannel<RpcFrame, RpcFrame> {
  readonly #options: RpcChannelOptions;
  #host: RpcPeer | undefined;
  #guest: RpcPeer | undefined;

  /**
   * Constructs an open channel.
   *
   * @param options Bounds, and what the peers are made with.
   * @throws {TypeError} If an option is not what it must be; codecs are none,
   * as JSON-RPC is JSON.
   */
  constructor(options: RpcChannelOptions = {}) {
    if ("requestCodec" in options || "resultCodec" in options) {
      throw new TypeError(
        "Cannot give the rpc channel a codec: JSON-RPC is JSON " +
          "(use a memory channel, or leave the codec out)",
      );
    }
    super({
      channelType: "rpc",
      ...options,
      requestCodec: json as Codec<RpcFrame>,
      resultCodec: json as Codec<RpcFrame>,
    });
    this.#options = options;
    // who gives methods expects them to be answered
    if (options.host !== undefined) void this.host;
    if (options.guest !== undefined) void this.guest;
  }

  /** The host's peer. */
  get host(): RpcPeer {
    return this.#host ??= new RpcPeer(hostEnd(this), this.#options.host);
  }

  /** The guest's peer. */
  get guest(): RpcPeer {
    return this.#guest ??= new RpcPeer(guestEnd(this), this.#options.guest);
  }

  /** Ends both peers, closes the channel and drops what waits. Idempotent. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.#host?.[Symbol.asyncDispose](),
      this.#guest?.[Symbol.asyncDispose](),
    ]);
    await super[Symbol.asyncDispose]();
  }
}

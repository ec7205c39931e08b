/**
 * Communication: how host and guest talk.
 *
 * A {@linkcode Channel} is a conversation with two ends; a {@linkcode Codec}
 * turns its messages into bytes. {@linkcode RpcPeer} speaks JSON-RPC 2.0 over
 * either end of any channel. A channel of your own is a class that implements
 * `Channel` and one call of `register`; `testChannel` of
 * `@wasm-sandbox/core/testing` checks that it is one.
 *
 * @example Registering a channel
 * ```ts
 * import { ChannelFactory, MemoryChannel } from "@wasm-sandbox/core/communication";
 * import { assertEquals } from "@std/assert";
 *
 * const channels = new ChannelFactory();
 * channels.register(
 *   "custom",
 *   (options) => new MemoryChannel({ ...options, channelType: "custom" }),
 * );
 * await using channel = await channels.create("custom", { capacity: 8 });
 * await channel.send({ question: 1 });
 * assertEquals(await channel.receive(), { question: 1 });
 * assertEquals([...channels], ["memory", "rpc", "custom"]);
 * ```
 *
 * @module
 */

import { Registry } from "../registry.ts";
import { type ChannelOptions, MemoryChannel } from "./memory.ts";
import { RpcChannel } from "./rpc.ts";
import type { Channel } from "./types.ts";

export type * from "./types.ts";
export * from "./codecs.ts";
export * from "./ends.ts";
export * from "./fault.ts";
export * from "./memory.ts";
export * from "./queue.ts";
export * from "./rpc.ts";
export { RpcFault, type RpcFaultOptions } from "./rpc_fault.ts";
export type * from "./rpc_options.ts";
export * from "./rpc_peer.ts";
export * from "./standard_schema.ts";
export { CANCEL_METHOD, RPC_ERRORS } from "./json_rpc.ts";
export type {
  RpcErrorObject,
  RpcFailure,
  RpcFrame,
  RpcId,
  RpcMessage,
  RpcNotification,
  RpcParams,
  RpcReply,
  RpcRequest,
  RpcResult,
} from "./json_rpc.ts";
export type { RpcContext, RpcHandler, RpcMethod } from "./rpc_method.ts";
export type { RpcRequestOptions } from "./rpc_pending.ts";
export type { OperationOptions } from "../runtime/types.ts";

/** Knows the built-in channels by name, and any that you register. */
export class ChannelFactory extends Registry<Channel, ChannelOptions> {
  /** Constructs a factory with the built-in channels. */
  constructor() {
    super("channel");
    this.register("memory", (options) => new MemoryChannel(options));
    this.register("rpc", (options) => new RpcChannel(options));
  }

  /**
   * Makes a channel by name.
   *
   * @param name A registered name.
   * @param options Handed to the factory.
   * @returns The new channel.
   * @throws {SandboxError} With code `unknown-name`.
   */
  override create(
    name: string,
    options: ChannelOptions = {},
  ): Promise<Channel> {
    return super.create(name, options);
  }
}

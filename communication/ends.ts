/**
 * The two ends of a channel, each as an object of its own.
 *
 * @module
 */

import type { OperationOptions } from "../runtime/types.ts";
import type { Channel } from "./types.ts";

/**
 * One end of a channel: what a protocol such as rpc needs, on either side.
 * Iterating receives until the channel is closed and empty; leaving the loop
 * closes nothing.
 *
 * @typeParam Out What this end sends.
 * @typeParam In What this end receives.
 */
export interface ChannelEnd<Out = unknown, In = unknown>
  extends AsyncIterable<In> {
  /** Type of the channel, for messages. */
  readonly channelType: string;
  /**
   * Sends a message to the other end; waits for room.
   *
   * @param message The message.
   * @param options Cancellation: the message is then not sent.
   */
  send(message: Out, options?: OperationOptions): Promise<void>;
  /**
   * Receives the next message; waits for one.
   *
   * @param options Cancellation: no message is lost by it.
   * @returns The message; undefined once the channel is closed and empty.
   */
  receive(options?: OperationOptions): Promise<In | undefined>;
  /** Ends the conversation, for both ends. Idempotent. */
  close(): void;
}

/**
 * The host's end of a channel.
 *
 * @example Usage
 * ```ts
 * import { hostEnd, MemoryChannel } from "@wasm-sandbox/core/communication";
 * import { assertEquals } from "@std/assert";
 *
 * await using channel = new MemoryChannel<string, number>();
 * await channel.sendResult(1);
 * await channel.sendResult(2);
 * channel.close();
 * const results: number[] = [];
 * for await (const result of hostEnd(channel)) results.push(result);
 * assertEquals(results, [1, 2]);
 * ```
 *
 * @typeParam T What the host sends.
 * @typeParam R What the guest sends.
 * @param channel The channel.
 * @returns Its host's end.
 */
export function hostEnd<T, R>(channel: Channel<T, R>): ChannelEnd<T, R> {
  return end(channel, {
    send: (message, options) => channel.send(message, options),
    receive: (options) => channel.receiveResult(options),
  });
}

/**
 * The guest's end of a channel: for what plays the guest. A guest in a sandbox
 * reaches its end through the guest ABI.
 *
 * @typeParam T What the host sends.
 * @typeParam R What the guest sends.
 * @param channel The channel.
 * @returns Its guest's end.
 */
export function guestEnd<T, R>(channel: Channel<T, R>): ChannelEnd<R, T> {
  return end(channel, {
    send: (message, options) => channel.sendResult(message, options),
    receive: (options) => channel.receive(options),
  });
}

function end<Out, In>(
  channel: Channel,
  { send, receive }: Pick<ChannelEnd<Out, In>, "send" | "receive">,
): ChannelEnd<Out, In> {
  return {
    channelType: channel.channelType,
    send,
    receive,
    close: () => channel.close(),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const message = await receive();
        if (message === undefined) return;
        yield message;
      }
    },
  };
}

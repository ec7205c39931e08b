/**
 * The channel within one process.
 *
 * @module
 */

import type { OperationOptions } from "../runtime/types.ts";
import { json } from "./codecs.ts";
import { decodeMessage, encodeMessage } from "./coding.ts";
import { MessageQueue } from "./queue.ts";
import type { Channel, ChannelCounters, Codec } from "./types.ts";

/**
 * What every channel can be told; see {@linkcode MemoryChannel}.
 *
 * @typeParam T What the host sends.
 * @typeParam R What the guest sends.
 */
export interface ChannelOptions<T = unknown, R = unknown> {
  /**
   * Most messages that wait in each direction.
   *
   * @default {64}
   */
  capacity?: number;
  /**
   * Most bytes that wait in each direction, and so the longest message.
   *
   * @default {1048576}
   */
  maxBytes?: number;
  /**
   * How requests are written.
   *
   * @default {json}
   */
  requestCodec?: Codec<T>;
  /**
   * How results are written.
   *
   * @default {json}
   */
  resultCodec?: Codec<R>;
  /**
   * What the channel is called, in messages.
   *
   * @default {"memory"}
   */
  channelType?: string;
}

/**
 * A channel within one process, and the one between a sandbox and a guest in
 * any isolation: the guest's end lives in the host, which carries its messages.
 *
 * Messages are written when they are sent and read when they are received: they
 * are values, and nothing is shared between the ends. A guest's message goes
 * through the result codec before it is queued, so that a malformed one is
 * refused to the guest that sent it, and the host never meets it.
 *
 * With the codec json, what the host receives has no type until it is checked:
 * pass `jsonOf(schema)` as result codec to have that done.
 *
 * @example Usage
 * ```ts
 * import { MemoryChannel } from "@wasm-sandbox/core/communication";
 * import { assertEquals } from "@std/assert";
 *
 * await using channel = new MemoryChannel<{ n: number }, string>();
 * await channel.send({ n: 1 });
 * assertEquals(await channel.receive(), { n: 1 });
 * await channel.sendResult("one");
 * assertEquals(await channel.receiveResult(), "one");
 * assertEquals(channel.counters.requests.bytes, 7);
 * ```
 *
 * @typeParam T What the host sends.
 * @typeParam R What the guest sends.
 */
export class MemoryChannel<T = unknown, R = unknown> implements Channel<T, R> {
  /** Registered name, for messages. */
  readonly channelType: string;
  /** How requests are written. */
  readonly requestCodec: Codec<T>;
  /** How results are written. */
  readonly resultCodec: Codec<R>;
  readonly #requests: MessageQueue;
  readonly #results: MessageQueue;

  /**
   * Constructs an open channel.
   *
   * @param options Bounds and codecs.
   * @throws {TypeError} If a bound is no whole number above 0.
   */
  constructor({
    capacity = 64,
    maxBytes = 2 ** 20,
    requestCodec = json as Codec<T>,
    resultCodec = json as Codec<R>,
    channelType = "memory",
  }: ChannelOptions<T, R> = {}) {
    this.channelType = channelType;
    this.requestCodec = requestCodec;
    this.resultCodec = resultCodec;
    this.#requests = new MessageQueue({ capacity, maxBytes, channelType });
    this.#results = new MessageQueue({ capacity, maxBytes, channelType });
  }

  /** What was sent and received so far. */
  get counters(): ChannelCounters {
    return {
      requests: this.#requests.counters,
      results: this.#results.counters,
    };
  }

  /**
   * Sends a request to the guest; waits for room.
   *
   * @param message The request.
   * @param options Cancellation: the message is then not sent.
   */
  send(message: T, options?: OperationOptions): Promise<void> {
    return this.#send(this.#requests, this.requestCodec, message, options);
  }

  /**
   * Receives the next request; waits for one.
   *
   * @param options Cancellation: no message is lost by it.
   * @returns The request; undefined once the channel is closed and empty.
   */
  receive(options?: OperationOptions): Promise<T | undefined> {
    return this.#receive(this.#requests, this.requestCodec, options);
  }

  /**
   * Sends a result to the host; waits for room.
   *
   * @param message The result.
   * @param options Cancellation: the message is then not sent.
   */
  sendResult(message: R, options?: OperationOptions): Promise<void> {
    return this.#send(this.#results, this.resultCodec, message, options);
  }

  /**
   * Receives the next result; waits for one.
   *
   * @param options Cancellation: no message is lost by it.
   * @returns The result; undefined once the channel is closed and empty.
   */
  receiveResult(options?: OperationOptions): Promise<R | undefined> {
    return this.#receive(this.#results, this.resultCodec, options);
  }

  /** Ends the conversation; what waits can still be received. Idempotent. */
  close(): void {
    this.#requests.close();
    this.#results.close();
  }

  /**
   * Closes the channel and drops what waits. Idempotent.
   *
   * @returns When it is done, which is at once.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#requests.drop();
    this.#results.drop();
    return Promise.resolve();
  }

  async #send<M>(
    queue: MessageQueue,
    codec: Codec<M>,
    message: M,
    options?: OperationOptions,
  ): Promise<void> {
    await queue.send(encodeMessage(this.channelType, codec, message), options);
  }

  async #receive<M>(
    queue: MessageQueue,
    codec: Codec<M>,
    options?: OperationOptions,
  ): Promise<M | undefined> {
    const message = await queue.receive(options);
    if (message === undefined) return undefined;
    return decodeMessage(this.channelType, codec, message);
  }
}

/**
 * One direction of a channel: a queue of messages that are bytes.
 *
 * @module
 */

import type { OperationOptions } from "../runtime/types.ts";
import { channelClosed, messageTooLong } from "./coding.ts";
import { Fifo } from "./fifo.ts";
import { Turn } from "./turn.ts";
import type { QueueCounters } from "./types.ts";

/** A message, written. */
type Message = Uint8Array<ArrayBuffer>;

/** Options of {@linkcode MessageQueue}. */
export interface MessageQueueOptions {
  /** Most messages that wait, from 1. */
  capacity: number;
  /** Most bytes that wait, and so the longest message; from 1. */
  maxBytes: number;
  /** Type of the channel, for errors. */
  channelType: string;
}

/** A sender that waits for room. */
interface Sender {
  readonly message: Message;
  readonly settle: PromiseWithResolvers<void>;
}

/**
 * Messages in the order in which they were sent, bounded in number and in
 * bytes. Senders that wait for room, and receivers that wait for a message,
 * are served in the order in which they came.
 *
 * It is what the built-in channels are made of, and a channel of your own may
 * be.
 */
export class MessageQueue {
  readonly #capacity: number;
  readonly #maxBytes: number;
  readonly #channelType: string;
  readonly #messages = new Fifo<Message>();
  readonly #senders = new Fifo<Sender>();
  readonly #receivers = new Fifo<PromiseWithResolvers<Message | undefined>>();
  readonly #turn = new Turn();
  #isClosed = false;
  #waitingBytes = 0;
  #sent = 0;
  #sentBytes = 0;
  #highWaterMark = 0;
  #dropped = 0;

  /**
   * Constructs an empty queue.
   *
   * @param options Its bounds.
   * @throws {TypeError} If a bound is no whole number above 0.
   */
  constructor({ capacity, maxBytes, channelType }: MessageQueueOptions) {
    checkBound("capacity", capacity);
    checkBound("maxBytes", maxBytes);
    this.#capacity = capacity;
    this.#maxBytes = maxBytes;
    this.#channelType = channelType;
  }

  /** What it has counted so far. */
  get counters(): QueueCounters {
    return {
      messages: this.#sent,
      bytes: this.#sentBytes,
      waiting: this.#messages.size,
      highWaterMark: this.#highWaterMark,
      dropped: this.#dropped,
    };
  }

  /**
   * Adds a message; waits for room. The bytes are the queue's from then on.
   *
   * @param message The message.
   * @param options Cancellation: the message is then not added.
   * @throws {SandboxError} With code `channel-closed` or `limit-exceeded`.
   */
  async send(
    message: Uint8Array<ArrayBuffer>,
    { signal }: OperationOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw channelClosed(this.#channelType);
    if (message.length > this.#maxBytes) {
      throw messageTooLong(this.#channelType, this.#maxBytes, message.length);
    }
    // whoever waits comes first, even if this one is small enough
    if (this.#senders.size === 0 && this.#hasRoom(message)) {
      return this.#add(message);
    }
    const settle = Promise.withResolvers<void>();
    const leave = this.#senders.push({ message, settle });
    await settled(settle, signal, () => {
      if (leave()) this.#admit();
    });
  }

  /**
   * Takes the next message; waits for one.
   *
   * @param options Cancellation: no message is lost by it.
   * @returns The message; undefined once the queue is closed and empty.
   */
  async receive(
    { signal }: OperationOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    signal?.throwIfAborted();
    // what is left of a closed queue is no flood
    const pause = this.#isClosed ? undefined : this.#turn.pass();
    if (pause !== undefined) {
      await pause;
      signal?.throwIfAborted();
    }
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#waitingBytes -= message.length;
      this.#admit();
      return message;
    }
    if (this.#isClosed) return undefined;
    const settle = Promise.withResolvers<Message | undefined>();
    const leave = this.#receivers.push(settle);
    return await settled(settle, signal, leave);
  }

  /**
   * Refuses what would be sent, whoever waits for room included; what waits
   * can still be received. Idempotent.
   */
  close(): void {
    this.#isClosed = true;
    this.#turn.end();
    for (const { settle } of drained(this.#senders)) {
      settle.reject(channelClosed(this.#channelType));
    }
    for (const receiver of drained(this.#receivers)) {
      receiver.resolve(undefined);
    }
  }

  /** Closes it and drops what waits. Idempotent. */
  drop(): void {
    this.close();
    for (const { length } of drained(this.#messages)) {
      this.#waitingBytes -= length;
      this.#dropped++;
    }
  }

  #hasRoom({ length }: Message): boolean {
    return this.#messages.size < this.#capacity &&
      this.#waitingBytes + length <= this.#maxBytes;
  }

  /** Lets senders in, for as long as there is room for the first of them. */
  #admit(): void {
    for (;;) {
      const { first } = this.#senders;
      if (first === undefined || !this.#hasRoom(first.message)) return;
      this.#senders.shift();
      this.#add(first.message);
      first.settle.resolve();
    }
  }

  #add(message: Message): void {
    this.#sent++;
    this.#sentBytes += message.length;
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) return receiver.resolve(message);
    this.#messages.push(message);
    this.#waitingBytes += message.length;
    this.#highWaterMark = Math.max(this.#highWaterMark, this.#messages.size);
  }
}

/** Waits, and leaves nothing behind whatever comes first. */
async function settled<T>(
  { promise, reject }: PromiseWithResolvers<T>,
  signal: AbortSignal | undefined,
  leave: () => void,
): Promise<T> {
  const abort = () => {
    // if it was served in this very moment, it stays served
    reject(signal?.reason);
    leave();
  };
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function* drained<T>(list: Fifo<T>): Iterable<T> {
  for (let each = list.shift(); each !== undefined; each = list.shift()) {
    yield each;
  }
}

function checkBound(name: string, bound: number): void {
  if (Number.isSafeInteger(bound) && bound > 0) return;
  throw new TypeError(
    `Cannot make a channel with a ${name} of ${bound}: ` +
      "must be a whole number above 0",
  );
}

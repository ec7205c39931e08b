/**
 * A channel over web streams: one JSON message a line. The streams may be those
 * of a process, of a socket, or of nothing at all; by default they are pipes
 * within this process.
 *
 * Registering it takes one line:
 *
 * ```ts ignore
 * channels.register("stream", () => new StreamChannel());
 * ```
 *
 * @module
 */

import {
  type Channel,
  type ChannelCounters,
  type Codec,
  json,
  MessageQueue,
  type OperationOptions,
  type QueueCounters,
} from "../../communication/mod.ts";
import { SandboxError } from "../../errors.ts";

/** The streams of one direction; without one of them, that end is closed. */
export interface Wire {
  /** Where lines are written. */
  readonly writable?: WritableStream<Uint8Array<ArrayBuffer>>;
  /** Where they come out. */
  readonly readable?: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Options of {@linkcode StreamChannel}. */
export interface StreamChannelOptions {
  /** From the host to the guest; a pipe within this process by default. */
  requests?: Wire;
  /** From the guest to the host; a pipe within this process by default. */
  results?: Wire;
}

/** Most messages that wait on either side of a stream. */
const CAPACITY = 16;
/** Longest message, in bytes. */
const MAX_BYTES = 2 ** 20;
const NEWLINE = 0x0a;

/** A channel whose messages travel as lines through streams. */
export class StreamChannel<T = unknown, R = unknown> implements Channel<T, R> {
  readonly channelType = "stream";
  readonly requestCodec: Codec<T> = json as Codec<T>;
  readonly resultCodec: Codec<R> = json as Codec<R>;
  readonly #requests: LinePipe<T>;
  readonly #results: LinePipe<R>;

  constructor({
    requests = new TransformStream(),
    results = new TransformStream(),
  }: StreamChannelOptions = {}) {
    this.#requests = new LinePipe(requests, this.requestCodec);
    this.#results = new LinePipe(results, this.resultCodec);
  }

  get counters(): ChannelCounters {
    return {
      requests: this.#requests.counters,
      results: this.#results.counters,
    };
  }

  send(message: T, options?: OperationOptions): Promise<void> {
    return this.#requests.send(message, options);
  }

  receive(options?: OperationOptions): Promise<T | undefined> {
    return this.#requests.receive(options);
  }

  sendResult(message: R, options?: OperationOptions): Promise<void> {
    return this.#results.send(message, options);
  }

  receiveResult(options?: OperationOptions): Promise<R | undefined> {
    return this.#results.receive(options);
  }

  close(): void {
    this.#requests.close();
    this.#results.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#requests.drop(), this.#results.drop()]);
  }
}

/** One direction: a queue before the stream, and one behind it. */
class LinePipe<M> {
  readonly #codec: Codec<M>;
  readonly #out = queue();
  readonly #in = queue();
  readonly #gone = new AbortController();
  readonly #pumps: readonly Promise<void>[];
  #received = 0;
  #highWaterMark = 0;

  constructor({ writable, readable }: Wire, codec: Codec<M>) {
    this.#codec = codec;
    if (writable === undefined) this.#out.close();
    if (readable === undefined) this.#in.close();
    const { signal } = this.#gone;
    // what goes wrong with a stream closes the channel
    const close = () => this.#abandon();
    this.#pumps = [
      writable === undefined ? done() : pump(this.#out, writable, signal),
      readable === undefined ? done() : lines(readable, this.#in, signal),
    ].map((running) => running.catch(close));
  }

  get counters(): QueueCounters {
    const { messages, bytes } = this.#out.counters;
    const left = Math.max(messages - this.#received, 0);
    const isGone = this.#gone.signal.aborted;
    return {
      messages,
      bytes,
      waiting: isGone ? 0 : left,
      highWaterMark: this.#highWaterMark,
      dropped: isGone ? left : 0,
    };
  }

  async send(message: M, options?: OperationOptions): Promise<void> {
    await this.#out.send(
      this.#convert(() => this.#codec.encode(message)),
      options,
    );
    const { waiting } = this.counters;
    this.#highWaterMark = Math.max(this.#highWaterMark, waiting);
  }

  async receive(options?: OperationOptions): Promise<M | undefined> {
    const line = await this.#in.receive(options);
    if (line === undefined) return undefined;
    this.#received++;
    return this.#convert(() => this.#codec.decode(line));
  }

  /** The stream ends behind what waits, and with it the other queue. */
  close(): void {
    this.#out.close();
  }

  async drop(): Promise<void> {
    this.#abandon();
    await Promise.all(this.#pumps);
  }

  #abandon(): void {
    this.#gone.abort();
    this.#out.drop();
    this.#in.drop();
  }

  #convert<V>(run: () => V): V {
    try {
      return run();
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new SandboxError("invalid-message", problem, {
        cause,
        details: { where: "stream channel", problem },
      });
    }
  }
}

function queue(): MessageQueue {
  const channelType = "stream";
  return new MessageQueue({
    capacity: CAPACITY,
    maxBytes: MAX_BYTES,
    channelType,
  });
}

/** Writes what waits in a queue, and ends the stream behind it. */
async function pump(
  from: MessageQueue,
  writable: WritableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<void> {
  const outgoing = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const message = await from.receive({ signal });
      if (message === undefined) return controller.close();
      const line = new Uint8Array(message.length + 1);
      line.set(message);
      line[message.length] = NEWLINE;
      controller.enqueue(line);
    },
  }, { highWaterMark: 0 });
  await outgoing.pipeTo(writable, { signal });
}

/** Takes lines out of a stream, and closes the queue at its end. */
async function lines(
  readable: ReadableStream<Uint8Array<ArrayBuffer>>,
  to: MessageQueue,
  signal: AbortSignal,
): Promise<void> {
  let rest = new Uint8Array();
  await readable.pipeTo(
    new WritableStream({
      async write(chunk) {
        let bytes = joined(rest, chunk);
        for (;;) {
          const end = bytes.indexOf(NEWLINE);
          // a line that never ends is not kept
          if (end < 0 && bytes.length > MAX_BYTES) {
            throw new TypeError("too long");
          }
          if (end < 0) break;
          await to.send(bytes.slice(0, end), { signal });
          bytes = bytes.subarray(end + 1);
        }
        rest = bytes.slice();
      },
      close: () => to.close(),
    }),
    { signal },
  );
}

function joined(
  first: Uint8Array<ArrayBuffer>,
  second: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function done(): Promise<void> {
  return Promise.resolve();
}

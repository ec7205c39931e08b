/**
 * The communication extension point: how host and guest talk.
 *
 * @module
 */

import type { OperationOptions } from "../runtime/types.ts";
import type { LogLevel } from "../security/types.ts";
import type { ExtismService } from "./extism/types.ts";

export type { LogLevel };

/** Turns messages into bytes and back. */
export interface Codec<T> {
  /** What it is called: `"json"`, `"bytes"`. */
  readonly name: string;
  /**
   * Writes a message.
   *
   * @param message The message.
   * @returns Its bytes.
   * @throws {TypeError} If it cannot be written.
   */
  encode(message: T): Uint8Array<ArrayBuffer>;
  /**
   * Reads a message. The bytes may be a guest's: nothing of them is trusted.
   *
   * @param bytes The bytes.
   * @returns The message.
   * @throws {TypeError} If they are no message.
   */
  decode(bytes: Uint8Array): T;
}

/** What one direction of a channel has counted. */
export interface QueueCounters {
  /** Messages that were sent. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Messages that wait to be received. */
  readonly waiting: number;
  /** Most messages that have waited at a time. */
  readonly highWaterMark: number;
  /** Messages that were never received: the channel was let go before. */
  readonly dropped: number;
}

/** What a channel has counted. */
export interface ChannelCounters {
  /** From the host to the guest. */
  readonly requests: QueueCounters;
  /** From the guest to the host. */
  readonly results: QueueCounters;
}

/**
 * A conversation with two ends: the host sends requests and receives results,
 * the guest receives requests and sends results. Either way messages arrive in
 * the order in which they were sent, each once.
 *
 * It is bounded: sending waits while there is no room. Closing it lets what
 * waits be received, and refuses what would be sent; disposing it drops
 * what waits.
 *
 * @typeParam T What the host sends.
 * @typeParam R What the guest sends.
 */
export interface Channel<T = unknown, R = unknown> extends AsyncDisposable {
  /** Registered name, for messages: `"memory"`. */
  readonly channelType: string;
  /** How requests are written for a guest. */
  readonly requestCodec: Codec<T>;
  /** How a guest's results are read. */
  readonly resultCodec: Codec<R>;
  /** What was sent and received so far. */
  readonly counters: ChannelCounters;
  /**
   * Sends a request to the guest; waits for room.
   *
   * @param message The request.
   * @param options Cancellation: the message is then not sent.
   * @throws {SandboxError} With code `channel-closed`, `invalid-message`, or
   * `limit-exceeded` for one that could never fit.
   */
  send(message: T, options?: OperationOptions): Promise<void>;
  /**
   * Receives the next request; waits for one.
   *
   * @param options Cancellation: no message is lost by it.
   * @returns The request; undefined once the channel is closed and empty.
   */
  receive(options?: OperationOptions): Promise<T | undefined>;
  /**
   * Sends a result to the host; waits for room.
   *
   * @param message The result.
   * @param options Cancellation: the message is then not sent.
   * @throws {SandboxError} As `send` does.
   */
  sendResult(message: R, options?: OperationOptions): Promise<void>;
  /**
   * Receives the next result; waits for one.
   *
   * @param options Cancellation: no message is lost by it.
   * @returns The result; undefined once the channel is closed and empty.
   */
  receiveResult(options?: OperationOptions): Promise<R | undefined>;
  /** Ends the conversation; what waits can still be received. Idempotent. */
  close(): void;
  /** Closes the channel and drops what waits. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * What a guest can ask of its host during one call. A `GuestFault` that is
 * thrown is told to the guest; everything else ends it. In a process of its own
 * nothing is a promise: the guest's thread waits.
 *
 * All bytes are copies, and belong to whoever gets them.
 */
export interface GuestServices {
  /**
   * Calls a function of the host.
   *
   * @param name Its name; any text.
   * @param input What it is given.
   * @returns Its answer, no longer than `messageBytes`.
   */
  call(
    name: string,
    input: Uint8Array<ArrayBuffer>,
  ): MaybePromise<Uint8Array<ArrayBuffer>>;
  /**
   * Takes the next message of the channel.
   *
   * @param timeoutMs How long to wait for it; `Infinity` for as long as the
   * call may take.
   * @returns The message; undefined if none came in time.
   */
  receive(timeoutMs: number): MaybePromise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Sends a message to the channel; waits for room.
   *
   * @param message The message.
   */
  send(message: Uint8Array<ArrayBuffer>): MaybePromise<void>;
  /**
   * Reads from the stream that the call was given.
   *
   * @param maxBytes Most bytes, above 0.
   * @returns Some bytes; undefined at the end.
   */
  read(maxBytes: number): MaybePromise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Writes all of it to the stream that the call was given; waits for room.
   *
   * @param bytes What to write.
   */
  write(bytes: Uint8Array<ArrayBuffer>): MaybePromise<void>;
  /**
   * Writes a line of the log. At most 1,000 lines come at once, and 10,000 a
   * second, where a longer line counts as one for each 100 characters that are
   * kept: with more the guest waits, but under `callSync`, where it cannot.
   *
   * @param level How much it matters.
   * @param message The line; any text. It is written at once.
   * @returns When the guest may go on, unless it may now.
   */
  log(level: LogLevel, message: string): MaybePromise<void>;
  /**
   * Calls a function of the host that an Extism plug-in imports; missing if
   * there are none.
   */
  readonly extism?: ExtismService;
}

/** Streams of one call. */
export interface CallStreams {
  /** What the guest reads; cancelled at the end, unless it was read to its end. */
  readonly source?: ReadableStream<Uint8Array>;
  /** What the guest writes; closed at the end, or aborted if the call fails. */
  readonly sink?: WritableStream<Uint8Array>;
  /**
   * How long the call may take, the closing of its sink included.
   *
   * @default {the limit timeoutMs}
   */
  readonly timeoutMs?: number;
  /** Ends the wait for the sink; what it is aborted with is thrown. */
  readonly signal?: AbortSignal;
}

/** The services of one call. */
export interface CallServices extends GuestServices {
  /**
   * Ends the call: handlers that still run are cancelled. Waits for the streams.
   *
   * @param failure Why the call failed, if it did.
   */
  end(failure?: unknown): Promise<void>;
}

/** How a call is begun. */
export interface BeginOptions {
  /**
   * Whether the guest can wait: for what is asked, and for its turn to log.
   *
   * @default {true}
   */
  readonly canWait?: boolean;
}

/** Makes the services of one call after the other, of one sandbox. */
export interface ServiceProvider {
  /**
   * Begins a call.
   *
   * @param streams Its streams.
   * @param options How the guest runs.
   * @returns Its services.
   */
  begin(streams: CallStreams, options?: BeginOptions): CallServices;
}

/**
 * The streams of one call, as the guest reads and writes them.
 *
 * @module
 */

import type { SandboxError } from "../errors.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import { type CallScope, Operation } from "./call_scope.ts";
import { isFault } from "./host_errors.ts";
import {
  checkStream,
  noStream,
  notBytes,
  ownBytes,
  sinkClosed,
  sourceFailed,
  streamFailed,
  tooLate,
  tooMuch,
} from "./stream_errors.ts";
import type { CallStreams, MaybePromise } from "./types.ts";

/** What streams are opened with. */
export interface OpenStreamsOptions {
  /** The streams. */
  readonly streams: CallStreams;
  /** The call. */
  readonly scope: CallScope;
  /** The limits. */
  readonly limits: Pick<ResolvedLimits, "streamBytes" | "timeoutMs">;
}

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The streams of one call. The guest never has more than one chunk of the source
 * ahead, and none of the sink before there is room.
 */
export class OpenStreams {
  readonly #scope: CallScope;
  readonly #limits: OpenStreamsOptions["limits"];
  readonly #source: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #sink: WritableStreamDefaultWriter<Uint8Array> | undefined;
  /** What is left of the last chunk. */
  #rest: Bytes | undefined;
  readonly #timeoutMs: number;
  readonly #deadline: number;
  readonly #signal: AbortSignal | undefined;
  #isRead = false;
  #bytes = 0;
  /** What went wrong with a stream of the host's. */
  #problem: SandboxError | undefined;

  /**
   * Takes hold of the streams.
   *
   * @param options The streams, and the call.
   * @throws {TypeError} If one is no stream, or is locked.
   */
  constructor({ streams, scope, limits }: OpenStreamsOptions) {
    const { source, sink, timeoutMs = Infinity, signal } = streams;
    // both are looked at before one is taken
    checkStream("source", source, ReadableStream);
    checkStream("sink", sink, WritableStream);
    this.#scope = scope;
    this.#limits = limits;
    this.#timeoutMs = Math.min(timeoutMs, limits.timeoutMs);
    this.#deadline = performance.now() + this.#timeoutMs;
    this.#signal = signal;
    this.#source = source?.getReader();
    this.#sink = sink?.getWriter();
    // errors are told when the guest writes, and at the end
    this.#sink?.closed.catch(() => {});
  }

  /** Bytes that went either way. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads from the source.
   *
   * @param maxBytes Most bytes.
   * @returns What there is of a chunk; undefined at the end.
   * @throws {GuestFault} With status `unknown` or `failed`.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  read(maxBytes: number): MaybePromise<Bytes | undefined> {
    if (this.#source === undefined) throw noStream("read from");
    if (this.#problem !== undefined) throw sourceFailed();
    if (this.#rest !== undefined) return this.#piece(this.#rest, maxBytes);
    if (this.#isRead) return undefined;
    return this.#readMore(this.#source, maxBytes);
  }

  /**
   * Writes to the sink, as soon as there is room.
   *
   * @param bytes What to write.
   * @throws {GuestFault} With status `unknown` or `closed`.
   * @throws {SandboxError} With code `limit-exceeded`.
   */
  write(bytes: Bytes): MaybePromise<void> {
    const sink = this.#sink;
    if (sink === undefined) throw noStream("write to");
    this.#count(bytes.length);
    if (this.#hasRoom(sink)) return this.#put(sink, bytes);
    return this.#writeLater(sink, bytes);
  }

  /**
   * Lets go of the streams. If the call succeeded, the sink is closed and
   * waited for; else it is aborted. A source that was not read to its end is
   * cancelled.
   *
   * @param failure Why the call failed, if it did.
   * @throws {SandboxError} With code `host-function-failed` or
   * `invalid-message`, if the call succeeded, and a stream did not.
   */
  async end(failure: unknown): Promise<void> {
    const reason = failure ?? this.#problem;
    this.#rest = undefined;
    this.#cancelSource(reason);
    const sink = this.#sink;
    if (sink === undefined) {
      if (failure === undefined && reason !== undefined) throw reason;
      return;
    }
    try {
      if (reason === undefined) return await this.#close(sink);
      sink.abort(reason).catch(() => {});
    } finally {
      sink.releaseLock();
    }
    if (failure === undefined) throw reason;
  }

  async #readMore(
    source: ReadableStreamDefaultReader<Uint8Array>,
    maxBytes: number,
  ): Promise<Bytes | undefined> {
    for (;;) {
      const chunk = await this.#chunk(source);
      if (chunk === undefined) return undefined;
      if (chunk.length > 0) return this.#piece(chunk, maxBytes);
      // a source that is always ready would keep the deadline from coming
      await new Promise((resolve) => setTimeout(resolve));
      this.#scope.check();
    }
  }

  /** The next chunk, which may be empty. */
  async #chunk(
    source: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<Bytes | undefined> {
    const operation = new Operation("the source");
    let chunk: unknown;
    try {
      const { value, done } = await this.#scope.wait(operation, source.read());
      if (done) {
        this.#isRead = true;
        return undefined;
      }
      chunk = value;
    } catch (error) {
      if (isFault(error)) throw error;
      this.#problem ??= streamFailed("read", error);
      throw sourceFailed();
    }
    if (chunk instanceof Uint8Array) return ownBytes(chunk);
    this.#problem ??= notBytes();
    throw sourceFailed();
  }

  /** Takes a piece of a chunk, and keeps the rest. */
  #piece(chunk: Bytes, maxBytes: number): Bytes {
    const piece = chunk.subarray(0, maxBytes);
    this.#rest = piece.length < chunk.length
      ? chunk.subarray(piece.length)
      : undefined;
    this.#count(piece.length);
    return piece;
  }

  /** Whether what is written now waits for nothing. */
  #hasRoom(sink: WritableStreamDefaultWriter<Uint8Array>): boolean {
    // null if the stream failed, and 0 if it is closed
    return this.#problem === undefined && (sink.desiredSize ?? 0) > 0;
  }

  async #writeLater(
    sink: WritableStreamDefaultWriter<Uint8Array>,
    bytes: Bytes,
  ): Promise<void> {
    try {
      await this.#scope.wait(new Operation("room in the sink"), sink.ready);
    } catch (error) {
      if (isFault(error)) throw error;
      this.#sinkFailed(error);
    }
    if (this.#problem !== undefined) throw sinkClosed();
    this.#put(sink, bytes);
  }

  #put(sink: WritableStreamDefaultWriter<Uint8Array>, bytes: Bytes): void {
    sink.write(bytes).catch((error: unknown) => this.#sinkFailed(error));
  }

  #sinkFailed(error: unknown): void {
    this.#problem ??= streamFailed("write", error);
  }

  #count(length: number): void {
    const { streamBytes: allowed } = this.#limits;
    const used = this.#bytes + length;
    if (used > allowed) throw tooMuch(allowed, used);
    this.#bytes = used;
  }

  #cancelSource(reason: unknown): void {
    const source = this.#source;
    if (source === undefined) return;
    if (!this.#isRead) source.cancel(reason).catch(() => {});
    source.releaseLock();
  }

  /** Waits until the sink has all, for as long as the call may take. */
  async #close(sink: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    const signal = this.#signal;
    const timeoutMs = this.#timeoutMs;
    const cut = Promise.withResolvers<never>();
    const abort = () => cut.reject(signal?.reason);
    const left = Math.max(0, this.#deadline - performance.now());
    const timer = Number.isFinite(left)
      ? setTimeout(() => cut.reject(tooLate(timeoutMs)), left)
      : undefined;
    const closed = sink.close().catch((error: unknown) => {
      throw streamFailed("write", error);
    });
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      await Promise.race([closed, cut.promise]);
    } catch (error) {
      sink.abort(error).catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

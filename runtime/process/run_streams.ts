/**
 * The standard streams of one run of a command, at the host's end.
 *
 * @module
 */

import { ByteCollector, readPiece } from "../../_streams.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type { CommandRun } from "../guest_source.ts";
import { OUTPUT_BYTES, ProtocolError } from "./frames.ts";

/** Takes and gives the bytes of one run. Owns no stream: it lets them go. */
export class RunStreams implements Disposable {
  readonly #stdin: Input;
  readonly #outputs: readonly [Output, Output];
  readonly #locks: DisposableStack;

  /**
   * Constructs it.
   *
   * @param run The streams.
   * @param limits The limits of the guest.
   */
  constructor(
    { stdin, stdout, stderr }: Pick<CommandRun, "stdin" | "stdout" | "stderr">,
    limits: ResolvedLimits,
  ) {
    using locks = new DisposableStack();
    // the child asks for a piece more before it sees that it is too much
    const stdinBytes = limits.stdinBytes + 2 * OUTPUT_BYTES;
    this.#stdin = locks.use(new Input(stdin, stdinBytes));
    // the same stream twice cannot be had
    this.#outputs = [
      locks.use(new Output(stdout, limits.stdoutBytes)),
      locks.use(new Output(stderr, limits.stderrBytes)),
    ];
    this.#locks = locks.move();
  }

  /**
   * Reads from the standard input; waits for something.
   *
   * @param maxBytes At the most so much.
   * @returns The bytes; undefined at the end.
   */
  read(maxBytes: number): Promise<Uint8Array | undefined> {
    return this.#stdin.read(maxBytes);
  }

  /** Whether there is more of the standard input, without waiting. */
  get hasMore(): boolean {
    return this.#stdin.hasMore;
  }

  /**
   * Writes output.
   *
   * @param fd 1 or 2.
   * @param bytes The output.
   * @returns When it was taken, if it goes to a stream.
   */
  write(
    fd: 1 | 2,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<void> | undefined {
    return this.#outputs[fd === 1 ? 0 : 1].write(bytes);
  }

  /** What was collected of both outputs. */
  collected(): Record<"stdout" | "stderr", Uint8Array<ArrayBuffer>> {
    const [stdout, stderr] = this.#outputs;
    return { stdout: stdout.collected(), stderr: stderr.collected() };
  }

  /** Lets the streams go; they are neither closed nor cancelled. */
  [Symbol.dispose](): void {
    this.#locks.dispose();
  }
}

/** Bytes, or a stream of them, a piece at a time. */
class Input {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #rest: Uint8Array;
  #left: number;

  constructor(source: CommandRun["stdin"], maxBytes: number) {
    const isBytes = source instanceof Uint8Array;
    this.#reader = isBytes ? undefined : source.getReader();
    this.#rest = isBytes ? source : new Uint8Array();
    this.#left = maxBytes;
  }

  get hasMore(): boolean {
    return this.#rest.length > 0;
  }

  async read(maxBytes: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0 && this.#reader !== undefined) {
      this.#rest = await readPiece(this.#reader) ?? this.#rest;
    }
    if (this.#rest.length === 0) return undefined;
    const part = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(part.length);
    this.#left -= part.length;
    if (this.#left < 0) throw new ProtocolError("more reading than is allowed");
    return part;
  }

  [Symbol.dispose](): void {
    this.#reader?.releaseLock();
  }
}

/** A stream to write to, or a place to collect. */
class Output {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #bytes = new ByteCollector();
  #left: number;

  constructor(
    stream: WritableStream<Uint8Array> | undefined,
    maxBytes: number,
  ) {
    this.#writer = stream?.getWriter();
    this.#left = maxBytes;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    this.#left -= bytes.length;
    if (this.#left < 0) throw new ProtocolError("more output than is allowed");
    if (bytes.length === 0) throw new ProtocolError("output of nothing");
    if (this.#writer !== undefined) return this.#writer.write(bytes);
    this.#bytes.write(bytes);
    return undefined;
  }

  collected(): Uint8Array<ArrayBuffer> {
    return this.#bytes.take();
  }

  [Symbol.dispose](): void {
    this.#writer?.releaseLock();
  }
}

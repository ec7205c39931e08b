/**
 * The process of a guest, as its host sees it.
 *
 * @module
 */

import type { SandboxError } from "../../errors.ts";
import { brokenRules, crashed, failed, KILLED, SUGGESTIONS } from "./crash.ts";
import {
  encode,
  FRAME,
  type Header,
  type Message,
  MessageReader,
  PIPE_BYTES,
  PROTOCOL,
  ProtocolError,
} from "./frames.ts";
import type { Launch } from "./launch.ts";
import { spawn } from "./spawn.ts";
import { Stderr } from "./stderr.ts";

/** Longest time from the start of a process to its first word. */
const START_TIMEOUT_MS = 20_000;

/** What a process is started with. */
export interface StartOptions {
  /** The program, as {@linkcode loadProgram} gives it. */
  readonly program: Uint8Array<ArrayBuffer>;
  /** Cancellation. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The process of a guest. Whatever it says may be a lie; whatever breaks the
 * rules ends it.
 */
export class ChildProcess implements AsyncDisposable {
  /** How it was started. */
  readonly launch: Launch;
  /** Its process id, for tests and messages. */
  readonly pid: number;
  /** Settled once it was killed or ended by itself. */
  readonly gone: Promise<void>;
  readonly #process: Deno.ChildProcess;
  readonly #status: Promise<Deno.CommandStatus>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamBYOBReader;
  readonly #stderr: Stderr;
  readonly #reader: MessageReader;
  /** What is read into, but for long bodies. */
  #buffer: ArrayBuffer = new ArrayBuffer(PIPE_BYTES);
  readonly #listeners = new Set<() => void>();
  #maxBody: (type: number) => number = () => -1;
  /** Bytes that were sent to it, and not read by it. */
  #unread = 0;
  #sent: Promise<void> | undefined;
  #outgoing = new Uint8Array();
  #ended: Deno.CommandStatus | undefined;
  #killed = false;
  /** A rule that it broke while nobody listened. */
  #broken: ProtocolError | undefined;
  #disposal: Promise<void> | undefined;

  private constructor(launch: Launch) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const process = spawn(launch);
    this.launch = launch;
    this.pid = process.pid;
    this.gone = promise;
    this.#listeners.add(resolve);
    this.#process = process;
    this.#status = process.status.then((status) => {
      this.#ended = status;
      this.#markGone();
      return status;
    });
    this.#input = process.stdin.getWriter();
    this.#output = process.stdout.getReader({ mode: "byob" });
    this.#stderr = new Stderr(process.stderr, () => {
      this.#broken = new ProtocolError("endless errors");
      this.kill();
    });
    this.#reader = new MessageReader((type) => this.#maxBody(type));
  }

  /**
   * Starts a process, and waits until its program runs.
   *
   * @param launch How.
   * @param options The program, and cancellation.
   * @returns The process; dispose it.
   * @throws {SandboxError} With code `process-failed`.
   */
  static async start(
    launch: Launch,
    { program, signal }: StartOptions,
  ): Promise<ChildProcess> {
    signal?.throwIfAborted();
    const child = new ChildProcess(launch);
    const stop = () => child.kill();
    const timer = setTimeout(stop, START_TIMEOUT_MS);
    signal?.addEventListener("abort", stop);
    try {
      child.#push(program);
      const maxBody = (type: number) => type === FRAME.ready ? 0 : -1;
      const { header } = await child.receive(maxBody);
      // an idle guest keeps no program from ending
      child.unref();
      if (header["protocol"] === PROTOCOL) return child;
      throw new ProtocolError("another protocol");
    } catch (cause) {
      const error = await child.failure("start", cause);
      signal?.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Whether it neither ended nor was killed. */
  get isAlive(): boolean {
    return !this.#killed && this.#ended === undefined;
  }

  /** Keeps the program from ending, as long as something is waited for. */
  ref(): void {
    this.#hold(true);
  }

  /** Lets the program end. */
  unref(): void {
    this.#hold(false);
  }

  /**
   * Sends a message. It does not wait: the child reads when it comes to it, and
   * what is to be sent exists already.
   *
   * @param type Its type.
   * @param header Its header, plain data.
   * @param body Its bytes; not to be changed until they are sent.
   */
  send(type: number, header: object, body?: Uint8Array): void {
    for (const chunk of encode(type, header as Header, body)) this.#push(chunk);
  }

  /**
   * As {@linkcode ChildProcess.send}, with bytes that may be changed afterwards.
   *
   * @param type Its type.
   * @param header Its header, plain data.
   * @param body Its bytes.
   */
  sendCopy(type: number, header: object, body: Uint8Array): void {
    const [first, rest] = encode(type, header as Header, body);
    // the child has enough to begin with while the rest is copied
    const isIdle = this.#unread === 0;
    if (first !== undefined) this.#push(first);
    if (rest !== undefined) this.#push(this.#copy(rest, isIdle));
  }

  /** Settled once it has read more; undefined while it leaves little unread. */
  get room(): Promise<void> | undefined {
    return this.#unread > MAX_UNPIPE_BYTES ? this.#sent : undefined;
  }

  /**
   * Waits for the next message.
   *
   * @param maxBody The longest body by type of message, below 0 for a type that
   * may not come.
   * @returns The message; its header is not checked.
   * @throws {ProtocolError} If what comes is none.
   * @throws {EndOfChild} If the process ends first.
   */
  async receive(maxBody: (type: number) => number): Promise<Message> {
    this.#maxBody = maxBody;
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      await this.#read();
    }
  }

  /** Whether it has said nothing that was not received. */
  get isQuiet(): boolean {
    return this.#reader.isEmpty;
  }

  /**
   * Waits for work of the host's own, but no longer than the process lives.
   *
   * @typeParam T What the work gives.
   * @param work The work.
   * @returns What it gives.
   * @throws {EndOfChild} If the process ends first.
   */
  async whileAlive<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const listener = () => reject(new EndOfChild());
    this.#listeners.add(listener);
    if (!this.isAlive) listener();
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /**
   * Throws once it was killed or has ended.
   *
   * @throws {EndOfChild} If so.
   */
  requireAlive(): void {
    if (!this.isAlive) throw new EndOfChild();
  }

  /** Ends it at once. */
  kill(): void {
    if (!this.isAlive) return;
    this.#killed = true;
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // it has ended just now
    }
    this.#markGone();
  }

  /**
   * Ends it if it has not ended, and says why it did not do what it should.
   *
   * @param phase While it started, or later.
   * @param cause What was noticed.
   * @returns The error.
   */
  async failure(phase: "start" | "run", cause: unknown): Promise<SandboxError> {
    const broken = cause instanceof ProtocolError ? cause : this.#broken;
    if (broken !== undefined) {
      await this[Symbol.asyncDispose]();
      return brokenRules(broken);
    }
    // its output ends a little before its status is known
    if (cause instanceof EndOfChild) await this.#status;
    const killed = this.#killed;
    await this[Symbol.asyncDispose]();
    const { code, signal } = await this.#status;
    const facts = {
      suggestion: SUGGESTIONS[phase],
      exitCode: code,
      ...(signal === null ? {} : { signal }),
    };
    if (killed) return failed(phase, KILLED[phase], facts);
    return crashed(phase, facts, {
      text: this.#stderr.text,
      cpuSeconds: this.launch.report.cpuSeconds,
    });
  }

  /** Ends it, and waits until nothing of it is left. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.kill();
    this.ref();
    await this.#status;
    await Promise.all([
      this.#input.abort().catch(ignore),
      this.#output.cancel().catch(ignore),
      this.#stderr.ended,
    ]);
  }

  #hold(holds: boolean): void {
    if (this.#ended !== undefined) return;
    try {
      if (holds) this.#process.ref();
      else this.#process.unref();
    } catch (error) {
      // it has ended just now, and its status is not told yet
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /** Reads some bytes, where they belong if they are many. */
  async #read(): Promise<void> {
    const { room } = this.#reader;
    const into = room ?? new Uint8Array(this.#buffer);
    // the buffer is taken away meanwhile, and comes back as another one
    const { value, done } = await this.#output.read(into);
    if (done || value === undefined) throw new EndOfChild();
    if (room !== undefined) {
      this.#reader.fill(value.length, value.buffer);
      return;
    }
    this.#buffer = value.buffer;
    this.#reader.push(value);
  }

  #markGone(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Copies bytes, into the same buffer each time if it is free. */
  #copy(bytes: Uint8Array, isIdle: boolean): Uint8Array {
    if (!isIdle || bytes.length > MAX_KEPT_BYTES) return bytes.slice();
    if (this.#outgoing.length < bytes.length) {
      this.#outgoing = new Uint8Array(bytes.length);
    }
    this.#outgoing.set(bytes);
    return this.#outgoing.subarray(0, bytes.length);
  }

  #push(chunk: Uint8Array): void {
    this.#unread += chunk.length;
    // a process that is gone is noticed where its output is read
    this.#sent = this.#input.write(chunk).then(() => {
      this.#unread -= chunk.length;
    }, ignore);
  }
}

/** The process ended before it said what it should. */
export class EndOfChild extends Error {
  override readonly name = "EndOfChild";
}

/** Most bytes that wait to be read while it asks for more. */
const MAX_UNPIPE_BYTES = 64 * 2 ** 10;

/** A buffer of up to so many bytes is kept for the next message. */
const MAX_KEPT_BYTES = 2 ** 20;

function ignore(): void {}

/**
 * Brokers while they are in use, and for some seconds after.
 *
 * @module
 */

import { ChildProcess } from "../../../runtime/process/child_process.ts";
import { FRAME, type Message } from "../../../runtime/process/frames.ts";
import { requireRun } from "../../../runtime/process/spawn.ts";
import { prepareBroker } from "./launch.ts";
import type { BrokerQuestion } from "./messages.ts";
import { loadBroker } from "./program.ts";

/** Most brokers that are kept for what may come. */
const MAX_IDLE = 4;
/** How long one is kept that nobody asks. */
const IDLE_MS = 5_000;

/** Whom a broker is for. */
export interface BrokerPurpose {
  /** Brokers of one key stand in for each other. */
  readonly key: string;
  /** What it may connect to, or look up. */
  readonly net: string;
}

/** What a broker is asked. */
export interface Asking {
  /** Makes the question out of its number. */
  readonly question: (id: number) => BrokerQuestion;
  /** Bytes that belong to it. */
  readonly body?: Uint8Array;
  /** The longest body of the answer. */
  readonly maxBody: number;
  /** Cancellation; it ends the broker. */
  readonly signal: AbortSignal;
}

interface Idle {
  readonly key: string;
  readonly child: ChildProcess;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Starts brokers, and ends them. */
export class Brokers implements AsyncDisposable {
  readonly #bodyBytes: number;
  readonly #children = new Set<ChildProcess>();
  #idle: readonly Idle[] = [];
  #program: Promise<Uint8Array<ArrayBuffer>> | undefined;
  #questions = 0;
  #isDisposed = false;

  /**
   * Constructs it; nothing starts yet.
   *
   * @param options The longest body that a broker holds.
   */
  constructor({ bodyBytes }: { readonly bodyBytes: number }) {
    this.#bodyBytes = bodyBytes;
  }

  /** Process ids of all brokers. */
  get pids(): readonly number[] {
    return [...this.#children].map(({ pid }) => pid);
  }

  /**
   * Has a question answered by a broker that nobody else asks meanwhile.
   *
   * @typeParam T What is read out of the answer.
   * @param purpose Whom the broker is for.
   * @param asking The question.
   * @param read Reads the answer; throws `ProtocolError`, if it is none.
   * @returns What was read.
   * @throws {SandboxError} With code `process-failed`.
   */
  async ask<T>(
    purpose: BrokerPurpose,
    asking: Asking,
    read: (message: Message, id: number) => T,
  ): Promise<T> {
    const child = this.#take(purpose.key) ??
      await this.#start(purpose, asking.signal);
    const answer = await this.#converse(child, asking, read);
    this.#keep(purpose.key, child);
    return answer;
  }

  /** Ends every broker, those in use included. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const { timer } of this.#idle) clearTimeout(timer);
    this.#idle = [];
    await Promise.all(
      [...this.#children].map((child) => child[Symbol.asyncDispose]()),
    );
  }

  #take(key: string): ChildProcess | undefined {
    const found = this.#idle.find((each) => each.key === key);
    if (found === undefined) return undefined;
    this.#idle = this.#idle.filter((each) => each !== found);
    clearTimeout(found.timer);
    return found.child.isAlive ? found.child : undefined;
  }

  async #start(
    { net }: BrokerPurpose,
    signal: AbortSignal,
  ): Promise<ChildProcess> {
    const launch = await prepareBroker({ net, bodyBytes: this.#bodyBytes });
    await requireRun(launch.command);
    const program = await (this.#program ??= loadBroker());
    const child = await ChildProcess.start(launch, { program, signal });
    this.#children.add(child);
    child.gone.then(() => this.#forget(child));
    // disposed at the very moment at which it was ready
    if (this.#isDisposed) await child[Symbol.asyncDispose]();
    return child;
  }

  async #converse<T>(
    child: ChildProcess,
    { question, body, maxBody, signal }: Asking,
    read: (message: Message, id: number) => T,
  ): Promise<T> {
    const stop = () => child.kill();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    child.ref();
    const id = ++this.#questions;
    try {
      child.send(FRAME.call, question(id), body);
      const message = await child.receive((type) =>
        type === FRAME.done ? maxBody : -1
      );
      return read(message, id);
    } catch (cause) {
      // whatever it is, this broker is not asked again
      const error = await child.failure("run", cause);
      signal.throwIfAborted();
      throw error;
    } finally {
      child.unref();
      signal.removeEventListener("abort", stop);
    }
  }

  #keep(key: string, child: ChildProcess): void {
    if (this.#isDisposed || !child.isAlive) return;
    const timer = setTimeout(() => void this.#drop(child), IDLE_MS);
    Deno.unrefTimer(timer);
    this.#idle = [...this.#idle, { key, child, timer }];
    const [oldest] = this.#idle;
    if (this.#idle.length > MAX_IDLE && oldest) void this.#drop(oldest.child);
  }

  #drop(child: ChildProcess): void {
    for (const each of this.#idle) {
      if (each.child === child) clearTimeout(each.timer);
    }
    this.#idle = this.#idle.filter((each) => each.child !== child);
    void child[Symbol.asyncDispose]();
  }

  /** One that has ended, by whatever. */
  #forget(child: ChildProcess): void {
    this.#drop(child);
    void child[Symbol.asyncDispose]().then(() => this.#children.delete(child));
  }
}

/**
 * Frames that come in, and what becomes of them.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import type { ChannelEnd } from "./ends.ts";
import {
  CANCEL_METHOD,
  failureOf,
  type Incoming,
  readMessage,
  RPC_ERRORS,
  type RpcFrame,
  type RpcReply,
} from "./json_rpc.ts";
import type { Answer, RpcHandlers } from "./rpc_handlers.ts";
import type { PendingRequests } from "./rpc_pending.ts";
import { Turn } from "./turn.ts";

/** What a {@linkcode RpcReader} reads, and for whom. */
export interface RpcReaderOptions {
  /** Where frames come from, and answers go. */
  readonly end: ChannelEnd<RpcFrame, unknown>;
  /** Calls of the other side go here. */
  readonly handlers: RpcHandlers;
  /** Replies of the other side go here. */
  readonly requests: PendingRequests;
  /** Longest batch. */
  readonly maxBatch: number;
  /** Aborted at the end of the conversation. */
  readonly signal: AbortSignal;
  /** Is told of answers that could not be sent. */
  readonly report: (error: unknown) => void;
}

/** Reads what the other side says, and answers. */
export class RpcReader {
  readonly #options: RpcReaderOptions;
  readonly #turn = new Turn();
  #calls = 0;
  #replies = 0;
  #orphaned = 0;
  #malformed = 0;

  /**
   * Constructs it.
   *
   * @param options What to read, and for whom.
   */
  constructor(options: RpcReaderOptions) {
    this.#options = options;
  }

  /** What came in so far. */
  get counters(): {
    readonly calls: number;
    readonly replies: number;
    readonly orphaned: number;
    readonly malformed: number;
  } {
    return {
      calls: this.#calls,
      replies: this.#replies,
      orphaned: this.#orphaned,
      malformed: this.#malformed,
    };
  }

  /** Reads until the channel is closed; rejected with what else ends it. */
  async run(): Promise<void> {
    try {
      while (await this.#receive());
    } finally {
      this.#turn.end();
    }
  }

  /** Takes one frame; says whether there may be more. */
  async #receive(): Promise<boolean> {
    const { end, signal } = this.#options;
    await this.#turn.pass();
    let frame: unknown;
    try {
      frame = await end.receive({ signal });
    } catch (error) {
      if (!SandboxError.is(error, "invalid-message")) throw error;
      this.#malformed++;
      await this.#post(failureOf(null, RPC_ERRORS.parseError, "parse error"));
      return true;
    }
    if (frame === undefined) return false;
    await this.#take(frame);
    return true;
  }

  /**
   * Deals with a frame. What has its answer at once is answered before the next
   * frame is read: a flood waits for its answers to be taken. What takes time
   * is bounded in number, and answered later.
   */
  async #take(frame: unknown): Promise<void> {
    const { maxBatch } = this.#options;
    const isBatch = Array.isArray(frame);
    if (isBatch && (frame.length === 0 || frame.length > maxBatch)) {
      this.#malformed++;
      const problem = `a batch has 1 to ${maxBatch} messages`;
      return await this.#post(
        failureOf(null, RPC_ERRORS.invalidRequest, problem),
      );
    }
    const messages: unknown[] = isBatch ? frame : [frame];
    const answers = messages.map((each) => this.#dispatch(readMessage(each)));
    const isAtOnce = answers.every(({ reply }) => !(reply instanceof Promise));
    const answered = this.#answer(answers, isBatch);
    if (isAtOnce) await answered;
  }

  #dispatch(incoming: Incoming): Answer {
    const { handlers, requests } = this.#options;
    switch (incoming.kind) {
      case "request":
        this.#calls++;
        return handlers.begin(incoming.message);
      case "notification": {
        this.#calls++;
        const { method, params } = incoming.message;
        if (method !== CANCEL_METHOD) {
          return handlers.begin(incoming.message);
        }
        handlers.cancel(params);
        return NO_ANSWER;
      }
      case "reply":
        if (requests.settle(incoming.message)) this.#replies++;
        else this.#orphaned++;
        return NO_ANSWER;
      case "malformed": {
        this.#malformed++;
        const { id, isReply, problem } = incoming;
        if (isReply) {
          // an answer to it might be answered, and so on
          requests.spoil(id, problem);
          return NO_ANSWER;
        }
        const message = `invalid request: ${problem}`;
        const { invalidRequest } = RPC_ERRORS;
        return {
          reply: failureOf(id, invalidRequest, message),
          release: () => {},
        };
      }
    }
  }

  /** Sends what there is to answer. Never rejected. */
  async #answer(answers: readonly Answer[], isBatch: boolean): Promise<void> {
    const replies = await Promise.all(answers.map(({ reply }) => reply));
    const frame = replies.filter((reply) => reply !== undefined);
    const [first] = frame;
    if (first !== undefined) await this.#post(isBatch ? frame : first);
    for (const { release } of answers) release();
  }

  /** Sends replies, or says that they cannot be sent. Never rejected. */
  async #post(frame: RpcReply | RpcReply[]): Promise<void> {
    const { end, signal, report } = this.#options;
    try {
      await end.send(frame, { signal });
    } catch (error) {
      report(error);
      if (!isUnsendable(error)) return;
      const instead = Array.isArray(frame)
        ? frame.map(unsendable)
        : unsendable(frame);
      await end.send(instead, { signal })
        .catch(report);
    }
  }
}

const NO_ANSWER: Answer = Object.freeze({
  reply: undefined,
  release: () => {},
});

/** What takes the place of a reply that cannot be sent. */
function unsendable({ id }: RpcReply): RpcReply {
  return failureOf(id, RPC_ERRORS.internalError, "the result cannot be sent");
}

/** Whether it is the message's fault. */
function isUnsendable(error: unknown): boolean {
  return SandboxError.is(error, "invalid-message") ||
    SandboxError.is(error, "limit-exceeded");
}

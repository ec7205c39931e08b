/** Answers what comes through a channel, in the order in which it came. */

import { printable } from "../../_text.ts";
import { Turn } from "../../communication/turn.ts";
import type { Channel } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import type { OperationOptions } from "../../runtime/types.ts";
import type {
  CustomFault,
  CustomReply,
  CustomService,
  CustomServiceStats,
} from "./types.ts";

/** What a service is made from. */
export interface ServiceParts {
  readonly channel: Channel;
  /** Most requests that are taken and not answered yet. */
  readonly maxConcurrent: number;
  /** Answers a request. */
  readonly ask: (
    request: unknown,
    options: OperationOptions,
  ) => Promise<unknown>;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** How long the last answers may wait for room, in milliseconds. */
const GRACE_MS = 1_000;

/** The nth answer is that to the nth request: nobody needs ids. */
export class ChannelService implements CustomService {
  readonly closed: Promise<void>;
  readonly #parts: ServiceParts;
  /** Aborted when no more requests are taken. */
  readonly #taking = new AbortController();
  /** Aborted when requests that run are stopped. */
  readonly #running = new AbortController();
  /** Aborted when answers are not waited for. */
  readonly #sending = new AbortController();
  readonly #turn = new Turn(1);
  #room = Promise.withResolvers<void>();
  #taken = 0;
  #answered = 0;
  #faults = 0;
  /** Sends the answers before; never rejected. */
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.closed = this.#run();
  }

  stats(): CustomServiceStats {
    return {
      taken: this.#taken,
      answered: this.#answered,
      faults: this.#faults,
    };
  }

  async drain(): Promise<void> {
    this.#taking.abort(ended());
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end(ended());
    await this.closed;
  }

  /** Ends it; requests that run are stopped. */
  end(reason: unknown): void {
    if (this.#running.signal.aborted) return;
    this.#taking.abort(reason);
    this.#running.abort(reason);
  }

  async #run(): Promise<void> {
    try {
      while (await this.#take());
    } catch (error) {
      if (!this.#taking.signal.aborted) this.#report(error);
    }
    this.#taking.abort(ended());
    await this.#finish();
    this.#running.abort(ended());
    this.#turn.end();
  }

  /** Waits for the last answers, if it has to end for not much longer. */
  async #finish(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hurry = () => {
      timer = setTimeout(
        () => this.#sending.abort(this.#running.signal.reason),
        GRACE_MS,
      );
    };
    const { signal } = this.#running;
    if (signal.aborted) hurry();
    else signal.addEventListener("abort", hurry, { once: true });
    await this.#last;
    signal.removeEventListener("abort", hurry);
    clearTimeout(timer);
  }

  /** Takes a request when there is room; says whether there may be more. */
  async #take(): Promise<boolean> {
    const { channel, maxConcurrent } = this.#parts;
    const { signal } = this.#taking;
    while (this.#taken - this.#answered >= maxConcurrent) {
      await this.#room.promise;
    }
    await this.#turn.pass();
    signal.throwIfAborted();
    let answer: Promise<CustomReply>;
    try {
      const request = await channel.receive({ signal });
      if (request === undefined) return false;
      answer = this.#answer(request);
    } catch (error) {
      if (!SandboxError.is(error, "invalid-message")) throw error;
      answer = Promise.resolve({ error: this.#faultOf(error) });
    }
    this.#taken++;
    this.#last = this.#send(this.#last, answer);
    return true;
  }

  async #answer(request: unknown): Promise<CustomReply> {
    try {
      const { signal } = this.#running;
      // undefined is nothing in JSON
      return { result: await this.#parts.ask(request, { signal }) ?? null };
    } catch (error) {
      return { error: this.#faultOf(error) };
    }
  }

  /** Sends an answer after those before it. Never rejected. */
  async #send(
    before: Promise<void>,
    answer: Promise<CustomReply>,
  ): Promise<void> {
    await before;
    await this.#post(await answer);
    this.#answered++;
    const room = this.#room;
    this.#room = Promise.withResolvers();
    room.resolve();
  }

  async #post(reply: CustomReply): Promise<void> {
    const { channel } = this.#parts;
    const { signal } = this.#sending;
    if (reply.error !== undefined) this.#faults++;
    try {
      await channel.sendResult(reply, { signal });
    } catch (error) {
      if (reply.error === undefined && isUnsendable(error)) {
        return await this.#post({ error: this.#faultOf(error) });
      }
      // nobody is there who could be answered
      if (!this.#running.signal.aborted && !isClosed(error)) {
        this.#report(error);
      }
      this.end(error);
    }
  }

  /** What the other end is told: of the host's own failures, no more than that. */
  #faultOf(error: unknown): CustomFault {
    if (SandboxError.is(error) && error.code !== "host-function-failed") {
      const { code, message, details } = error;
      return { code, message: printable(message), details };
    }
    this.#report(error);
    return { code: "failed", message: "the request failed" };
  }

  #report(error: unknown): void {
    try {
      this.#parts.onError?.(error);
    } catch {
      // there is nobody left to tell
    }
  }
}

/** Whether it is the answer's fault. */
function isUnsendable(error: unknown): boolean {
  return SandboxError.is(error, "invalid-message") ||
    SandboxError.is(error, "limit-exceeded");
}

function isClosed(error: unknown): boolean {
  return SandboxError.is(error, "channel-closed");
}

function ended(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot answer the request: the service has ended",
    { details: { kind: "service" } },
  );
}

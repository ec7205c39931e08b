/**
 * The child's end of the pipe to its host. The guest has threads of its own;
 * this one waits for the host and for them at the same time.
 *
 * @module
 */

import {
  costOf,
  encode,
  FRAME,
  type Header,
  type Message,
  MessageReader,
  PIPE_BYTES,
  WINDOW_BYTES,
} from "../../process/frames.ts";
import type { Answer, Credit } from "../../process/messages.ts";

/** What is read from and written to; the process's own streams. */
export interface Ends {
  /** Reads some bytes, and waits for them. */
  readonly input: { read(into: Uint8Array): Promise<number | null> };
  /** Writes some bytes, and waits for room. */
  readonly output: { writeSync(from: Uint8Array): number };
  /** Told that the host is gone. */
  readonly onEnd: () => void;
}

/** The child's end of the pipe. */
export class AsyncPipe {
  readonly #ends: Ends;
  /** The host is trusted; that it sends only what it may is its own check. */
  readonly #reader = new MessageReader(() => Infinity);
  #requests: Message[] = [];
  #wake = Promise.withResolvers<void>();
  #answer: ((message: Message) => void) | undefined;
  #credit = WINDOW_BYTES;
  #questions = 0;

  /**
   * Begins to read.
   *
   * @param ends What it is made from.
   */
  constructor(ends: Ends) {
    this.#ends = ends;
    void this.#read();
  }

  /** Waits for the next thing that the host wants. */
  async receive(): Promise<Message> {
    for (;;) {
      const message = this.#requests.shift();
      if (message !== undefined) return message;
      await this.#wake.promise;
    }
  }

  /**
   * Sends a message.
   *
   * @param type Its type.
   * @param header Its header, plain data.
   * @param body Its bytes.
   */
  send(type: number, header: object, body?: Uint8Array): void {
    this.#write(encode(type, header as Header, body));
  }

  /**
   * Sends what counts against the window, once there is room.
   *
   * @param type Its type.
   * @param header Its header, plain data.
   * @param body Its bytes.
   */
  async sendPaced(
    type: number,
    header: object,
    body?: Uint8Array,
  ): Promise<void> {
    const chunks = encode(type, header as Header, body);
    const cost = costOf(chunks.reduce((sum, { length }) => sum + length, 0));
    while (this.#credit < cost) await this.#wake.promise;
    this.#credit -= cost;
    this.#write(chunks);
  }

  /**
   * Asks the host; nothing else may be sent until it has answered.
   *
   * @param question What, without its number.
   * @returns The answer, and its bytes.
   */
  async ask(
    question: object,
  ): Promise<{ answer: Answer; body: Uint8Array<ArrayBuffer> }> {
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#answer = resolve;
    this.send(FRAME.ask, { seq: ++this.#questions, ...question });
    const { header, body } = await promise;
    return { answer: header as unknown as Answer, body };
  }

  async #read(): Promise<void> {
    const { input, onEnd } = this.#ends;
    const buffer = new Uint8Array(PIPE_BYTES);
    for (;;) {
      const count = await input.read(buffer);
      if (count === null) return onEnd();
      this.#reader.push(buffer.subarray(0, count));
      for (;;) {
        const message = this.#reader.next();
        if (message === undefined) break;
        this.#take(message);
      }
      this.#wake.resolve();
      this.#wake = Promise.withResolvers<void>();
    }
  }

  #take(message: Message): void {
    switch (message.type) {
      case FRAME.credit:
        this.#credit += (message.header as unknown as Credit).bytes;
        return;
      case FRAME.reply:
        return this.#answer?.(message);
      default:
        this.#requests.push(message);
    }
  }

  #write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) {
        at += this.#ends.output.writeSync(chunk.subarray(at));
      }
    }
  }
}

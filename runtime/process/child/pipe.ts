/**
 * The child's end of the pipe to its host. Everything waits: the child has one
 * thread, and nothing to do without its host.
 *
 * @module
 */

import {
  encode,
  FRAME,
  type Header,
  type Message,
  MessageReader,
  OUTPUT_BYTES,
  WINDOW_BYTES,
} from "../frames.ts";
import type { Answer } from "../messages.ts";

/** What is read from and written to; the process's own streams. */
export interface Ends {
  /** Reads some bytes, and waits for them. */
  readSync(into: Uint8Array): number | null;
  /** Writes some bytes, and waits for room. */
  writeSync(from: Uint8Array): number;
}

const READ_BYTES = 64 * 2 ** 10;

/** The child's end of the pipe. */
export class Pipe {
  readonly #input: Pick<Ends, "readSync">;
  readonly #output: Pick<Ends, "writeSync">;
  /** The host is trusted; that it sends only what it may is its own check. */
  readonly #reader = new MessageReader(() => Infinity);
  readonly #buffer = new Uint8Array(READ_BYTES);
  #credit = WINDOW_BYTES;
  #questions = 0;

  /**
   * Constructs it.
   *
   * @param input Where the host's bytes come from.
   * @param output Where bytes for the host go to.
   */
  constructor(
    input: Pick<Ends, "readSync">,
    output: Pick<Ends, "writeSync">,
  ) {
    this.#input = input;
    this.#output = output;
  }

  /**
   * Waits for the next message that is not a credit.
   *
   * @returns The message; undefined once the host is gone.
   */
  receive(): Message | undefined {
    for (;;) {
      const message = this.#any();
      if (message?.type !== FRAME.credit) return message;
      this.#earn(message);
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
    for (const chunk of encode(type, header as Header, body)) {
      this.#write(chunk);
    }
  }

  /**
   * Sends what counts against the window, as soon as there is room.
   *
   * @param type Its type.
   * @param header Its header.
   * @param body Its bytes.
   */
  sendPaced(type: number, header: object, body?: Uint8Array): void {
    for (const chunk of encode(type, header as Header, body)) {
      while (this.#credit < chunk.length) {
        const message = this.#any();
        if (message === undefined) throw new Error("the host is gone");
        this.#earn(message);
      }
      this.#credit -= chunk.length;
      this.#write(chunk);
    }
  }

  /**
   * Sends output of the guest.
   *
   * @param fd 1 or 2.
   * @param bytes The output.
   */
  output(fd: 1 | 2, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += OUTPUT_BYTES) {
      const piece = bytes.subarray(at, at + OUTPUT_BYTES);
      this.sendPaced(FRAME.output, { fd }, piece);
    }
  }

  /**
   * Asks the host, and waits for its answer.
   *
   * @param question What, without its number.
   * @returns The answer, and its bytes.
   */
  ask(question: object): { answer: Answer; body: Uint8Array<ArrayBuffer> } {
    const seq = ++this.#questions;
    this.send(FRAME.ask, { seq, ...question });
    const message = this.receive();
    const answer = message?.header as Answer | undefined;
    if (message?.type !== FRAME.reply || answer?.seq !== seq) {
      throw new Error("the host is gone");
    }
    return { answer, body: message.body };
  }

  #any(): Message | undefined {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      const count = this.#input.readSync(this.#buffer);
      if (count === null) return undefined;
      this.#reader.push(this.#buffer.subarray(0, count));
    }
  }

  #earn({ type, header }: Message): void {
    if (type !== FRAME.credit) throw new Error(`unexpected message ${type}`);
    this.#credit += Number(header["bytes"]);
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      at += this.#output.writeSync(bytes.subarray(at));
    }
  }
}

/**
 * The child's end of the pipe to its host. Everything waits: the child has one
 * thread, and nothing to do without its host.
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
  OUTPUT_BYTES,
  PIPE_BYTES,
  WINDOW_BYTES,
} from "../frames.ts";
import type { Answer, Credit, SentFault } from "../messages.ts";

/** What is read from and written to; the process's own streams. */
export interface Ends {
  /** Reads some bytes, and waits for them. */
  readSync(into: Uint8Array): number | null;
  /** Writes some bytes, and waits for room. */
  writeSync(from: Uint8Array): number;
}

/** A buffer of up to so many bytes is kept for the next message. */
const KEPT_BYTES = 2 ** 20;

/**
 * Makes room for bodies. What is sent to a guest is in its memory before the
 * next message comes, so one buffer serves them all.
 */
function roomForBodies(): (
  size: number,
  type: number,
) => Uint8Array<ArrayBuffer> {
  let kept = new Uint8Array();
  return (size, type) => {
    if (type !== FRAME.exchange || size > KEPT_BYTES) {
      return new Uint8Array(size);
    }
    if (kept.length < size) kept = new Uint8Array(size);
    return kept.subarray(0, size);
  };
}

/** The child's end of the pipe. */
export class Pipe {
  readonly #input: Pick<Ends, "readSync">;
  readonly #output: Pick<Ends, "writeSync">;
  /** The host is trusted; that it sends only what it may is its own check. */
  readonly #reader = new MessageReader(() => Infinity, roomForBodies());
  readonly #buffer = new Uint8Array(PIPE_BYTES);
  #credit = WINDOW_BYTES;
  #questions = 0;
  #fault: SentFault | undefined;

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
    this.#write(encode(type, header as Header, body));
  }

  /**
   * Sends what counts against the window, as soon as there is room.
   *
   * @param type Its type.
   * @param header Its header.
   * @param body Its bytes.
   */
  sendPaced(type: number, header: object, body?: Uint8Array): void {
    const chunks = encode(type, header as Header, body);
    const cost = costOf(chunks.reduce((sum, { length }) => sum + length, 0));
    while (this.#credit < cost) {
      const message = this.#any();
      if (message === undefined) throw new Error("the host is gone");
      this.#earn(message);
    }
    this.#credit -= cost;
    this.#write(chunks);
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
   * @param bytes Bytes that belong to it.
   * @returns The answer, and its bytes.
   */
  ask(
    question: object,
    bytes?: Uint8Array,
  ): { answer: Answer; body: Uint8Array<ArrayBuffer> } {
    const seq = ++this.#questions;
    this.send(FRAME.ask, { seq, ...question }, bytes);
    const message = this.receive();
    const answer = message?.header as Answer | undefined;
    if (message?.type !== FRAME.reply || answer?.seq !== seq) {
      throw new Error("the host is gone");
    }
    return { answer, body: message.body };
  }

  /**
   * Takes what has become of a stream that was written to.
   *
   * @returns The fault; undefined if there is none, or the host has not said so
   * yet.
   */
  takeFault(): SentFault | undefined {
    const fault = this.#fault;
    this.#fault = undefined;
    return fault;
  }

  #any(): Message | undefined {
    for (;;) {
      const message = this.#reader.next();
      if (message !== undefined) return message;
      const { room } = this.#reader;
      const count = this.#input.readSync(room ?? this.#buffer);
      if (count === null) return undefined;
      if (room !== undefined) this.#reader.fill(count, room.buffer);
      else this.#reader.push(this.#buffer.subarray(0, count));
    }
  }

  #earn({ type, header, body }: Message): void {
    if (type !== FRAME.credit) throw new Error(`unexpected message ${type}`);
    const { bytes, fault } = header as unknown as Credit;
    this.#credit += bytes;
    if (fault !== undefined) this.#fault = { status: fault, document: body };
  }

  #write(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) {
        at += this.#output.writeSync(chunk.subarray(at));
      }
    }
  }
}

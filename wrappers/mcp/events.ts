/** Events of a session, for a client whose stream broke. */

import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types";

/** An event. */
interface Kept {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
  readonly length: number;
}

/** Sends an event again. */
interface Replay {
  readonly send: (id: string, message: JSONRPCMessage) => Promise<void>;
}

/** Keeps the latest events of one session. */
export class SessionEvents {
  readonly #maxEvents: number;
  readonly #maxLength: number;
  #kept: Kept[] = [];
  #length = 0;
  #count = 0;
  readonly #dropped = new Set<unknown>();
  /** Pieces of the latest replay, if the stream is at its end with them. */
  #pieces: number | undefined;

  /**
   * Constructs it.
   *
   * @param maxEvents Most events.
   * @param maxLength Longest text of all of them, about.
   */
  constructor(maxEvents: number, maxLength: number) {
    this.#maxEvents = maxEvents;
    this.#maxLength = maxLength;
  }

  /** Keeps an event, and lets older ones go. */
  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const id = `${streamId}_${++this.#count}`;
    if ("id" in message && this.#dropped.delete(message.id)) {
      this.#kept = this.#kept.filter((each) => each.streamId !== streamId);
      this.#length = this.#kept.reduce((sum, { length }) => sum + length, 0);
      return Promise.resolve(id);
    }
    const { length } = JSON.stringify(message);
    this.#kept.push({ id, streamId, message, length });
    this.#length += length;
    while (
      this.#kept.length > this.#maxEvents || this.#length > this.#maxLength
    ) this.#length -= this.#kept.shift()?.length ?? 0;
    return Promise.resolve(id);
  }

  /** The stream of an event that is kept. */
  getStreamIdForEventId(id: string): Promise<string | undefined> {
    return Promise.resolve(this.#kept.find((each) => each.id === id)?.streamId);
  }

  /** Sends all events of the same stream that came after one. */
  async replayEventsAfter(last: string, { send }: Replay): Promise<string> {
    const index = this.#kept.findIndex(({ id }) => id === last);
    const { streamId } = this.#kept[index] ?? {};
    if (streamId === undefined) throw new Error("the event is not kept");
    const rest = this.#kept.slice(index + 1)
      .filter((each) => each.streamId === streamId);
    for (const { id, message } of rest) await send(id, message);
    const isDone = rest.some(({ message }) =>
      "result" in message || "error" in message
    );
    this.#pieces = isDone ? rest.length : undefined;
    return streamId;
  }

  /** Forgets the stream of a request when it is answered. */
  drop(requestId: string | number): void {
    this.#dropped.add(requestId);
  }

  /** After how many pieces the latest replay is at its end, asked once. */
  takePieces(): number | undefined {
    const pieces = this.#pieces;
    this.#pieces = undefined;
    return pieces;
  }
}

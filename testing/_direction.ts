/** One direction of a channel under test: most cases hold for either. */

import type {
  Channel,
  ChannelCounters,
  Codec,
  QueueCounters,
} from "../communication/types.ts";
import type { OperationOptions } from "../runtime/types.ts";
import { check, isWaiting, soon } from "./_check.ts";

/** Makes messages: no two indices give the same, and `length` is about its length. */
export type MakeMessage<T = unknown> = (index: number, length: number) => T;

/** A message, and its bytes as they were when it was made. */
export interface Sample {
  readonly message: unknown;
  readonly bytes: Uint8Array;
}

/** One direction of a channel. */
export interface Direction {
  /** Name of the method that sends. */
  readonly sends: string;
  /** Name of the method that receives. */
  readonly receives: string;
  readonly channel: Channel;
  readonly codec: Codec<unknown>;
  send(message: unknown, options?: OperationOptions): Promise<void>;
  receive(options?: OperationOptions): Promise<unknown>;
  counters(): QueueCounters;
  make(index: number, length?: number): Sample;
}

/** A direction that is full. */
export interface Filled {
  /** How many messages it holds. */
  readonly count: number;
  /** The sending of one more, which waits. */
  readonly sending: Promise<void>;
  /** Cancels that. */
  readonly controller: AbortController;
}

/** Length of most messages. */
const LENGTH = 16;
/** Length of the messages that fill a channel. */
const FILL_LENGTH = 4096;
/** So many of them have to fill any. */
const MAX_FILL = 10_000;

/** The direction from host to guest. */
export function requestsOf(channel: Channel, make: MakeMessage): Direction {
  const { requestCodec: codec } = channel;
  return {
    sends: "send",
    receives: "receive",
    channel,
    codec,
    send: (message, options) => channel.send(message, options),
    receive: (options) => channel.receive(options),
    counters: () => countersOf(channel).requests,
    make: (index, length = LENGTH) => sample(codec, make(index, length)),
  };
}

/** The direction from guest to host. */
export function resultsOf(channel: Channel, make: MakeMessage): Direction {
  const { resultCodec: codec } = channel;
  return {
    sends: "sendResult",
    receives: "receiveResult",
    channel,
    codec,
    send: (message, options) => channel.sendResult(message, options),
    receive: (options) => channel.receiveResult(options),
    counters: () => countersOf(channel).results,
    make: (index, length = LENGTH) => sample(codec, make(index, length)),
  };
}

/** Sends until sending waits. */
export async function fill(direction: Direction): Promise<Filled> {
  for (let count = 0; count < MAX_FILL; count++) {
    const controller = new AbortController();
    const { signal } = controller;
    const { message } = direction.make(count, FILL_LENGTH);
    const sending = direction.send(message, { signal });
    sending.catch(() => {});
    if (await isWaiting(sending)) return { count, sending, controller };
  }
  check(false, `${direction.sends}() never waits: the channel is not bounded`);
}

/** Receives the messages that `fill` sent, from one index up to another. */
export async function drain(
  direction: Direction,
  from: number,
  to: number,
): Promise<void> {
  for (let index = from; index < to; index++) {
    await checkNext(direction, direction.make(index, FILL_LENGTH));
  }
}

/** Sends some messages, from index 0. */
export async function sendSome(
  direction: Direction,
  count: number,
): Promise<void> {
  for (let index = 0; index < count; index++) {
    await soon(direction.send(direction.make(index).message), direction.sends);
  }
}

/** Receives the messages that `sendSome` sent. */
export async function receiveSome(
  direction: Direction,
  count: number,
): Promise<void> {
  for (let index = 0; index < count; index++) {
    await checkNext(direction, direction.make(index));
  }
}

/** Fails unless this is the next message. */
export async function checkNext(
  direction: Direction,
  expected: Sample,
): Promise<void> {
  const actual = await soon(direction.receive(), direction.receives);
  checkMessage(direction, actual, expected);
}

/** Fails unless a message is the one that was sent. */
export function checkMessage(
  { codec, receives }: Direction,
  actual: unknown,
  { bytes }: Sample,
): void {
  check(actual !== undefined, `${receives}() gave undefined while open`);
  const found = codec.encode(actual);
  check(
    found.length === bytes.length &&
      found.every((byte, at) => byte === bytes[at]),
    `${receives}() did not give the next message as it was sent`,
  );
}

/** Fails unless the channel is closed and empty. */
export async function checkEnded(direction: Direction): Promise<void> {
  const { receives } = direction;
  const message = await soon(direction.receive(), `${receives}() once closed`);
  check(message === undefined, `${receives}() gave a message once closed`);
}

function sample(codec: Codec<unknown>, message: unknown): Sample {
  return { message, bytes: codec.encode(message) };
}

function countersOf({ counters }: Channel): ChannelCounters {
  return counters;
}

/** What a channel promises of the messages themselves. */

import { check, checkRejectedAs, soon } from "./_check.ts";
import { checkMessage, checkNext, type Direction } from "./_direction.ts";

/** What messages of a direction may be. */
export interface MessageLimits {
  /** Longest message, in bytes. */
  readonly maxBytes: number;
  /** Bytes that are no message, if there are any. */
  readonly malformed: readonly Uint8Array[];
  /** Values that are no message. */
  readonly unsendable: readonly unknown[];
  /** How many messages travel at once. */
  readonly messages: number;
}

/** One promise, of either direction, given what messages may be. */
export interface MessageCase {
  /** What it is, after the name of the method. */
  readonly name: string;
  /** Fails if it is not kept. */
  run(direction: Direction, limits: MessageLimits): Promise<void>;
}

/** What holds for messages. */
export const MESSAGE_CASES: readonly MessageCase[] = [
  {
    name: "carries a large message whole, and refuses one that never fits",
    async run(direction, { maxBytes }) {
      // what a codec adds has to fit as well
      const large = direction.make(1, Math.floor(maxBytes * 0.9));
      const sending = direction.send(large.message);
      await checkNext(direction, large);
      await soon(sending, "the sender of a large message");

      const { message } = direction.make(2, maxBytes + 1);
      const what = `${direction.sends}() of more than ${maxBytes} bytes`;
      await checkRejectedAs(direction.send(message), "limit-exceeded", what);
      await checkWorks(direction);
    },
  },
  {
    name: "carries values: what the sender does later is not seen",
    async run(direction) {
      const sent = direction.make(1);
      await direction.send(sent.message);
      spoil(sent.message);
      const received = await soon(direction.receive(), direction.receives);
      checkMessage(direction, received, sent);
      check(
        typeof received !== "object" || received !== sent.message,
        `${direction.receives}() gave the very object that was sent`,
      );
    },
  },
  {
    name: "refuses what is no message, and works on",
    async run(direction, { malformed, unsendable }) {
      for (const bytes of malformed) {
        checkRefuses(direction, bytes);
      }
      for (const message of unsendable) {
        const what = `${direction.sends}() of what is no message`;
        await checkRejectedAs(direction.send(message), "invalid-message", what);
      }
      await checkWorks(direction);
    },
  },
];

/** Sends many messages each way at once, each answered, and checks the order. */
export async function interleave(
  requests: Direction,
  results: Direction,
  count: number,
): Promise<void> {
  const host = async () => {
    for (let index = 0; index < count; index++) {
      await requests.send(requests.make(index).message);
    }
  };
  const guest = async () => {
    for (let index = 0; index < count; index++) {
      const message = await requests.receive();
      checkMessage(requests, message, requests.make(index));
      await results.send(results.make(index).message);
    }
  };
  const reader = async () => {
    for (let index = 0; index < count; index++) {
      checkMessage(results, await results.receive(), results.make(index));
    }
  };
  await Promise.all([host(), guest(), reader()]);
}

async function checkWorks(direction: Direction): Promise<void> {
  const sample = direction.make(3);
  await soon(direction.send(sample.message), direction.sends);
  await checkNext(direction, sample);
}

function checkRefuses({ codec }: Direction, bytes: Uint8Array): void {
  try {
    codec.decode(bytes);
  } catch (error) {
    const what = `the codec "${codec.name}" threw ${error}, no TypeError`;
    return check(error instanceof TypeError, what);
  }
  check(false, `the codec "${codec.name}" took bytes that are no message`);
}

/** Changes a message as far as it can be changed. */
function spoil(message: unknown): void {
  if (message instanceof Uint8Array) message.fill(0xee);
  else if (typeof message === "object" && message !== null) {
    for (const key of Object.keys(message)) Reflect.set(message, key, null);
  }
}

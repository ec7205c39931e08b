/** What a channel promises of messages that flow. */

import { guestEnd, hostEnd } from "../communication/ends.ts";
import {
  check,
  checkRejectedWith,
  checkSame,
  isWaiting,
  soon,
} from "./_check.ts";
import {
  checkMessage,
  checkNext,
  type Direction,
  drain,
  fill,
  receiveSome,
  sendSome,
} from "./_direction.ts";

/** One promise, of either direction. */
export interface DirectionCase {
  /** What it is, after the name of the method. */
  readonly name: string;
  /** Fails if it is not kept. */
  run(direction: Direction, other: Direction): Promise<void>;
}

/** What holds while a channel is open. */
export const FLOW_CASES: readonly DirectionCase[] = [
  {
    name: "delivers in order, each message once",
    async run(direction) {
      await sendSome(direction, 5);
      await receiveSome(direction, 5);
      const next = direction.receive();
      check(
        await isWaiting(next),
        `${direction.receives}() gave a message that nobody sent`,
      );
      direction.channel.close();
      await soon(next, "a receiver that waits while the channel closes");
    },
  },
  {
    name: "serves receivers in the order in which they came",
    async run(direction) {
      const first = direction.receive();
      const second = direction.receive();
      check(await isWaiting(first), `${direction.receives}() does not wait`);
      await sendSome(direction, 2);
      const what = "a receiver that waits";
      checkMessage(direction, await soon(first, what), direction.make(0));
      checkMessage(direction, await soon(second, what), direction.make(1));
    },
  },
  {
    name: "waits for room, and goes on when there is some",
    async run(direction) {
      const { count, sending } = await fill(direction);
      await drain(direction, 0, count);
      await soon(sending, "a sender that waits for room");
      await drain(direction, count, count + 1);
    },
  },
  {
    name: "serves senders in the order in which they came",
    async run(direction) {
      const { count, sending } = await fill(direction);
      const more = [1, 2].map((each) =>
        direction.send(direction.make(count + each, 4096).message)
      );
      await drain(direction, 0, count + 3);
      await soon(Promise.all([sending, ...more]), "senders that wait for room");
    },
  },
  {
    name: "leaves the other direction alone when it is full",
    async run(direction, other) {
      const { count, sending } = await fill(direction);
      await sendSome(other, 3);
      await receiveSome(other, 3);
      await drain(direction, 0, count + 1);
      await soon(sending, "a sender that waits for room");
    },
  },
  {
    name: "sends nothing of what is cancelled while it waits",
    async run(direction) {
      const { count, sending, controller } = await fill(direction);
      const next = direction.send(direction.make(count + 1, 4096).message);
      const reason = new Error("enough");
      controller.abort(reason);
      await checkRejectedWith(
        sending,
        reason,
        `a cancelled ${direction.sends}()`,
      );
      await drain(direction, 0, count);
      await soon(next, "the sender behind one that was cancelled");
      await drain(direction, count + 1, count + 2);
    },
  },
  {
    name: "loses no message by receivers that are cancelled",
    async run(direction) {
      const controller = new AbortController();
      const cancelled = direction.receive({ signal: controller.signal });
      const waiting = direction.receive();
      const reason = new Error("enough");
      controller.abort(reason);
      const what = `a cancelled ${direction.receives}()`;
      await checkRejectedWith(cancelled, reason, what);
      await sendSome(direction, 2);
      const message = await soon(
        waiting,
        "the receiver behind a cancelled one",
      );
      checkMessage(direction, message, direction.make(0));
      await checkNext(direction, direction.make(1));
    },
  },
  {
    name: "works on after both a sender and a receiver were cancelled",
    async run(direction) {
      const { count, sending, controller } = await fill(direction);
      controller.abort();
      await checkRejectedWith(sending, controller.signal.reason, "the sender");
      await drain(direction, 0, count);
      for (let time = 0; time < 100; time++) await cancelReceiver(direction);
      await sendSome(direction, 3);
      await receiveSome(direction, 3);
      checkSame(direction.counters().waiting, 0, "messages that wait");
    },
  },
  {
    name: "does nothing for a signal that is aborted before",
    async run(direction) {
      const reason = new Error("before");
      const signal = AbortSignal.abort(reason);
      const { message } = direction.make(9);
      const sending = direction.send(message, { signal });
      await checkRejectedWith(sending, reason, direction.sends);
      await sendSome(direction, 1);
      const receiving = direction.receive({ signal });
      await checkRejectedWith(receiving, reason, direction.receives);
      await receiveSome(direction, 1);
    },
  },
  {
    name: "counts messages and bytes",
    async run(direction) {
      await sendSome(direction, 3);
      await receiveSome(direction, 2);
      const { messages, bytes, waiting, highWaterMark, dropped } = direction
        .counters();
      const expected = [0, 1, 2].map((each) =>
        direction.make(each).bytes.length
      )
        .reduce((sum, length) => sum + length);
      checkSame(messages, 3, "messages");
      checkSame(bytes, expected, "bytes");
      checkSame(waiting, 1, "messages that wait");
      checkSame(dropped, 0, "messages that were dropped");
      check(
        highWaterMark >= 1 && highWaterMark <= 3,
        `a high-water mark of ${highWaterMark} for 3 messages`,
      );
    },
  },
  {
    name: "can be iterated until it is closed",
    async run(direction) {
      await sendSome(direction, 3);
      direction.channel.close();
      let index = 0;
      for await (const message of endOf(direction)) {
        checkMessage(direction, message, direction.make(index++));
      }
      checkSame(index, 3, "messages that were iterated over");
    },
  },
];

/** A receiver that is cancelled at once. */
async function cancelReceiver(direction: Direction): Promise<void> {
  const controller = new AbortController();
  const receiving = direction.receive({ signal: controller.signal });
  controller.abort();
  const { reason } = controller.signal;
  await checkRejectedWith(receiving, reason, direction.receives);
}

/** The end that receives. */
function endOf({ channel, receives }: Direction): AsyncIterable<unknown> {
  return receives === "receive" ? guestEnd(channel) : hostEnd(channel);
}

/** What a channel promises of its end. */

import {
  check,
  checkRejectedAs,
  checkSame,
  isWaiting,
  soon,
} from "./_check.ts";
import {
  checkEnded,
  type Direction,
  drain,
  fill,
  receiveSome,
  sendSome,
} from "./_direction.ts";
import type { DirectionCase } from "./_flow_cases.ts";

/** What holds once a channel is closed or disposed. */
export const END_CASES: readonly DirectionCase[] = [
  {
    name: "gives what waits after close(), and then undefined",
    async run(direction) {
      await sendSome(direction, 3);
      direction.channel.close();
      direction.channel.close();
      await checkRefused(direction);
      await receiveSome(direction, 3);
      await checkEnded(direction);
      await checkEnded(direction);
      checkSame(direction.counters().dropped, 0, "messages that were dropped");
    },
  },
  {
    name: "releases receivers that wait when it is closed",
    async run(direction) {
      const receivers = [direction.receive(), direction.receive()];
      check(await isWaiting(Promise.race(receivers)), "it does not wait");
      direction.channel.close();
      const messages = await soon(Promise.all(receivers), "a waiting receiver");
      check(
        messages.every((message) => message === undefined),
        "a receiver that waited got a message from close()",
      );
    },
  },
  {
    name: "refuses senders that wait when it is closed",
    async run(direction) {
      const { count, sending } = await fill(direction);
      direction.channel.close();
      await checkRejectedAs(sending, "channel-closed", "a waiting sender");
      await drain(direction, 0, count);
      await checkEnded(direction);
    },
  },
  {
    name: "drops and counts what waits when it is disposed",
    async run(direction) {
      await sendSome(direction, 3);
      await receiveSome(direction, 1);
      await dispose(direction);
      const { waiting, dropped, messages } = direction.counters();
      checkSame(waiting, 0, "messages that wait");
      checkSame(dropped, 2, "messages that were dropped");
      checkSame(messages, 3, "messages");
      await checkEnded(direction);
      await checkRefused(direction);
      await dispose(direction);
      checkSame(direction.counters().dropped, 2, "messages dropped twice");
    },
  },
  {
    name: "releases whoever waits when it is disposed",
    async run(direction, other) {
      const { sending } = await fill(direction);
      const receiving = other.receive();
      check(await isWaiting(receiving), `${other.receives}() does not wait`);
      await dispose(direction);
      await checkRejectedAs(sending, "channel-closed", "a waiting sender");
      const message = await soon(receiving, "a waiting receiver");
      check(message === undefined, "a disposed channel gave a message");
    },
  },
];

async function dispose({ channel }: Direction): Promise<void> {
  await soon(channel[Symbol.asyncDispose](), "its disposal");
}

async function checkRefused(direction: Direction): Promise<void> {
  const sending = direction.send(direction.make(7).message);
  await checkRejectedAs(
    sending,
    "channel-closed",
    `${direction.sends}() once closed`,
  );
}

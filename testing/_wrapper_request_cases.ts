/** What a wrapper promises of its requests. */

import { pause } from "./_pause.ts";
import type { WrapperCase, WrapperSubject } from "./_wrapper_case.ts";
import {
  check,
  failureOf,
  LATE_MS,
  outcomeOf,
  soon,
} from "./_wrapper_check.ts";
import { ENDLESS, TRAP } from "./_wrapper_guest.ts";
import { children } from "./_wrapper_host.ts";

type Isolation = "inline" | "process";

/** Most of the guest's time that is looked at, in milliseconds. */
const DEADLINE_MS = 200;

async function checkMany(subject: WrapperSubject): Promise<void> {
  await using wrapper = await subject.open({ maxConcurrent: 4 });
  for (let turn = 0; turn < 20; turn++) await subject.request(wrapper);
  const together = Array.from({ length: 4 }, () => subject.request(wrapper));
  await soon(Promise.all(together), "four requests at once");
}

async function checkFailure(
  subject: WrapperSubject,
  isolation: Isolation,
  text: string,
): Promise<void> {
  const timeoutMs = isolation === "process" ? 3 * DEADLINE_MS : DEADLINE_MS;
  await using wrapper = await subject.open({ isolation, timeoutMs });
  await subject.request(wrapper);
  for (let turn = 0; turn < 2; turn++) {
    await failureOf(() => subject.request(wrapper, text), "a bad request");
    const what = "the request after a bad one";
    await soon(subject.request(wrapper), what);
  }
}

/** Guests that run at the same time are processes at the same time. */
async function checkBound(subject: WrapperSubject): Promise<void> {
  const maxConcurrent = 2;
  const before = children().length;
  await using wrapper = await subject.open({
    isolation: "process",
    maxConcurrent,
    timeoutMs: 600,
  });
  const made = children().length - before;
  const outcomes = Array.from(
    { length: 3 * maxConcurrent },
    () => outcomeOf(() => subject.request(wrapper, ENDLESS), "a request"),
  );
  let isOver = false;
  const all = Promise.all(outcomes).finally(() => isOver = true);
  const most = Math.max(maxConcurrent, made);
  while (!isOver) {
    const now = children().length - before;
    check(
      now <= most,
      `${now} guests run at a time, where ${maxConcurrent} may`,
    );
    await pause(20);
  }
  await soon(all, "requests more than may run", 2 * LATE_MS);
}

/** Requests. */
export const REQUEST_CASES: readonly WrapperCase[] = [
  { name: "answers requests, and several at a time", run: checkMany },
  {
    name: "inline ends a request that never ends, and answers the next",
    run: (subject) => checkFailure(subject, "inline", ENDLESS),
  },
  {
    name: "in a process ends a request that never ends, and answers the next",
    run: (subject) => checkFailure(subject, "process", ENDLESS),
  },
  {
    name: "inline answers the next request after one that traps",
    run: (subject) => checkFailure(subject, "inline", TRAP),
  },
  {
    name: "in a process answers the next request after one that traps",
    run: (subject) => checkFailure(subject, "process", TRAP),
  },
  { name: "runs no more requests at a time than it may", run: checkBound },
];

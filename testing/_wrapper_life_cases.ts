/** What a wrapper promises of its beginning and its end. */

import { pause } from "./_pause.ts";
import type { WrapperCase, WrapperSubject } from "./_wrapper_case.ts";
import {
  check,
  eventually,
  failureOf,
  outcomeOf,
  soon,
} from "./_wrapper_check.ts";
import { ENDLESS } from "./_wrapper_guest.ts";
import { children, sockets, watched } from "./_wrapper_host.ts";

/** How long something is let go on before it is ended, in milliseconds. */
const MEANWHILE_MS = 400;

async function checkQuiet(subject: WrapperSubject): Promise<void> {
  // what is loaded or begun but once is there from now on
  await using _warm = await subject.open();
  const before = { sockets: sockets(), children: children().length };
  const { result, printed, timers } = await watched(() => subject.open());
  await using wrapper = result;
  check(timers === 0, `${timers} timers run once it is made`);
  check(
    sockets() === before.sockets,
    `${sockets() - before.sockets} sockets are open once it is made`,
  );
  check(
    children().length === before.children,
    `${children().length - before.children} processes run once it is made`,
  );
  const requests = await watched(async () => {
    await subject.request(wrapper);
    await outcomeOf(() => subject.request(wrapper, "!"), "a trap");
  });
  const [first] = [...printed, ...requests.printed];
  check(first === undefined, `it prints, through ${first}`);
}

async function checkAbortedBefore(subject: WrapperSubject): Promise<void> {
  const reason = new Error("not wanted");
  const signal = AbortSignal.abort(reason);
  const error = await failureOf(async () => {
    await using _wrapper = await subject.open({}, { signal });
  }, "create() with an aborted signal");
  check(error === reason, `it is rejected with ${error}, not with the reason`);
}

async function checkAbortedMeanwhile(subject: WrapperSubject): Promise<void> {
  const reason = new Error("not wanted any more");
  const controller = new AbortController();
  const module = subject.guest({ start: "spins" });
  const making = outcomeOf(
    async () => {
      await using _wrapper = await subject.open(
        { module, isolation: "process", timeoutMs: 60_000 },
        { signal: controller.signal },
      );
    },
    "create() that is aborted",
  );
  await pause(MEANWHILE_MS);
  controller.abort(reason);
  const outcome = await making;
  check(
    outcome.state === "rejected" && outcome.reason === reason,
    `it is ${outcome.state}, not rejected with the reason`,
  );
}

async function checkDisposal(subject: WrapperSubject): Promise<void> {
  const wrapper = await subject.open();
  await subject.request(wrapper);
  await Promise.all([
    wrapper[Symbol.asyncDispose](),
    wrapper[Symbol.asyncDispose](),
  ]);
  await wrapper[Symbol.asyncDispose]();
  const what = "a request after disposal";
  const error = await failureOf(() => subject.request(wrapper), what);
  check(
    subject.isDisposed(error),
    `${what} did not fail as "disposed" but with ${error}`,
  );
}

async function checkDisposalMeanwhile(subject: WrapperSubject): Promise<void> {
  const before = children().length;
  const wrapper = await subject.open({
    isolation: "process",
    maxConcurrent: 1,
    timeoutMs: 60_000,
  });
  // one runs, the others wait or are refused
  const requests = [1, 2, 3].map(() =>
    outcomeOf(() => subject.request(wrapper, ENDLESS), "a request")
  );
  await pause(MEANWHILE_MS);
  await soon(
    wrapper[Symbol.asyncDispose](),
    "disposal while a request runs",
    10_000,
  );
  for (const { state } of await Promise.all(requests)) {
    check(state === "rejected", "a request that was stopped is answered");
  }
  await eventually(
    () => children().length <= before,
    "a guest runs on after disposal",
  );
}

/** Beginning and end. */
export const WRAPPER_LIFE_CASES: readonly WrapperCase[] = [
  { name: "starts nothing and prints nothing", run: checkQuiet },
  {
    name: "is not made if the signal is aborted",
    run: checkAbortedBefore,
  },
  {
    name: "is not made any more once the signal is aborted",
    run: checkAbortedMeanwhile,
  },
  {
    name: "is disposed twice as once, and then is disposed",
    run: checkDisposal,
  },
  {
    name: "ends what runs when it is disposed",
    run: checkDisposalMeanwhile,
  },
];

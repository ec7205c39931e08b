/** What a runtime promises of functions that guests ask for by name. */

import type { Sandbox } from "../sandbox.ts";
import type { SandboxCase } from "./_runtime_case.ts";
import { check, checkFails, checkLimit, checkSame } from "./_runtime_check.ts";
import { type SandboxPlace, withDeadline } from "./_runtime_place.ts";

type Double = (value: number) => unknown;

function open(
  place: SandboxPlace,
  double: Double,
  timeoutMs = 5_000,
): Promise<Sandbox> {
  return place.sandbox("asks_by_name", {
    hostFunctions: { double: (value: unknown) => double(Number(value)) },
    ...withDeadline(place, timeoutMs),
  });
}

/** Whether a guest can wait for its host. */
function canWait({ isolation, runtime }: SandboxPlace): boolean {
  return runtime.features.async || isolation === "process";
}

async function checkPromise(place: SandboxPlace): Promise<void> {
  const answers: Promise<number>[] = [];
  await using sandbox = await open(place, (value) => {
    const answer = new Promise<number>((resolve) =>
      setTimeout(() => resolve(2 * value), 5)
    );
    answers.push(answer);
    return answer;
  });
  if (canWait(place)) {
    checkSame(await sandbox.call("ask", 21), 42, "an answer that comes later");
    checkSame(await sandbox.call("ask", 4), 8, "the next answer");
    return;
  }
  await checkFails(
    () => sandbox.call("ask", 21),
    "unsupported",
    "a promise, for which no guest can wait,",
  );
  // nobody looks at it, but it is on its way
  await Promise.all(answers);
}

/** Functions by name. */
export const SERVICE_CASES: readonly SandboxCase[] = [
  {
    name: "lets guests ask for functions by name",
    applies: ({ calls }) => calls,
    async run(place) {
      await using sandbox = await open(place, (value) => value * 2);
      checkSame(await sandbox.call("ask", 21), 42, "an answer");
      checkSame(await sandbox.call("ask", -0.5), -1, "another answer");
      await using none = await place.sandbox("asks_by_name");
      checkSame(await none.call("ask", 21), 2, "the status of nothing");
      await using failing = await open(place, () => {
        throw new Error("no");
      });
      checkSame(await failing.call("ask", 21), 4, "the status of a failure");
    },
  },
  {
    name: "lets guests wait for functions by name, or refuses it",
    applies: ({ calls }) => calls,
    run: checkPromise,
  },
  {
    name: "ends guests that wait too long for functions by name",
    applies: ({ calls, limits }) => calls && limits.timeoutMs !== undefined,
    async run(place) {
      if (!canWait(place)) return;
      await using sandbox = await open(place, () => new Promise(() => {}), 100);
      await checkLimit(() => sandbox.call("ask", 1), "timeoutMs", "a wait");
      check(sandbox.failure !== undefined, "the guest lives on");
      await sandbox.reset();
    },
  },
];

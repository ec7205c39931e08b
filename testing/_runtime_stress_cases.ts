/** What a runtime promises when much happens at once, or at a bad time. */

import { SandboxError } from "../errors.ts";
import type { HostFunction, HostImports } from "../runtime/types.ts";
import { soon } from "./_check.ts";
import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkFails, checkLimit, checkSame } from "./_runtime_check.ts";
import { type Place, type Subject, withDeadline } from "./_runtime_place.ts";

/** Turns that take some milliseconds. */
const SOME_TURNS = 1_000_000;
/** How many guests call each other. */
const NESTED = 64;

/** What the guest `asks` imports, with one function that matters. */
function asked(none: HostFunction, whole: HostFunction): HostImports {
  return {
    env: {
      mixed: () => 0,
      wide: () => 0n,
      small: () => 0,
      pair: () => [0n, 0],
      whole,
      none,
    },
  };
}

/** What became of something that may fail, but must end. */
async function settled(
  promise: Promise<unknown>,
  what: string,
): Promise<unknown> {
  const outcome = promise.catch((error: unknown) => error);
  const result = await soon(outcome, what);
  check(
    !(result instanceof Error) || SandboxError.is(result),
    `${what} ended with ${result}`,
  );
  return result;
}

async function checkParallel(place: Place): Promise<void> {
  const subjects = await Promise.all(
    Array.from({ length: 4 }, () => place.open("endless")),
  );
  await using all = new AsyncDisposableStack();
  for (const subject of subjects) all.use(subject);
  const results = await Promise.all(
    subjects.flatMap((subject) => [subject.call("turns", [SOME_TURNS])]),
  );
  checkSame(results, [42, 42, 42, 42], "four calls at once");
  if (place.runtime.features.limits.timeoutMs === undefined) return;
  const mixed = await Promise.all(
    subjects.map((subject, at) =>
      settled(
        subject.call(at % 2 === 0 ? "loop" : "turns", at % 2 === 0 ? [] : [9], {
          timeoutMs: 200,
        }),
        "one of several calls",
      )
    ),
  );
  checkSame([mixed[1], mixed[3]], [42, 42], "calls beside endless loops");
}

async function checkOverlap(place: Place): Promise<void> {
  await using subject = await place.open("endless");
  const calls = [1, 2, 3].map(() =>
    settled(subject.call("turns", [SOME_TURNS]), "one of three calls")
  );
  const [first, ...others] = await Promise.all(calls);
  checkSame(first, 42, "the first call");
  for (const other of others) {
    check(
      other === 42 || SandboxError.is(other, "instance-busy"),
      `a call beside another gave ${other}`,
    );
  }
  checkSame(await subject.call("answer"), 42, "a call after them");
}

async function checkDisposalMeanwhile(place: Place): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    const subject = await place.open("endless");
    const call = settled(
      subject.call("turns", [SOME_TURNS]),
      "a call whose guest is let go",
    );
    await soon(subject[Symbol.asyncDispose](), "the disposal");
    const result = await call;
    check(
      result === 42 || SandboxError.is(result, "disposed"),
      `a call whose guest is let go gave ${result}`,
    );
    await checkFails(() => subject.call("answer"), "disposed", "the next call");
  }
}

async function checkDisposalByHost(place: Place): Promise<void> {
  const self: { subject?: Subject } = {};
  let disposal: Promise<void> | undefined;
  const none = () => {
    disposal = Promise.resolve(self.subject?.[Symbol.asyncDispose]());
  };
  await using subject = await place.open("asks", {
    imports: asked(none, () => 0),
  });
  self.subject = subject;
  const result = await settled(subject.call("none"), "a call");
  await soon(disposal ?? Promise.resolve(), "the disposal");
  check(
    result === undefined || SandboxError.is(result, "disposed"),
    `a call whose host lets the guest go gave ${result}`,
  );
  await checkFails(() => subject.call("kept"), "disposed", "the next call");
}

async function checkAbort(place: Place): Promise<void> {
  await using subject = await place.open("endless");
  const controller = new AbortController();
  const reason = new Error("enough");
  const call = soon(
    subject.call("loop", [], { signal: controller.signal, timeoutMs: 200 })
      .catch((error: unknown) => error),
    "a call that is cancelled",
  );
  controller.abort(reason);
  const result = await call;
  // a guest in the thread of its caller is past cancelling
  check(
    result === reason || SandboxError.is(result, "limit-exceeded"),
    `a call that is cancelled gave ${result}`,
  );
}

async function checkNesting(place: Place): Promise<void> {
  await using guests = new AsyncDisposableStack();
  let inner: Subject | undefined;
  for (let level = 0; level < NESTED; level++) {
    const next = inner;
    inner = guests.use(
      await place.open("asks", {
        imports: asked(
          () => {},
          (value: number) =>
            next === undefined
              ? value
              : Number(next.callSync("whole", [value + 1])),
        ),
      }),
    );
  }
  const result = await settled(
    inner?.call("whole", [0]) ?? Promise.resolve(),
    "guests that call each other",
  );
  check(
    result === NESTED - 1 || SandboxError.is(result),
    `${NESTED} guests that call each other gave ${result}`,
  );
  await using after = await place.open("traps");
  checkSame(await after.call("answer"), 42, "a guest after them");
}

async function checkDeepAsking(place: Place): Promise<void> {
  let depth = 0;
  const imports = { env: { deep: (at: number) => void (depth = at) } };
  await using subject = await place.open("deep_asks", {
    imports,
    ...withDeadline(place, 30_000),
  });
  // to ask from one process to another takes longer
  const mask = place.name === "in a process" ? 127 : 0;
  for (let turn = 0; turn < 2; turn++) {
    const run = () => subject.call("down", [0, mask]);
    if (place.runtime.features.limits.stack === undefined) {
      await checkFails(run, ["limit-exceeded", "trap"], "deep recursion");
    } else await checkLimit(run, ["stack", "stackBytes"], "deep recursion");
    check(depth > 100, `the host was asked ${depth} deep`);
    await subject.renew();
    checkSame(await subject.call("answer"), 42, "the next instance");
  }
}

async function checkDeepHost(place: Place): Promise<void> {
  const deep = (at: number): number => deep(at + 1) + 1;
  await using subject = await place.open("deep_asks", {
    imports: { env: { deep: (at: number) => void deep(at) } },
  });
  await checkFails(
    () => subject.call("once", [0]),
    ["host-function-failed", "limit-exceeded"],
    "a function of the host that recurses without end",
  );
  await subject.renew();
  checkSame(await subject.call("answer"), 42, "the next instance");
}

/** What happens at once, or at a bad time. */
export const STRESS_CASES: readonly PlaceCase[] = [
  { name: "serves several guests at once", run: checkParallel },
  { name: "serves calls that overlap, or refuses them", run: checkOverlap },
  { name: "lets a guest go that runs", run: checkDisposalMeanwhile },
  { name: "lets its host let a guest go", run: checkDisposalByHost },
  {
    name: "ends a call that is cancelled",
    applies: ({ limits }) => limits.timeoutMs !== undefined,
    run: checkAbort,
  },
  {
    name: "lets guests call each other, as deep as the stack is",
    applies: ({ sync }) => sync,
    async run(place) {
      if (place.name !== "in a process") await checkNesting(place);
    },
  },
  { name: "ends a guest that asks its host ever deeper", run: checkDeepAsking },
  { name: "survives a host that recurses without end", run: checkDeepHost },
];

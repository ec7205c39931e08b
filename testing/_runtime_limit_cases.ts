/** What a runtime promises of the limits that it claims to enforce. */

import type { RuntimeFeatures } from "../runtime/types.ts";
import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkInTime, checkLimit, checkSame } from "./_runtime_check.ts";
import { guest, type Place } from "./_runtime_place.ts";
import { checkDead } from "./_runtime_trap_cases.ts";

const PAGE = 65_536;

/** A case that applies if the limit is claimed. */
export function holds(
  limit: keyof RuntimeFeatures["limits"],
  what: string,
  run: (place: Place) => Promise<void>,
): PlaceCase {
  return {
    name: `keeps ${limit}: ${what}`,
    applies: ({ limits }) => claims(limits, limit),
    run,
  };
}

function claims(
  limits: RuntimeFeatures["limits"],
  name: keyof RuntimeFeatures["limits"],
): boolean {
  return (limits[name]?.level ?? "none") !== "none";
}

async function checkMemory(place: Place): Promise<void> {
  const limits = { memoryBytes: 5 * PAGE + 100 };
  await using subject = await place.open("memory", { limits });
  checkSame(await subject.call("grow", [3]), 2, "growth to the cap");
  checkSame(await subject.call("grow", [1]), -1, "growth beyond the cap");
  checkSame(await subject.call("grow", [-1]), -1, "growth by 4 GiB");
  checkSame(await subject.call("size"), 5, "the size after that");
  checkSame(subject.used("memoryBytes"), 5 * PAGE, "usage of memory");
  checkSame(await subject.call("touch"), 5, "pages that are there");
  await subject.renew();
  checkSame(await subject.call("flood"), 5, "pages of a guest that wants all");
}

async function checkInitialMemory(place: Place): Promise<void> {
  for (const name of ["huge_memory", "memory"] as const) {
    const limits = { memoryBytes: PAGE };
    await checkInTime(
      () =>
        checkLimit(
          () => place.open(name, { limits }),
          "memoryBytes",
          `the guest ${name} with one page`,
        ),
      "a refusal",
    );
  }
}

async function checkSeveralMemories(place: Place): Promise<void> {
  await checkLimit(
    () =>
      place.open("feature_multiMemory", {
        limits: { memoryBytes: PAGE },
        features: { multiMemory: true },
      }),
    "memoryBytes",
    "two memories of a page each, with one page",
  );
}

async function checkTable(place: Place): Promise<void> {
  const limits = { tableElements: 10 };
  await using subject = await place.open("tables", { limits });
  checkSame(await subject.call("grow", [6]), 4, "growth to the cap");
  checkSame(await subject.call("grow", [1]), -1, "growth beyond the cap");
  checkSame(subject.used("tableElements"), 10, "usage of tables");
  await subject.renew();
  const size = Number(await subject.call("flood"));
  check(size <= 10, `a table grew to ${size}`);
}

/** Every way not to end. */
export const ENDLESS = [
  ["loop", []],
  ["counts", []],
  ["tree", [60]],
  ["grows", []],
  ["calls", []],
] as const;

async function checkDeadline(place: Place): Promise<void> {
  await using subject = await place.open("endless", {
    limits: { timeoutMs: 100 },
  });
  for (const [name, args] of ENDLESS) {
    const { allowed } = await checkInTime(
      () => checkLimit(() => subject.call(name, args), "timeoutMs", name),
      `the end of ${name}`,
    );
    checkSame(allowed, 100, "what was allowed");
    await checkDead(subject, "limit-exceeded");
  }
}

async function checkShorterDeadline(place: Place): Promise<void> {
  await using subject = await place.open("endless", {
    limits: { timeoutMs: 2_000 },
  });
  const { allowed } = await checkInTime(
    () =>
      checkLimit(
        () => subject.call("loop", [], { timeoutMs: 50 }),
        "timeoutMs",
        "a call with a shorter deadline",
      ),
    "the end of a call with a shorter deadline",
  );
  checkSame(allowed, 50, "what was allowed");
}

async function checkSlowHost(place: Place): Promise<void> {
  let calls = 0;
  const block = () => {
    calls++;
    const end = performance.now() + 20;
    while (performance.now() < end);
  };
  await using subject = await place.open("asks", {
    limits: { timeoutMs: 100 },
    imports: {
      env: {
        mixed: () => 0,
        wide: () => 0n,
        small: () => 0,
        whole: () => 0,
        pair: () => [0n, 0],
        none: block,
      },
    },
  });
  await checkLimit(
    () => subject.call("endless"),
    "timeoutMs",
    "a guest that asks without end",
  );
  const before = calls;
  await new Promise((resolve) => setTimeout(resolve, 50));
  checkSame(calls, before, "calls of the host after the end");
}

async function checkMessageBytes(place: Place): Promise<void> {
  const limits = { messageBytes: 100 };
  await using subject = await place.open("messages", { limits });
  const reply = (length: number) =>
    subject.bytes("reply", new Uint8Array(Uint32Array.of(length).buffer));
  const send = (length: number) =>
    subject.bytes("echo", new Uint8Array(length));
  checkSame((await send(100)).length, 100, "a message of 100 bytes");
  checkSame((await reply(100)).length, 100, "a reply of 100 bytes");
  const text = JSON.stringify("x".repeat(98));
  checkSame(await subject.text("echo", text), text, "a text of 100 bytes");
  const wide = JSON.stringify("ä".repeat(50));
  for (
    const [run, what] of [
      [() => send(101), "a message"],
      [() => reply(101), "a reply"],
      [() => subject.text("echo", wide), "a text"],
    ] as const
  ) {
    const { allowed } = await checkLimit(run, "messageBytes", what);
    checkSame(allowed, 100, "what was allowed");
    await subject.renew();
  }
}

async function checkModuleBytes(place: Place): Promise<void> {
  const bytes = guest("messages");
  const exact = { limits: { moduleBytes: bytes.length } };
  await using subject = await place.open(bytes, exact);
  checkSame(await subject.call("number", [7]), 7, "a module that just fits");
  await checkLimit(
    () => place.open(bytes, { limits: { moduleBytes: bytes.length - 1 } }),
    "moduleBytes",
    "a module that is a byte too long",
  );
}

async function checkFunctionBytes(place: Place): Promise<void> {
  await using subject = await place.open("long_function", {
    limits: { functionBytes: 101 },
  });
  await subject.call("run");
  await checkLimit(
    () => place.open("long_function", { limits: { functionBytes: 100 } }),
    "functionBytes",
    "a function that is a byte too long",
  );
}

async function checkHostCalls(place: Place): Promise<void> {
  let calls = 0;
  await using subject = await place.open("asks", {
    limits: { hostCalls: 6 },
    imports: {
      env: {
        mixed: () => 0,
        wide: () => 0n,
        small: () => 0,
        whole: () => 0,
        pair: () => [0n, 0],
        none: () => void calls++,
      },
    },
  });
  await subject.call("often", [6]);
  checkSame(calls, 6, "calls of the host");
  checkSame(subject.used("hostCalls"), 6, "usage of host calls");
  await checkLimit(() => subject.call("none"), "hostCalls", "one call more");
  checkSame(calls, 6, "calls of the host after the limit");
  await subject.renew();
  await checkLimit(
    () => subject.call("often", [1_000]),
    "hostCalls",
    "many calls at once",
  );
  checkSame(calls, 12, "calls of the host by the next instance");
}

/** Limits that runtimes enforce. */
export const LIMIT_CASES: readonly PlaceCase[] = [
  holds("memoryBytes", "memory grows to the cap, no further", checkMemory),
  holds("memoryBytes", "what begins larger is refused", checkInitialMemory),
  {
    ...holds("memoryBytes", "memories count together", checkSeveralMemories),
    applies: ({ limits, wasm }) =>
      claims(limits, "memoryBytes") && wasm.includes("multiMemory"),
  },
  {
    ...holds("tableElements", "tables grow to the cap, no further", checkTable),
    applies: ({ limits, wasm }) =>
      claims(limits, "tableElements") && wasm.includes("referenceTypes"),
  },
  holds("tableElements", "what begins larger is refused", async (place) => {
    await using _fits = await place.open("huge_table", {
      limits: { tableElements: 11 },
    });
    await checkLimit(
      () => place.open("huge_table", { limits: { tableElements: 10 } }),
      "tableElements",
      "a table of 11 with a cap of 10",
    );
  }),
  holds("timeoutMs", "whatever never ends is stopped", checkDeadline),
  holds("timeoutMs", "one call may have less", checkShorterDeadline),
  holds("timeoutMs", "the host's time counts", checkSlowHost),
  holds("timeoutMs", "the start function is stopped", async (place) => {
    await checkInTime(
      () =>
        checkLimit(
          () => place.open("start_spins", { limits: { timeoutMs: 100 } }),
          "timeoutMs",
          "a start function without end",
        ),
      "the end of a start function",
    );
  }),
  holds("messageBytes", "requests and replies", checkMessageBytes),
  holds("moduleBytes", "to the byte", checkModuleBytes),
  holds("functionBytes", "to the byte", checkFunctionBytes),
  holds("hostCalls", "to the call", checkHostCalls),
];

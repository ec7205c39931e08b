/** What a runtime promises when guests attack it: the host stands. */

import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkFails, checkLimit, checkSame } from "./_runtime_check.ts";
import type { Place } from "./_runtime_place.ts";
import { untilIdle } from "./effects.ts";

async function checkFlood(place: Place): Promise<void> {
  const { limits } = place.runtime.features;
  if (limits.memoryBytes === undefined) return;
  await using subject = await place.open("memory", {
    limits: { memoryBytes: 2 ** 20 },
  });
  checkSame(await subject.call("flood"), 16, "pages of a flood");
  checkSame(await subject.call("touch"), 16, "pages that can be written");
}

/** Hostile guests. */
export const HOSTILE_CASES: readonly PlaceCase[] = [
  {
    name: "leaves nothing running of a guest that was stopped",
    applies: ({ limits }) => limits.timeoutMs !== undefined,
    async run(place) {
      await using subject = await place.open("endless", {
        limits: { timeoutMs: 50 },
      });
      await checkLimit(() => subject.call("loop"), "timeoutMs", "a loop");
      await untilIdle();
      await using next = await place.open("endless");
      checkSame(await next.call("answer"), 42, "the next guest");
    },
  },
  { name: "contains a guest that floods its memory", run: checkFlood },
  {
    name: "refuses a guest that begins with 4 GiB",
    applies: ({ limits }) => limits.memoryBytes !== undefined,
    async run(place) {
      const before = Deno.memoryUsage().rss;
      for (let turn = 0; turn < 5; turn++) {
        await checkLimit(
          () => place.open("huge_memory"),
          "memoryBytes",
          "a memory of 4 GiB",
        );
      }
      const grown = Deno.memoryUsage().rss - before;
      check(grown < 2 ** 29, `five refusals took ${grown} bytes`);
    },
  },
  {
    name: "lives on after a guest recursed without end, again and again",
    async run(place) {
      await using subject = await place.open("traps");
      for (let turn = 0; turn < 5; turn++) {
        await checkFails(
          () => subject.call("recursion", [0]),
          ["limit-exceeded", "trap"],
          "recursion without end",
        );
        await subject.renew();
      }
      checkSame(await subject.call("answer"), 42, "after it");
    },
  },
  {
    name: "serves other guests while one is dead",
    async run(place) {
      await using other = await place.open("numbers");
      await using subject = await place.open("traps");
      await checkFails(() => subject.call("unreachable"), "trap", "a trap");
      for (let turn = 0; turn < 3; turn++) {
        await checkFails(
          () => subject.call("answer"),
          "instance-dead",
          "a dead guest",
        );
      }
      checkSame(await other.call("count"), 1, "another guest");
    },
  },
];

/** What a runtime promises of what it holds: no more than lives. */

import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkSame } from "./_runtime_check.ts";
import type { Place } from "./_runtime_place.ts";

/** So much may come and go with collections of garbage. */
const NOISE_BYTES = 128 * 2 ** 20;
/** Each guest touches so much memory. */
const GUEST_PAGES = 16;
/** So many guests would take twice what is noise, if they stayed. */
const GUESTS = 256;
const CALLS = 20_000;

/** Fails if memory that has been let go is still taken, after a while. */
async function checkGrowth(
  run: () => Promise<void>,
  what: string,
): Promise<void> {
  const before = Deno.memoryUsage().rss;
  await run();
  let grown = 0;
  for (let turn = 0; turn < 40; turn++) {
    grown = Deno.memoryUsage().rss - before;
    if (grown < NOISE_BYTES) return;
    litter();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  check(false, `${what} left ${Math.round(grown / 2 ** 20)} MiB behind`);
}

/** Makes garbage, so that the collector comes, and finds the rest as well. */
function litter(): number {
  const pieces: object[][] = [];
  // what is held for a while is collected with what is old
  for (let piece = 0; piece < 200; piece++) {
    pieces.push(new Array(20_000).fill({ piece }));
  }
  return pieces.length;
}

async function makeOne(place: Place): Promise<void> {
  await using subject = await place.open("memory");
  await subject.call("grow", [GUEST_PAGES - 2]);
  checkSame(await subject.call("touch"), GUEST_PAGES, "pages of a guest");
}

async function checkGuests(place: Place): Promise<void> {
  // what a process held is gone with it, which the sanitizers look at
  if (place.name === "in a process") {
    for (let turn = 0; turn < 10; turn++) await makeOne(place);
    return;
  }
  for (let turn = 0; turn < 16; turn++) await makeOne(place);
  await checkGrowth(async () => {
    for (let turn = 0; turn < GUESTS; turn++) await makeOne(place);
  }, `${GUESTS} guests of ${GUEST_PAGES} pages`);
}

async function checkCalls(place: Place): Promise<void> {
  await using subject = await place.open("messages");
  const request = new Uint8Array(16_384);
  const call = async (times: number) => {
    for (let turn = 0; turn < times; turn++) {
      await subject.call("number", [turn]);
      if (turn % 2 === 0) await subject.bytes("echo", request);
    }
  };
  const times = place.name === "in a process" ? CALLS / 20 : CALLS;
  await call(100);
  await checkGrowth(() => call(times), `${times} calls`);
}

/** Leaks. */
export const LEAK_CASES: readonly PlaceCase[] = [
  { name: "keeps nothing of guests that were let go", run: checkGuests },
  { name: "keeps nothing of calls that are over", run: checkCalls },
];

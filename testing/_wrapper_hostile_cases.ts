/** What a wrapper promises of modules that mean harm, and of what it holds. */

import { pause } from "./_pause.ts";
import type { WrapperCase, WrapperSubject } from "./_wrapper_case.ts";
import { check, outcomeOf, soon } from "./_wrapper_check.ts";
import { children, sockets, watched } from "./_wrapper_host.ts";

/** So much may come and go with collections of garbage. */
const NOISE_BYTES = 128 * 2 ** 20;
const TIMES = 100;

/** Modules by what is wrong with them. */
const HOSTILE: Readonly<
  Record<string, (subject: WrapperSubject) => Uint8Array<ArrayBuffer>>
> = {
  "whose start never ends": (subject) => subject.guest({ start: "spins" }),
  "whose start traps": (subject) => subject.guest({ start: "traps" }),
  "that wants 4 GiB": (subject) => subject.guest({ pages: 65_536 }),
  "that imports what nobody grants": (subject) => subject.guest({ asks: true }),
  "that is cut short": (subject) => subject.guest().subarray(0, -7),
  "that is noise": () => new Uint8Array(4_096).fill(0xa5),
  "that is empty": () => new Uint8Array(),
};

/** Whoever makes it is told, or whoever asks it; others are not harmed. */
async function checkContained(
  subject: WrapperSubject,
  module: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const before = Deno.memoryUsage().rss;
  const made = await outcomeOf(async () => {
    await using wrapper = await subject.open({ module, timeoutMs: 500 });
    await subject.request(wrapper);
  }, "a wrapper around it");
  check(made.state === "rejected", "it is taken, and answers");
  const { reason } = made;
  check(
    reason instanceof Error && reason.message.length > 10,
    `it is refused without a reason: ${reason}`,
  );
  const grown = Deno.memoryUsage().rss - before;
  check(grown < 4 * NOISE_BYTES, `it takes ${grown} bytes of the host`);
  await using wrapper = await subject.open();
  await soon(subject.request(wrapper), "a request to another wrapper");
}

async function makeOne(subject: WrapperSubject): Promise<void> {
  await using wrapper = await subject.open();
  await subject.request(wrapper);
}

async function checkLeaks(subject: WrapperSubject): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await makeOne(subject);
  litter();
  const before = memory();
  const held = { sockets: sockets(), children: children().length };
  const { timers } = await watched(async () => {
    for (let turn = 0; turn < TIMES; turn++) await makeOne(subject);
  });
  check(timers === 0, `${timers} timers are left of ${TIMES} wrappers`);
  check(
    sockets() <= held.sockets && children().length <= held.children,
    `sockets or processes are left of ${TIMES} wrappers`,
  );
  let grown = 0;
  for (let turn = 0; turn < 40; turn++) {
    const now = memory();
    grown = Math.max(now.resident - before.resident, now.used - before.used);
    if (grown < NOISE_BYTES) return;
    litter();
    await pause(25);
  }
  check(false, `${TIMES} wrappers left ${Math.round(grown / 2 ** 20)} MiB`);
}

/** What is resident may have been so before it was used again. */
function memory(): { readonly resident: number; readonly used: number } {
  const { rss, heapUsed, external } = Deno.memoryUsage();
  return { resident: rss, used: heapUsed + external };
}

/** Makes garbage, so that the collector comes, and finds the rest as well. */
function litter(): number {
  const pieces: object[][] = [];
  for (let piece = 0; piece < 200; piece++) {
    pieces.push(new Array(20_000).fill({ piece }));
  }
  return pieces.length;
}

/** Harm and leaks. */
export const WRAPPER_HOSTILE_CASES: readonly WrapperCase[] = [
  ...Object.entries(HOSTILE).map(([what, make]): WrapperCase => ({
    name: `contains a module ${what}`,
    run: (subject) => checkContained(subject, make(subject)),
  })),
  { name: "keeps nothing of wrappers that were let go", run: checkLeaks },
];

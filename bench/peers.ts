/**
 * The same work through other ways to run a guest from JavaScript.
 *
 * @module
 */

import {
  type Benchmark,
  interleave,
  print,
  summarize,
  type Summary,
  table,
} from "./measure.ts";
import { type Peer, PEERS } from "./peer_libraries.ts";

/** How many calls make up one sample of a warm call. */
const CALLS = 20;
const TEXT = "the quick brown fox jumps over the lazy dog ".repeat(20);
const VOWELS = 220;
const INPUT = new TextEncoder().encode(TEXT);

/** Measures other libraries. */
export const peers: Benchmark = {
  name: "peers",
  about:
    `Counting the vowels of ${TEXT.length} characters: bytes in, the count out.\n` +
    "Each side has a guest of its own, written by hand for the interface that\n" +
    "it has, with the same counting loop; Extism's reads each byte through a\n" +
    "host function, Wasmer's is a program that starts anew for each call.\n" +
    "Create: from bytes until it can be called; the library is loaded already.",
  async run({ quick }) {
    const sides: Peer[] = [];
    for (const [name, make] of Object.entries(PEERS)) {
      try {
        const peer = await make();
        await measureOnce(peer);
        sides.push(peer);
      } catch (error) {
        print(
          `${name} skipped: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
    const rows = await measure(sides, quick);
    print(show(rows));
    for (const { close } of sides) await close?.();
    return { rows };
  },
};

interface Row {
  readonly peer: Peer;
  readonly createMs: Summary;
  readonly firstCallMs: Summary;
  readonly warmCallMs: Summary;
}

/** Creates, calls once, and closes. */
async function measureOnce({ start }: Peer) {
  const begin = performance.now();
  const started = await start();
  const ready = performance.now();
  const count = await started.call(INPUT);
  const end = performance.now();
  await started.close();
  if (count !== VOWELS) throw new Error(`it counts ${count}, not ${VOWELS}`);
  return { create: ready - begin, call: end - ready };
}

async function measure(
  sides: readonly Peer[],
  quick: boolean,
): Promise<readonly Row[]> {
  const rounds = quick ? 3 : 15;
  const once = sides.map(() => [] as Awaited<ReturnType<typeof measureOnce>>[]);
  await interleave(
    sides.map((peer, index) => ({
      name: peer.name,
      run: async () => once[index]?.push(await measureOnce(peer)),
    })),
    { rounds, warmup: 0 },
  );
  const started = await Promise.all(sides.map(({ start }) => start()));
  const times = await interleave(
    started.map((each, index) => ({
      name: sides[index]?.name ?? "",
      async run() {
        for (let k = 0; k < CALLS; k++) await each.call(INPUT);
      },
    })),
    { rounds },
  );
  for (const each of started) await each.close();
  return sides.map((peer, index) => ({
    peer,
    createMs: summarize((once[index] ?? []).map(({ create }) => create)),
    firstCallMs: summarize((once[index] ?? []).map(({ call }) => call)),
    warmCallMs: summarize((times[index] ?? []).map((ms) => ms / CALLS)),
  }));
}

function show(rows: readonly Row[]): string {
  const cells = ({ median, low, high }: Summary) => [
    median.toFixed(3),
    `${low.toFixed(3)}–${high.toFixed(3)}`,
  ];
  const figures = table(
    [
      "",
      "create ms",
      "half within",
      "first call ms",
      "half within",
      "warm call ms",
      "half within",
    ],
    rows.map(({ peer, createMs, firstCallMs, warmCallMs }) => [
      peer.name,
      ...cells(createMs),
      ...cells(firstCallMs),
      ...cells(warmCallMs),
    ]),
  );
  const limits = rows.map(({ peer }) => `${peer.name}: ${peer.enforces}`);
  return `${figures}\n\nWhat each enforces here\n\n${limits.join("\n")}`;
}

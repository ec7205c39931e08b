/** Measures a call in different places, in turns. */

import type { Progress } from "../progress.ts";
import {
  interleave,
  ratio,
  type Samples,
  type Side,
  summarize,
} from "./measure.ts";
import {
  type OpenSide,
  openSide,
  resultText,
  SIDE_TITLES,
  type Subject,
  whyNot,
} from "./sides.ts";
import { SIDE_NAMES, type SideName } from "./side_names.ts";
import type { BenchFigures, SideFigures } from "./text.ts";

/** Options of {@linkcode measure}. */
export interface MeasureOptions {
  /** Sides that are left out. */
  readonly skip: readonly SideName[];
  /** About how long to measure, in milliseconds. */
  readonly timeMs: number;
  /** Told how far it is. */
  readonly onProgress: (progress: Progress) => void;
}

/** Shortest sample, in milliseconds: longer than what a clock is off by. */
const SAMPLE_MS = 5;
const MAX_CALLS = 1_000_000;
const MIN_ROUNDS = 3;
const MAX_ROUNDS = 200;
/** How often the way from the bytes to the first result is measured. */
const FIRST_ROUNDS = 5;

/** A side that takes part. */
interface Runner {
  readonly name: SideName;
  readonly open: OpenSide;
  readonly result: string;
}

/**
 * Measures a call in different places.
 *
 * @param subject What is called.
 * @param options What is left out, and how long it may take.
 * @returns What was found.
 * @throws {SandboxError} If the call fails within its limits.
 */
export async function measure(
  subject: Subject,
  { skip, timeMs, onProgress }: MeasureOptions,
): Promise<BenchFigures> {
  onProgress({ text: "calling it once, within its limits" });
  const result = await firstResult("inline", subject);
  await using open = new AsyncDisposableStack();
  const runners: Runner[] = [];
  const skipped: { readonly name: SideName; readonly reason: string }[] = [];
  for (const name of SIDE_NAMES.filter((each) => !skip.includes(each))) {
    onProgress({ text: `opening ${SIDE_TITLES[name]}` });
    try {
      const side = open.use(await openSide(name, subject));
      const own = resultText(await side.call(), subject.input);
      runners.push({ name, open: side, result: own });
    } catch (error) {
      skipped.push({ name, reason: whyNot(name, subject, error) });
    }
  }
  const first = await measureFirst(runners, subject, onProgress);
  const { samples, calls } = await measureCalls(runners, timeMs, onProgress);
  const [base = []] = samples;
  const sides = runners.map(({ name }, index): SideFigures => ({
    name,
    calls: calls[index] ?? 0,
    call: summarize(samples[index] ?? []),
    ratio: ratio(samples[index] ?? [], base),
    first: summarize(first[index] ?? []),
  }));
  const disagreeing = runners.filter((each) => each.result !== result)
    .map(({ name }) => name);
  return { result, rounds: base.length, sides, skipped, disagreeing };
}

async function firstResult(side: SideName, subject: Subject): Promise<string> {
  await using open = await openSide(side, subject);
  return resultText(await open.call(), subject.input);
}

/** From the bytes to the first result, each time anew. */
async function measureFirst(
  runners: readonly Runner[],
  subject: Subject,
  onProgress: MeasureOptions["onProgress"],
): Promise<readonly Samples[]> {
  const sides = runners.map(({ name }): Side => ({
    name,
    run: () => firstResult(name, subject),
  }));
  return await interleave(sides, {
    rounds: FIRST_ROUNDS,
    warmup: 1,
    onRound: (done) => onProgress({ text: "first results", done }),
  });
}

/** Milliseconds of a call, one for each round, and how many make a sample. */
async function measureCalls(
  runners: readonly Runner[],
  timeMs: number,
  onProgress: MeasureOptions["onProgress"],
): Promise<
  { readonly samples: readonly Samples[]; readonly calls: readonly number[] }
> {
  onProgress({ text: "finding out how long a call takes" });
  const calls: number[] = [];
  let roundMs = 0;
  for (const { open } of runners) {
    const found = await calibrate(open);
    calls.push(found.calls);
    roundMs += found.ms;
  }
  const rounds = Math.min(
    MAX_ROUNDS,
    Math.max(MIN_ROUNDS, Math.floor(timeMs / roundMs)),
  );
  const sides = runners.map(({ name, open }, index): Side => ({
    name,
    run: () => repeat(open, calls[index] ?? 1),
  }));
  const times = await interleave(sides, {
    rounds,
    // what is measured has run while it was found out how long it takes
    warmup: 1,
    onRound: (done) => onProgress({ text: "calls", done }),
  });
  const samples = times.map((each, index) =>
    each.map((ms) => ms / (calls[index] ?? 1))
  );
  return { samples, calls };
}

/** How many calls take long enough to be measured, and how long that is. */
async function calibrate(
  open: OpenSide,
): Promise<{ readonly calls: number; readonly ms: number }> {
  let calls = 1;
  while (true) {
    const start = performance.now();
    await repeat(open, calls);
    const ms = performance.now() - start;
    if (ms >= SAMPLE_MS || calls >= MAX_CALLS) return { calls, ms };
    calls *= 2;
  }
}

/** Calls in a row: without a wait, where a call needs none. */
function repeat({ call, isSync }: OpenSide, times: number): unknown {
  if (!isSync) return repeatAsync(call, times);
  for (let count = 0; count < times; count++) call();
}

async function repeatAsync(call: () => unknown, times: number): Promise<void> {
  for (let count = 0; count < times; count++) await call();
}

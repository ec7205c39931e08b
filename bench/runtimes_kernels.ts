/**
 * Guests that compute, on each engine.
 *
 * @module
 */

import type { Runtime } from "../runtime/types.ts";
import {
  geomean,
  print,
  type Ratio,
  ratio,
  type RunOptions,
  type Samples,
  summarize,
  table,
  target,
} from "./measure.ts";
import {
  type Engines,
  interleaveTimed,
  PEER_CONFIGS,
  SIDES,
  timed,
  type TimedSide,
} from "./runtimes_sides.ts";

const FOLDER = new URL("./kernels/", import.meta.url);

/** Whom each side is compared with, and the target of the geometric mean. */
const PAIRS: readonly (readonly [string, string, number?])[] = [
  [SIDES.wasmtime, SIDES.peer, 1.05],
  [SIDES.wasmtime, SIDES.peerDefault],
  [SIDES.wasmtime, SIDES.raw],
  [SIDES.v8, SIDES.wasmtime],
  [SIDES.v8, SIDES.raw],
  [SIDES.peer, SIDES.raw],
];

/** The times of one kernel, and how the sides compare. */
interface Row {
  readonly kernel: string;
  /** Milliseconds of each side, by its name. */
  readonly ms: Readonly<Record<string, number>>;
  /** By the names of both sides. */
  readonly ratios: Readonly<Record<string, Ratio>>;
}

/** What was found of all kernels. */
export interface KernelFigures {
  /** Each kernel. */
  readonly rows: readonly Row[];
  /** Geometric means of the ratios, by the names of both sides. */
  readonly means: Readonly<Record<string, number>>;
}

/** Measures the kernels of bench/kernels. */
export async function measureKernels(
  engines: Engines,
  { quick }: RunOptions,
): Promise<KernelFigures> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name.endsWith(".wasm")) names.push(name.slice(0, -5));
  }
  const rows: Row[] = [];
  for (const kernel of names.sort()) {
    rows.push(await measure(kernel, engines, quick));
  }
  const means: Record<string, number> = {};
  for (const [side, base] of PAIRS) {
    const ratios = column(rows, pairName(side, base));
    if (ratios.length > 0) means[pairName(side, base)] = geomean(ratios);
  }
  print(show(rows, means));
  return { rows, means };
}

/** How long the work of one sample is to take, in milliseconds. */
const SAMPLE_MS = 200;
const QUICK_SAMPLE_MS = 25;

async function measure(
  kernel: string,
  engines: Engines,
  quick: boolean,
): Promise<Row> {
  const bytes = await Deno.readFile(new URL(`${kernel}.wasm`, FOLDER));
  await using resources = new AsyncDisposableStack();
  const calls = await callsOf(bytes, engines, resources);
  const [raw] = calls;
  raw?.run(2);
  const once = timed(() => raw?.run(1));
  const repeats = Math.max(
    1,
    Math.round((quick ? QUICK_SAMPLE_MS : SAMPLE_MS) / once),
  );
  const sides: readonly TimedSide[] = calls.map(({ name, run }) => ({
    name,
    run: async () => await run(repeats) / repeats,
  }));
  const times = await interleaveTimed(sides, {
    rounds: quick ? 3 : 9,
    warmup: 2,
  });
  const samples = new Map(
    sides.map(({ name }, index) => [name, times[index] ?? []]),
  );
  return { kernel, ...rowOf(samples) };
}

/** A side that runs a kernel as often as it is told. */
interface Runner {
  readonly name: string;
  run(repeats: number): number | Promise<number>;
}

async function callsOf(
  bytes: Uint8Array<ArrayBuffer>,
  { v8, wasmtime, peer }: Engines,
  resources: AsyncDisposableStack,
): Promise<readonly Runner[]> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const raw = exports as { run: (n: number) => number };
  const runners: Runner[] = [
    {
      name: SIDES.raw,
      run: (repeats) => timed(() => repeat(repeats, () => raw.run(1))),
    },
    await ours(SIDES.v8, v8, bytes, resources),
  ];
  if (wasmtime !== undefined) {
    runners.push(await ours(SIDES.wasmtime, wasmtime, bytes, resources));
  }
  if (peer === undefined) return runners;
  for (const [name, config] of Object.entries(PEER_CONFIGS)) {
    await peer.load({ guest: name, module: bytes, config });
    resources.defer(() => peer.drop(name));
    const call = { guest: name, name: "run", args: [1] };
    runners.push({ name, run: (repeats) => peer.call(call, repeats) });
  }
  return runners;
}

async function ours(
  name: string,
  runtime: Runtime,
  bytes: Uint8Array<ArrayBuffer>,
  resources: AsyncDisposableStack,
): Promise<Runner> {
  const limits = { timeoutMs: 60_000 };
  const module = await runtime.compile(bytes, { limits });
  const instance = resources.use(await runtime.instantiate(module, { limits }));
  return {
    name,
    run: (repeats) =>
      timed(() => repeat(repeats, () => instance.callSync("run", [1]))),
  };
}

function repeat(times: number, work: () => void): void {
  for (let k = 0; k < times; k++) work();
}

function rowOf(samples: ReadonlyMap<string, Samples>): Omit<Row, "kernel"> {
  const ratios: Record<string, Ratio> = {};
  for (const [side, base] of PAIRS) {
    const [ours, theirs] = [samples.get(side), samples.get(base)];
    if (ours === undefined || theirs === undefined) continue;
    ratios[pairName(side, base)] = ratio(ours, theirs);
  }
  const ms = Object.fromEntries(
    [...samples].map(([name, times]) => [name, summarize(times).median]),
  );
  return { ms, ratios };
}

/** What the ratio of two sides is called. */
export function pairName(side: string, base: string): string {
  return `${side} ÷ ${base}`;
}

function column(rows: readonly Row[], pair: string): readonly number[] {
  return rows.map(({ ratios }) => ratios[pair]?.median)
    .filter((each) => each !== undefined);
}

function show(
  rows: readonly Row[],
  means: Readonly<Record<string, number>>,
): string {
  const pairs = Object.keys(means);
  const letters = pairs.map((_, index) => String.fromCharCode(65 + index));
  const body = rows.map(({ kernel, ms, ratios }) => [
    kernel,
    ms[SIDES.raw]?.toFixed(1) ?? "",
    ...pairs.flatMap((pair) => {
      const { median = NaN, low = NaN, high = NaN } = ratios[pair] ?? {};
      return [median.toFixed(3), `${low.toFixed(2)}–${high.toFixed(2)}`];
    }),
  ]);
  const foot = pairs.flatMap((pair) => [means[pair]?.toFixed(3) ?? "", ""]);
  const targets = new Map(
    PAIRS.map(([side, base, most]) => [pairName(side, base), most]),
  );
  return [
    ...pairs.map((pair, index) => {
      const [mean = NaN, most] = [means[pair], targets.get(pair)];
      const verdict = most === undefined ? "" : `, ${target(mean, most)}`;
      return `${letters[index]}: ${pair}${verdict}`;
    }),
    "",
    table(
      [
        "kernel",
        "raw ms",
        ...letters.flatMap((letter) => [letter, "half within"]),
      ],
      [...body, ["geometric mean", "", ...foot]],
    ),
    "",
  ].join("\n");
}

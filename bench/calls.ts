/**
 * What it costs to go in and out of a guest.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";
import { V8Runtime } from "../runtime/mod.ts";
import {
  type Benchmark,
  interleave,
  type InterleaveOptions,
  print,
  type Samples,
  type Side,
  summarize,
  type Summary,
  table,
  target,
} from "./measure.ts";
import { measureMessages, type RawGuest, rawGuest } from "./messages.ts";

const GUEST = new URL("../examples/guests/c/text_stats.wasm", import.meta.url);

/** Measures calls. */
export const calls: Benchmark = {
  name: "calls",
  about: "The guarded call against the raw one, each many times in a row.\n" +
    "Raw is the export itself for numbers; for JSON and bytes it is the least\n" +
    "that works: encode, alloc, set, call, decode or copy, two frees.",
  async run({ quick }) {
    const module = await Deno.readFile(GUEST);
    const raw = rawGuest(module);
    await using sandbox = await Sandbox.create({ module });
    await using fueled = await Sandbox.create({
      module,
      limits: { fuel: Number.MAX_SAFE_INTEGER },
    });
    await using runtime = new V8Runtime();
    const instance = await runtime.instantiate(await runtime.compile(module));
    const rounds = quick ? 5 : 25;
    const numbers = await measureNumbers(
      numberSides(raw, { sandbox, fueled, instance }),
      { rounds, warmup: 5 },
    );
    const messages = await measureMessages(raw, sandbox, rounds);
    return { numbers, messages };
  },
};

/** How many calls make up one sample of a trivial call. */
const CALLS = 200_000;

interface Guarded {
  readonly sandbox: Sandbox;
  readonly fueled: Sandbox;
  readonly instance: Awaited<ReturnType<V8Runtime["instantiate"]>>;
}

/** Loops of `add`; each is a function of its own, so that each is inlined. */
function numberSides(
  { add }: RawGuest,
  { sandbox, fueled, instance }: Guarded,
): readonly Side[] {
  return [
    {
      name: "raw",
      run() {
        for (let k = 0; k < CALLS; k++) add(k, 2);
      },
    },
    {
      name: "Instance.callSync",
      run() {
        for (let k = 0; k < CALLS; k++) instance.callSync("add", [k, 2]);
      },
    },
    {
      name: "Sandbox.callSync",
      run() {
        for (let k = 0; k < CALLS; k++) sandbox.callSync("add", [k, 2]);
      },
    },
    {
      name: "Sandbox.callSync, fuel",
      run() {
        for (let k = 0; k < CALLS; k++) fueled.callSync("add", [k, 2]);
      },
    },
    {
      name: "await of an async function",
      async run() {
        const call = async (a: number) => await Promise.resolve(add(a, 2));
        for (let k = 0; k < CALLS; k++) await call(k);
      },
    },
    {
      name: "Sandbox.call",
      async run() {
        for (let k = 0; k < CALLS; k++) await sandbox.call("add", [k, 2]);
      },
    },
  ];
}

const NUMBER_BARS: Readonly<Record<string, number>> = {
  "Instance.callSync": 60,
  "Sandbox.callSync": 60,
  "Sandbox.call": 250,
};

async function measureNumbers(
  sides: readonly Side[],
  options: InterleaveOptions,
): Promise<Readonly<Record<string, Summary>>> {
  const times = await interleave(sides, options);
  const [raw = []] = times;
  const nanoseconds = (samples: Samples) =>
    summarize(samples.map((ms) => ms * 1e6 / CALLS));
  const figures: Record<string, Summary> = {};
  const rows = sides.map(({ name }, index) => {
    const samples = times[index] ?? [];
    const { median, low, high, min } = figures[name] = nanoseconds(samples);
    const more = nanoseconds(samples.map((ms, k) => ms - (raw[k] ?? 0))).median;
    const most = NUMBER_BARS[name];
    return [
      name,
      median.toFixed(1),
      `${low.toFixed(1)}–${high.toFixed(1)}`,
      min.toFixed(1),
      index === 0 ? "" : `+${more.toFixed(1)}`,
      most === undefined ? "" : target(more, most),
    ];
  });
  print(
    table(
      ["add(k, 2)", "ns", "half within", "least", "over raw", "target"],
      rows,
    ),
  );
  return figures;
}

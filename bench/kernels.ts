/**
 * What limits cost where guests compute: each kernel raw and under limits.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";
import type { ResourceLimits } from "../security/limits.ts";
import {
  type Benchmark,
  geomean,
  interleave,
  print,
  type Ratio,
  ratio,
  type Side,
  summarize,
  table,
  target,
} from "./measure.ts";

const FOLDER = new URL("./kernels/", import.meta.url);

/** The sides besides raw, with the target of each for the geometric mean. */
const SIDES:
  readonly (readonly [string, ResourceLimits, number | undefined])[] = [
    ["deadline", { timeoutMs: 60_000 }, 1.08],
    ["fuel", { timeoutMs: Infinity, fuel: Number.MAX_SAFE_INTEGER }, 1.16],
    ["both", { timeoutMs: 60_000, fuel: Number.MAX_SAFE_INTEGER }, undefined],
  ];

/** The times of one kernel. */
interface Row {
  readonly kernel: string;
  readonly rawMs: number;
  readonly ratios: readonly Ratio[];
}

/** Measures all kernels. */
export const kernels: Benchmark = {
  name: "kernels",
  about: "26 kernels in C, run(1), by raw WebAssembly and under limits.\n" +
    "Times as long as raw: median of the ratios of all rounds, then the ratio\n" +
    "of the shortest times. Instances are made anew for each pass.",
  async run({ quick }) {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(FOLDER)) {
      if (name.endsWith(".wasm")) names.push(name.slice(0, -5));
    }
    const rows: Row[] = [];
    for (const kernel of names.sort()) {
      rows.push(await measure(kernel, quick ? 1 : 3, quick ? 3 : 5));
    }
    print(show(rows));
    return { rows };
  },
};

async function measure(
  kernel: string,
  passes: number,
  rounds: number,
): Promise<Row> {
  const bytes = await Deno.readFile(new URL(`${kernel}.wasm`, FOLDER));
  const all: number[][] = [[], ...SIDES.map(() => [])];
  for (let pass = 0; pass < passes; pass++) {
    await using resources = new AsyncDisposableStack();
    const sides: Side[] = [rawSide(bytes)];
    for (const [name, limits] of SIDES) {
      const sandbox = await Sandbox.create({ module: bytes, limits });
      resources.use(sandbox);
      sides.push({ name, run: () => sandbox.callSync("run", [1]) });
    }
    const times = await interleave(sides, { rounds, warmup: 4 });
    times.forEach((samples, index) => all[index]?.push(...samples));
  }
  const [raw = [], ...limited] = all;
  return {
    kernel,
    rawMs: summarize(raw).median,
    ratios: limited.map((samples) => ratio(samples, raw)),
  };
}

function rawSide(bytes: Uint8Array<ArrayBuffer>): Side {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { run } = exports as { run: (n: number) => number };
  return { name: "raw", run: () => run(1) };
}

function show(rows: readonly Row[]): string {
  const columns = SIDES.map((_, side) =>
    rows.map(({ ratios }) => ratios[side]).filter((each) => each !== undefined)
  );
  const foot = (title: string, sum: (values: readonly number[]) => number) => [
    title,
    "",
    ...columns.flatMap((ratios) => [
      fixed(sum(ratios.map(({ median }) => median))),
      "",
      fixed(sum(ratios.map(({ ofMinima }) => ofMinima))),
    ]),
  ];
  const body = rows.map(({ kernel, rawMs, ratios }) => [
    kernel,
    rawMs.toFixed(2),
    ...ratios.flatMap(({ median, low, high, ofMinima }) => [
      fixed(median),
      `${low.toFixed(2)}–${high.toFixed(2)}`,
      fixed(ofMinima),
    ]),
  ]);
  const head = ["kernel", "raw ms"];
  for (const [name] of SIDES) head.push(name, "half within", "minima");
  const targets = SIDES.flatMap(([name, , most], side) => {
    if (most === undefined) return [];
    const mean = geomean((columns[side] ?? []).map(({ median }) => median));
    return [
      `${name}: geometric mean ${fixed(mean)} (target ${target(mean, most)})`,
    ];
  });
  return [
    table(head, [
      ...body,
      foot("geometric mean", geomean),
      foot("worst", (values) => Math.max(...values)),
    ]),
    "",
    ...targets,
  ].join("\n");
}

function fixed(value: number): string {
  return value.toFixed(3);
}

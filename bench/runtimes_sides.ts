/**
 * The engines that bench/runtimes.ts compares, and how it compares them.
 *
 * @module
 */

import type { V8Runtime } from "../runtime/mod.ts";
import {
  interleave,
  type InterleaveOptions,
  print,
  type Ratio,
  ratio,
  type Samples,
  summarize,
  type Summary,
  table,
  target,
} from "./measure.ts";
import { STACK_BYTES } from "../runtime/wasmtime/engine.ts";
import type { WasmtimeRuntime } from "../runtime/wasmtime/runtime.ts";
import type { WasmtimeConfig, WasmtimePeer } from "./runtimes_peer.ts";

/** What there is to compare; an engine that cannot be had is left out. */
export interface Engines {
  /** Deno's own engine, behind this package. */
  readonly v8: V8Runtime;
  /** Wasmtime, behind this package. */
  readonly wasmtime?: WasmtimeRuntime;
  /** Wasmtime, behind its binding for Python, of the same library. */
  readonly peer?: WasmtimePeer;
}

/** The names of the sides, as figures and tables have them. */
export const SIDES = Object.freeze({
  peer: "Wasmtime, Python",
  peerDefault: "Wasmtime, Python's defaults",
  wasmtime: "Wasmtime, ours",
  v8: "V8, ours",
  raw: "V8, raw",
});

/**
 * How our runtime sets Wasmtime up, for the binding to do the same, as far as
 * it makes a difference for code: see runtime/wasmtime/engine.ts.
 */
export const SAME_CONFIG: WasmtimeConfig = Object.freeze({
  epoch_interruption: true,
  max_wasm_stack: STACK_BYTES,
  memory_may_move: false,
  signals_based_traps: Deno.build.os === "linux",
  wasm_gc: false,
});

/** How the engine is set up behind the binding, for each of its sides. */
export const PEER_CONFIGS: Readonly<Record<string, WasmtimeConfig>> = Object
  .freeze({
    [SIDES.peer]: SAME_CONFIG,
    [SIDES.peerDefault]: {},
  });

/** A side that measures by itself. */
export interface TimedSide {
  /** Its name. */
  readonly name: string;
  /** Does the work, and gives the milliseconds that one piece of it took. */
  run(): Promise<number> | number;
}

/** What one side was found to take. */
export interface Finding {
  /** Milliseconds. */
  readonly ms: Summary;
  /** How many times as long as the base, if there is one. */
  readonly ratio?: Ratio;
}

/** What each side was found to take, by its name. */
export type Findings = Readonly<Record<string, Finding>>;

/** How long something took, in milliseconds. */
export function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** How long something took that has to be waited for, in milliseconds. */
export async function timedAsync(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Runs sides in turn, and takes the times that they measure by themselves.
 *
 * @param sides What to run.
 * @param options How often.
 * @returns The times, by the side's place in `sides`.
 */
export async function interleaveTimed(
  sides: readonly TimedSide[],
  { rounds, warmup = 2 }: InterleaveOptions,
): Promise<readonly Samples[]> {
  const times: number[][] = sides.map(() => []);
  const outer = sides.map(({ name, run }, index) => ({
    name,
    run: async () => times[index]?.push(await run()),
  }));
  await interleave(outer, { rounds, warmup });
  return times.map((samples) => samples.slice(warmup));
}

/** What is compared, and with what. */
export interface Comparison extends InterleaveOptions {
  /** What is done, for the head of the table. */
  readonly title: string;
  /** Who does it. */
  readonly sides: readonly TimedSide[];
  /** Name of the side that the others are compared with. */
  readonly base: string;
  /** What is printed. */
  readonly unit: "ns" | "µs" | "ms";
  /** The most that a side's ratio to the base should be, by its name. */
  readonly targets?: Readonly<Record<string, number>>;
}

/** Measures sides in turn, and prints a table. */
export async function compare(comparison: Comparison): Promise<Findings> {
  const { sides, base, title, unit, targets = {} } = comparison;
  const times = await interleaveTimed(sides, comparison);
  const baseTimes = times[sides.findIndex(({ name }) => name === base)];
  const findings: Record<string, Finding> = {};
  const rows = sides.map(({ name }, index) => {
    const samples = times[index] ?? [];
    const found = findings[name] = {
      ms: summarize(samples),
      ...(baseTimes === undefined ? {} : { ratio: ratio(samples, baseTimes) }),
    };
    return row(name, found, { unit, most: targets[name] });
  });
  print(
    table([title, unit, "half within", `× ${base}`, "half within", ""], rows) +
      "\n",
  );
  return findings;
}

const PER_MS = Object.freeze({ ns: 1e6, "µs": 1e3, ms: 1 });

function row(
  name: string,
  { ms, ratio }: Finding,
  { unit, most }: Pick<Comparison, "unit"> & { most: number | undefined },
): readonly string[] {
  const cell = (value: number) => short(value * PER_MS[unit]);
  return [
    name,
    cell(ms.median),
    `${cell(ms.low)}–${cell(ms.high)}`,
    ...(ratio === undefined ? [] : [
      times(ratio.median),
      `${times(ratio.low)}–${times(ratio.high)}`,
      most === undefined ? "" : target(ratio.median, most),
    ]),
  ];
}

function times(value: number): string {
  return value < 0.1 ? value.toFixed(4) : value.toFixed(2);
}

/** Three digits that count. */
function short(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0);
}

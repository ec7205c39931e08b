/**
 * Compares engines over a range of random modules.
 *
 * @module
 */

import type { Runtime } from "../../runtime/types.ts";
import { V8Runtime } from "../../runtime/v8/runtime.ts";
import { type Engine, MODES, RAW, RuntimeEngine } from "./_engines.ts";
import { compare, type Counts, type Difference, shrink } from "./differ.ts";
import { generate } from "./generate.ts";

/** What came of a range. */
export interface RangeReport {
  /** How many modules were run. */
  readonly modules: number;
  /** How often each kind of end was seen, and explained differences. */
  readonly counts: Counts;
  /** The other differences, each told in full. */
  readonly unexplained: readonly string[];
}

/** Which modules. */
export interface Range {
  readonly from: number;
  readonly count: number;
}

/**
 * Every way to run modules: raw first, then each runtime in each mode.
 *
 * @param runtimes The runtimes.
 * @returns The engines.
 */
export function enginesOf(runtimes: readonly Runtime[]): readonly Engine[] {
  return [
    RAW,
    ...runtimes.flatMap((runtime) =>
      Object.keys(MODES).map((mode) => new RuntimeEngine(runtime, mode))
    ),
  ];
}

/**
 * Opens the runtimes: that of V8, and Wasmtime's if its library is at hand.
 *
 * @param library The library, if there is one.
 * @returns They; whoever asked disposes them.
 */
export async function openRuntimes(library?: string): Promise<Runtime[]> {
  if (library === undefined) return [new V8Runtime()];
  const { WasmtimeRuntime } = await import("../../runtime/wasmtime/runtime.ts");
  return [new V8Runtime(), await WasmtimeRuntime.open({ library })];
}

/**
 * Compares engines.
 *
 * @param engines The engines.
 * @param range Which modules.
 * @param onModule Told after each module.
 * @returns What came of it.
 */
export async function compareRange(
  engines: readonly Engine[],
  { from, count }: Range,
  onModule: (done: number) => void = () => {},
): Promise<RangeReport> {
  const counts: Counts = {};
  const unexplained: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    for (const found of await compare(engines, generate(seed), counts)) {
      unexplained.push(await told(engines, found));
    }
    onModule(seed - from + 1);
  }
  return { modules: count, counts, unexplained };
}

/** Says all that helps to find out why there is a difference. */
async function told(
  engines: readonly Engine[],
  { seed, engines: names, lines }: Difference,
): Promise<string> {
  const [one, other] = names.map((name) =>
    engines.find((engine) => engine.name === name)
  );
  const pair = [one, other].filter((engine) => engine !== undefined);
  const module = generate(seed);
  const without = await shrink(module, async (parts) => {
    const smaller = generate(seed, parts);
    const found = await compare(pair, smaller);
    return found.some((each) => `${each.engines}` === `${names}`);
  });
  const left = module.parts.filter((part) =>
    !without.has(part) && !without.has(part.split(".")[0] ?? "")
  );
  return [
    `module ${seed}, ${names[0]} and ${names[1]} (functions and statements ` +
    `that matter: ${left.join(" ")})`,
    ...lines,
  ].join("\n  ");
}

/**
 * Compares engines over many random modules, in as many processes as there are
 * cores: one that an engine ends is seen to have failed. Every other process
 * has V8 optimize all code from the start.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { wasmtimeLibrary } from "../_wasmtime.ts";
import type { Counts } from "./differ.ts";
import {
  compareRange,
  enginesOf,
  openRuntimes,
  type Range,
  type RangeReport,
} from "./_range.ts";

const DEFAULT_COUNT = 10_000;
/** A process compares so many modules, and ends. */
const RANGE = 500;

/**
 * Compares engines.
 *
 * @param args `--count`, `--from` and `--processes`.
 * @returns Whether there was no unexplained difference.
 */
export async function soakDifferential(
  args: readonly string[],
): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: "string", default: String(DEFAULT_COUNT) },
      from: { type: "string", default: "0" },
      processes: {
        type: "string",
        default: String(navigator.hardwareConcurrency),
      },
    },
  });
  const library = await wasmtimeLibrary();
  const start = performance.now();
  const ranges = rangesOf(Number(values.from), Number(values.count)).values();
  const total = { modules: 0, counts: {} as Counts };
  const failures: string[] = [];
  const work = async () => {
    for (const range of ranges) {
      const report = await runChild(range, library);
      if (typeof report === "string") failures.push(report);
      else {
        add(total, report);
        failures.push(...report.unexplained);
      }
    }
  };
  await Promise.all(Array.from({ length: Number(values.processes) }, work));
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const engines = library === undefined ? "V8 only" : "V8 and Wasmtime";
  say(`${total.modules} modules on ${engines}, in ${seconds} s`);
  say(`seen: ${JSON.stringify(total.counts)}`);
  say(`${failures.length} unexplained differences`);
  failures.forEach(say);
  return failures.length === 0;
}

function rangesOf(from: number, count: number): Range[] {
  return Array.from({ length: Math.ceil(count / RANGE) }, (_, index) => ({
    from: from + index * RANGE,
    count: Math.min(RANGE, count - index * RANGE),
  }));
}

function add(
  total: { modules: number; counts: Counts },
  report: RangeReport,
): void {
  total.modules += report.modules;
  for (const [name, count] of Object.entries(report.counts)) {
    total.counts[name] = (total.counts[name] ?? 0) + count;
  }
}

/** Runs a range in a process; gives how that failed, if it did. */
async function runChild(
  { from, count }: Range,
  library: string | undefined,
): Promise<RangeReport | string> {
  const isOptimized = from / RANGE % 2 === 1;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--quiet"],
      ...isOptimized ? ["--v8-flags=--no-liftoff"] : [],
      ...[import.meta.url, `${from}`, `${count}`],
      ...library === undefined ? [] : [library],
    ],
    stdout: "piped",
    stderr: "inherit",
  });
  const { code, stdout } = await child.output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  const last = lines.at(-1) ?? "";
  if (code === 0) return JSON.parse(last);
  return `A process ended with code ${code}; the last module that it ` +
    `had compared was ${last === "" ? "none" : last} of ${from} and up`;
}

/** A child: compares its range, and writes the last module it got through. */
async function compareShare(range: Range, library?: string): Promise<void> {
  const runtimes = await openRuntimes(library);
  try {
    const report = await compareRange(
      enginesOf(runtimes),
      range,
      (done) => say(String(range.from + done - 1)),
    );
    say(JSON.stringify(report));
  } finally {
    for (const runtime of runtimes) await runtime[Symbol.asyncDispose]();
  }
}

function say(line: string): void {
  // deno-lint-ignore no-console -- what the task prints
  console.log(line);
}

if (import.meta.main) {
  const [from, count, library] = Deno.args;
  await compareShare({ from: Number(from), count: Number(count) }, library);
}

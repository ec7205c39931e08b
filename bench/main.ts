/**
 * Runs benchmarks and prints what they find; asserts nothing.
 *
 * ```sh
 * deno task bench [--quick] [--json FILE] [NAME...]
 * ```
 *
 * @module
 */

import { bulk } from "./bulk.ts";
import { calls } from "./calls.ts";
import { cold } from "./cold.ts";
import { deadline } from "./deadline.ts";
import { extism } from "./extism.ts";
import { hostCalls } from "./host_calls.ts";
import { httpServer } from "./http_server.ts";
import { kernels } from "./kernels.ts";
import { type Benchmark, type Figures, print, thisMachine } from "./measure.ts";
import { peers } from "./peers.ts";
import { processes } from "./process.ts";
import { rewriting } from "./rewrite.ts";
import { runtimes } from "./runtimes.ts";
import { streams } from "./streams.ts";
import { templates } from "./templates.ts";
import { tools } from "./tools.ts";
import { wasiFiles } from "./wasi_files.ts";

const BENCHMARKS: readonly Benchmark[] = [
  kernels,
  rewriting,
  calls,
  cold,
  deadline,
  processes,
  wasiFiles,
  hostCalls,
  bulk,
  streams,
  extism,
  peers,
  runtimes,
  tools,
  httpServer,
  templates,
];

/**
 * Runs benchmarks one after the other.
 *
 * @param args Names, `--quick`, and `--json` with a file for all figures.
 * @returns The exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  const jsonAt = args.indexOf("--json");
  const file = jsonAt < 0 ? undefined : args[jsonAt + 1];
  const quick = args.includes("--quick");
  const names = args.filter((arg, index) =>
    arg !== "--quick" && arg !== "--json" &&
    (jsonAt < 0 || index - 1 !== jsonAt)
  );
  const unknown = names.filter((name) =>
    !BENCHMARKS.some((each) => each.name === name)
  );
  if (unknown.length > 0 || (jsonAt >= 0 && file === undefined)) {
    const known = BENCHMARKS.map(({ name }) => name).join(", ");
    print(
      `usage: bench [--quick] [--json FILE] [NAME...], where NAME is one of ${known}`,
    );
    return 2;
  }
  const all: Record<string, Figures> = {};
  for (const { name, about, run } of BENCHMARKS) {
    if (names.length > 0 && !names.includes(name)) continue;
    print(`\n## ${name}\n\n${about}\n`);
    all[name] = await run({ quick });
  }
  if (file !== undefined) {
    const found = { machine: thisMachine(), quick, ...all };
    await Deno.writeTextFile(file, JSON.stringify(found, short, 2) + "\n");
  }
  return 0;
}

/** Four digits that count: files of figures are committed. */
function short(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

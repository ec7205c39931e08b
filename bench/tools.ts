/**
 * WASI programs as functions, against the same program of the machine's own.
 *
 * @module
 */

import { CliTool } from "../wrappers/cli_tool.ts";
import {
  type Benchmark,
  type Figures,
  interleave,
  print,
  ratio,
  type RunOptions,
  summarize,
  table,
} from "./measure.ts";

const MODULE = "tests/cli_tool/guests/actor.wasm";
const INPUTS = [["nothing", 0], ["1 MiB", 1 << 20]] as const;

/** The benchmark. */
export const tools: Benchmark = {
  name: "tools",
  about: "A run of a program that copies its input to its output: the " +
    "machine's own `cat` in a process of its own, and ours.",
  run,
};

async function run({ quick }: RunOptions): Promise<Figures> {
  await using inline = await CliTool.create({ module: MODULE });
  await using process = await CliTool.create({
    module: MODULE,
    isolation: "process",
  });
  const all: Record<string, unknown> = {};
  const rows: string[][] = [];
  for (const [name, length] of INPUTS) {
    const stdin = new Uint8Array(length);
    const sides = [
      { name: "native cat", run: () => native(stdin) },
      { name: "CliTool inline", run: () => inline.run(["cat"], { stdin }) },
      {
        name: "CliTool in a process",
        run: () => process.run(["cat"], { stdin }),
      },
    ];
    const samples = await interleave(sides, { rounds: quick ? 15 : 101 });
    for (const [index, side] of sides.entries()) {
      const times = samples[index] ?? [];
      const ms = summarize(times);
      const against = ratio(times, samples[0] ?? []);
      all[`${side.name}, ${name}`] = { ms, ratio: against };
      rows.push([
        side.name,
        name,
        ms.median.toFixed(2),
        against.median.toFixed(2),
      ]);
    }
  }
  print(table(["run", "input", "ms", "ratio"], rows));
  return all;
}

async function native(stdin: Uint8Array): Promise<void> {
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(stdin).then(() => writer.close());
  await Promise.all([child.output(), written]);
}

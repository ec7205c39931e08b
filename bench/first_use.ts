/**
 * The very first use in a process. Run as a program, this loads the library,
 * makes a sandbox, calls, and prints how long each took.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import {
  type Figures,
  interleave,
  print,
  type RunOptions,
  type Side,
  summarize,
  type Summary,
  table,
} from "./measure.ts";

/** Times of a first use, in milliseconds. */
interface FirstUse {
  /** Loading the library; 0 for raw WebAssembly. */
  readonly load: number;
  /** From the module's bytes to the first result. */
  readonly use: number;
}

/**
 * Measures first uses, each in a process of its own.
 *
 * @param kernel A kernel to run.
 * @param options How often.
 * @returns Times of loading the library, of the use and of the process.
 */
export async function measureFirstUse(
  kernel: URL,
  { quick }: RunOptions,
): Promise<readonly Figures[]> {
  const sides = ["raw", "sandbox"] as const;
  const uses: Record<string, FirstUse[]> = { raw: [], sandbox: [] };
  const run = (name: string): Side => ({
    name,
    run: async () => uses[name]?.push(await runFirstUse(kernel, name)),
  });
  const times = await interleave(sides.map(run), {
    rounds: quick ? 3 : 15,
    warmup: 1,
  });
  const figures = sides.map((name, index) => {
    const all = (uses[name] ?? []).slice(1);
    return {
      name,
      loadMs: summarize(all.map(({ load }) => load)),
      useMs: summarize(all.map(({ use }) => use)),
      processMs: summarize(times[index] ?? []),
    };
  });
  const cell = ({ median, low, high }: Summary) => [
    median.toFixed(1),
    `${low.toFixed(1)}–${high.toFixed(1)}`,
  ];
  print(
    "\n" + table(
      [
        "first use in a process",
        "load ms",
        "half within",
        "use ms",
        "half within",
        "whole process",
        "half within",
      ],
      figures.map(({ name, loadMs, useMs, processMs }) => [
        name,
        ...cell(loadMs),
        ...cell(useMs),
        ...cell(processMs),
      ]),
    ),
  );
  return figures;
}

async function runFirstUse(kernel: URL, side: string): Promise<FirstUse> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.url, fileURLToPath(kernel), side],
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot run a child: ${decode(stderr)}`);
  return JSON.parse(decode(stdout));
}

async function firstUse(path: string, library: boolean): Promise<FirstUse> {
  const module = await Deno.readFile(path);
  const start = performance.now();
  const { Sandbox } = library ? await import("../mod.ts") : {};
  const loaded = performance.now();
  if (Sandbox === undefined) {
    const { instance } = await WebAssembly.instantiate(module);
    (instance.exports as { run: (n: number) => number }).run(0);
  } else {
    await using sandbox = await Sandbox.create({ module });
    sandbox.callSync("run", [0]);
  }
  return { load: loaded - start, use: performance.now() - loaded };
}

if (import.meta.main) {
  const [path = "", side] = Deno.args;
  print(JSON.stringify(await firstUse(path, side === "sandbox")));
}

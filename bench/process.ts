/**
 * Guests in processes of their own: how fast they are ready, how long a call
 * takes, and how soon after its deadline a guest is gone.
 *
 * @module
 */

import { ChildProcess } from "../runtime/process/child_process.ts";
import { type Launch, prepareLaunch } from "../runtime/process/launch.ts";
import { Machine } from "../runtime/process/machine.ts";
import { ProcessSource } from "../runtime/process/process_source.ts";
import { loadProgram } from "../runtime/process/program.ts";
import { resolveLimits } from "../security/limits.ts";
import {
  type Benchmark,
  type Figures,
  interleave,
  print,
  ratio,
  type RunOptions,
  type Side,
  summarize,
  table,
  target,
} from "./measure.ts";

// (module
//   (func (export "add") (param i32 i32) (result i32)
//     local.get 0 local.get 1 i32.add)
//   (func (export "spin") (loop br 0)))
const MODULE = Uint8Array.fromHex(
  "0061736d01000000010a0260027f7f017f6000000303020001070e02036164640000" +
    "047370696e00010a11020700200020016a0b070003400c000b0b",
);

const TIMEOUT_MS = 100;
const MAX_READY_RATIO = 1.5;
const MAX_CALL_MS = 0.3;
const MAX_KILL_MS = 10;

/** The benchmark. */
export const processes: Benchmark = {
  name: "process",
  about: "Guests in processes: ready against a bare `deno run` of an empty " +
    "file, a warm call, and the end of a guest at its deadline.",
  run,
};

async function run(options: RunOptions): Promise<Figures> {
  return {
    ready: await measureReady(options),
    ...await measureCalls(options),
  };
}

async function measureReady({ quick }: RunOptions): Promise<Figures> {
  const folder = await Deno.makeTempDir();
  try {
    const empty = `${folder}/empty.js`;
    await Deno.writeTextFile(empty, "");
    const program = await loadProgram();
    const ready: number[][] = [[], [], [], []];
    const start = async (launch: Launch, index: number) => {
      const before = performance.now();
      await using _ = await ChildProcess.start(launch, { program });
      ready[index]?.push(performance.now() - before);
    };
    const bare = async () => {
      const before = performance.now();
      await runBare(empty);
      ready[0]?.push(performance.now() - before);
    };
    const plain = await launchOf(new Machine({ wrap: false }), []);
    const wrapped = await launchOf(new Machine(), []);
    const mounted = await launchOf(new Machine(), [folder]);
    const sides: readonly Side[] = [
      { name: "deno run empty.js", run: bare },
      { name: "process, plain", run: () => start(plain, 1) },
      { name: "process, wrapped", run: () => start(wrapped, 2) },
      {
        name: `process, ${mounted.report.filesystem}`,
        run: () => start(mounted, 3),
      },
    ];
    await interleave(sides, { rounds: quick ? 9 : 41, warmup: 1 });
    const figures = sides.map(({ name }, index) => ({
      name,
      ms: summarize(ready[index]?.slice(1) ?? []),
    }));
    const base = ready[0]?.slice(1) ?? [];
    const ratios = ready.map((times) => ratio(times.slice(1), base));
    print(table(
      ["start", "ms", "half within", "ratio", "of minima", ""],
      figures.map(({ name, ms: { median, low, high } }, index) => {
        const each = ratios[index]?.median ?? NaN;
        return [
          name,
          median.toFixed(1),
          `${low.toFixed(1)}–${high.toFixed(1)}`,
          each.toFixed(2),
          ratios[index]?.ofMinima.toFixed(2) ?? "",
          target(each, MAX_READY_RATIO),
        ];
      }),
    ));
    return { figures, ratios };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runBare(file: string): Promise<void> {
  await new Deno.Command(Deno.execPath(), {
    args: ["run", file],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
}

function launchOf(
  machine: Machine,
  read: readonly string[],
): Promise<Launch> {
  const limits = resolveLimits({});
  return prepareLaunch({ limits, read, write: [], fileBytes: 0 }, machine);
}

async function measureCalls({ quick }: RunOptions): Promise<Figures> {
  await using source = await ProcessSource.create({
    module: MODULE,
    limits: resolveLimits({ timeoutMs: TIMEOUT_MS }),
    features: {},
    imports: {},
    capabilities: [],
    services: {
      begin() {
        throw new Error("Cannot begin a call: this guest asks for nothing");
      },
    },
    onEvent() {},
  });
  await using instance = await source.instantiate({});
  const [calls = []] = await interleave([{
    name: "call",
    run: () => instance.call("add", [1, 2]),
  }], { rounds: quick ? 500 : 5_000, warmup: 200 });
  const call = summarize(calls);
  const rounds = quick ? 5 : 25;
  const late: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using spinning = await source.instantiate({});
    const start = performance.now();
    await spinning.call("spin", []).catch(() => {});
    late.push(performance.now() - start - TIMEOUT_MS);
  }
  const kill = summarize(late);
  print(
    `\nwarm call     ${call.median.toFixed(3)} ms  ${
      target(call.median, MAX_CALL_MS)
    }\nafter the deadline ${kill.median.toFixed(1)} ms (at most ${
      kill.max.toFixed(1)
    })  ${target(kill.median, MAX_KILL_MS)}`,
  );
  return { call, kill };
}

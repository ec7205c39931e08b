/**
 * How fast modules are looked over and rewritten.
 *
 * @module
 */

import { gate } from "../runtime/v8/gate.ts";
import type { GateOptions, Instrumentation } from "../runtime/v8/layout.ts";
import { rewrite } from "../runtime/v8/rewrite.ts";
import {
  type Benchmark,
  interleave,
  print,
  type Side,
  summarize,
  type Summary,
  table,
  target,
} from "./measure.ts";
import { MODULES, readPackaged } from "./packages.ts";

const MB = 1e6;
/** Modules from here on are held to the target. */
const LARGE_BYTES = 5 * MB;
const TARGET_MB_PER_S = 150;

const MODES: Readonly<Record<string, Instrumentation>> = {
  deadline: { deadline: true, fuel: false, tableElements: 1_000_000 },
  fuel: { deadline: false, fuel: true, tableElements: 1_000_000 },
  both: { deadline: true, fuel: true, tableElements: 1_000_000 },
};

/** Everything that these modules need; their own size is no matter here. */
const OPTIONS: GateOptions = {
  features: { threads: true, gc: true, functionReferences: true },
  moduleBytes: 2 ** 30,
  functionBytes: 7_000_000,
};

interface Row {
  readonly module: string;
  readonly mode: string;
  readonly bytes: number;
  readonly megabytesPerSecond: Summary;
  readonly gateMs: number;
  readonly growth: number;
  readonly validateMs: number;
}

/** Measures the gate and the rewriter. */
export const rewriting: Benchmark = {
  name: "rewrite",
  about:
    "Gate and rewriter over real modules, in MB of the original a second.\n" +
    "The engine's own validation of the original, which every sandbox needs\n" +
    `too, is shown beside it. Target: ${TARGET_MB_PER_S} MB/s with deadlines, from 5 MB on.`,
  async run({ quick }) {
    let contents: readonly Uint8Array<ArrayBuffer>[];
    try {
      contents = await readPackaged(MODULES);
    } catch (error) {
      print(`skipped: ${error instanceof Error ? error.message : error}`);
      return { skipped: true };
    }
    const rows: Row[] = [];
    for (const [index, { name }] of MODULES.entries()) {
      const bytes = contents[index] ?? new Uint8Array();
      rows.push(...await measure(name, bytes, quick ? 3 : 9));
    }
    print(show(rows));
    return { rows };
  },
};

async function measure(
  module: string,
  bytes: Uint8Array<ArrayBuffer>,
  rounds: number,
): Promise<readonly Row[]> {
  const modes = Object.entries(MODES);
  const gates: number[][] = modes.map(() => []);
  const lengths: number[] = [];
  const sides: Side[] = modes.map(([name, mode], index) => ({
    name,
    run() {
      const start = performance.now();
      const { layout, scanner } = gate(bytes, mode, OPTIONS);
      gates[index]?.push(performance.now() - start);
      lengths[index] = rewrite(layout, scanner, mode).length;
    },
  }));
  sides.push({ name: "validate", run: () => WebAssembly.validate(bytes) });
  const times = await interleave(sides, { rounds, warmup: 2 });
  const validate = times[modes.length] ?? [];
  return modes.map(([mode], index) => ({
    module,
    mode,
    bytes: bytes.length,
    megabytesPerSecond: summarize(
      (times[index] ?? []).map((ms) => bytes.length / MB / (ms / 1e3)),
    ),
    gateMs: summarize((gates[index] ?? []).slice(2)).median,
    growth: (lengths[index] ?? NaN) / bytes.length - 1,
    validateMs: summarize(validate).median,
  }));
}

function show(rows: readonly Row[]): string {
  return table(
    [
      "module",
      "MB",
      "mode",
      "MB/s",
      "half within",
      "gate ms",
      "growth",
      "validate ms",
      "target",
    ],
    rows.map((row) => {
      const { median, low, high } = row.megabytesPerSecond;
      const held = row.mode === "deadline" && row.bytes >= LARGE_BYTES;
      return [
        row.module,
        (row.bytes / MB).toFixed(1),
        row.mode,
        median.toFixed(0),
        `${low.toFixed(0)}–${high.toFixed(0)}`,
        row.gateMs.toFixed(1),
        `${(row.growth * 100).toFixed(1)} %`,
        row.validateMs.toFixed(1),
        held ? target(median, TARGET_MB_PER_S, true) : "",
      ];
    }),
  );
}

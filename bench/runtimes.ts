/**
 * The engines side by side: V8, Wasmtime and Wasmer behind this package, and
 * Wasmtime behind its binding for Python.
 *
 * @module
 */

import { V8Runtime } from "../runtime/mod.ts";
import {
  PINNED_VERSIONS,
  WASMTIME_VERSION,
} from "../runtime/wasmtime/checksums.ts";
import { WasmtimeRuntime } from "../runtime/wasmtime/runtime.ts";
import {
  type Benchmark,
  type Figures,
  type Machine as OwnMachine,
  print,
  thisMachine,
} from "./measure.ts";
import { type CallFigures, measureCalls } from "./runtimes_calls.ts";
import { type ColdFigures, measureCold } from "./runtimes_cold.ts";
import { type CommandFigures, measureCommands } from "./runtimes_commands.ts";
import { type KernelFigures, measureKernels } from "./runtimes_kernels.ts";
import { WasmtimePeer } from "./runtimes_peer.ts";
import { type Engines, SIDES } from "./runtimes_sides.ts";

/** The benchmark. */
export const runtimes: Benchmark = {
  name: "runtimes",
  about:
    "The engines side by side. Wasmtime behind this package and behind its\n" +
    "binding for Python use one library file and one configuration; the\n" +
    "binding runs in a process of its own and measures by itself. Ratios are\n" +
    "medians over rounds in which the sides take turns.",
  async run(options) {
    await using resources = new AsyncDisposableStack();
    const engines = await open(resources);
    const figures: RuntimeFigures = {
      machine: machineOf(engines),
      kernels: await measureKernels(engines, options),
      calls: await measureCalls(engines, options),
      cold: await measureCold(engines, options),
      commands: await measureCommands(engines, options),
    };
    return rounded(figures);
  },
};

/** What the benchmark finds; docs/runtimes.md is written out of it. */
export interface RuntimeFigures {
  /** Where it ran. */
  readonly machine: Machine;
  /** Guests that compute. */
  readonly kernels: KernelFigures;
  /** Calls, and instances. */
  readonly calls: CallFigures;
  /** First results, by the guest's name. */
  readonly cold: Readonly<Record<string, ColdFigures>>;
  /** Runs of a WASI command. */
  readonly commands: CommandFigures;
}

/** Without extremes, and with four digits that count: it is committed. */
function rounded(figures: RuntimeFigures): Figures {
  return JSON.parse(JSON.stringify(figures, (key, value) => {
    if (EXTREMES.includes(key)) return undefined;
    return typeof value === "number" ? Number(value.toPrecision(4)) : value;
  }));
}

const EXTREMES: readonly string[] = ["min", "max", "ofMinima"];

async function open(resources: AsyncDisposableStack): Promise<Engines> {
  const v8 = resources.use(new V8Runtime());
  // the version that is installed unless another is asked for
  const wheel = PINNED_VERSIONS[WASMTIME_VERSION]?.wheel;
  const peer = await attempt(SIDES.peer, () => WasmtimePeer.start(wheel));
  // the binding brings its library, which has to be the same for both
  const library = peer === undefined ? {} : { library: peer.library };
  const wasmtime = await attempt(
    SIDES.wasmtime,
    () => WasmtimeRuntime.open(library),
  );
  return {
    v8,
    ...(wasmtime === undefined ? {} : { wasmtime: resources.use(wasmtime) }),
    ...(peer === undefined ? {} : { peer: resources.use(peer) }),
  };
}

/** What it gives, or undefined and a line that says why there is none. */
async function attempt<T>(
  name: string,
  make: () => T | Promise<T>,
): Promise<Awaited<T> | undefined> {
  try {
    return await make();
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    print(`${name} skipped: ${reason}\n`);
    return undefined;
  }
}

/** What the figures depend on. */
export interface Machine extends OwnMachine {
  /** Version of Wasmtime, if it was there. */
  readonly wasmtime?: string;
}

function machineOf({ peer }: Engines): Machine {
  return {
    ...thisMachine(),
    ...(peer === undefined ? {} : { wasmtime: peer.version }),
  };
}

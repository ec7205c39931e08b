/**
 * Programs that look for rare failures, for minutes or hours.
 *
 * ```sh
 * deno task soak [name] [options of the program]
 * ```
 *
 * Without a name all of them run. Each prints a summary; the exit code is 1 if
 * one failed.
 *
 * @module
 */

import { soakDifferential } from "./differential/soak.ts";
import { soakHttp } from "./http_server/_load.ts";
import { soakMcp } from "./mcp_server/soak.ts";
import { soakPlugins } from "./plugin/soak.ts";
import { soakRace } from "./process/race.ts";
import { soakCycles, soakDeadlines } from "./soak_sandbox.ts";
import { soakPool } from "./wrappers/soak.ts";
import { soakWasmtime } from "./wasmtime/soak.ts";
import { soakMutants } from "./v8/mutate_soak.ts";

/** A program: takes the rest of the arguments, tells whether all went well. */
type SoakProgram = (args: readonly string[]) => Promise<boolean>;

const PROGRAMS: Readonly<Record<string, SoakProgram>> = {
  /** Mutated modules: `[--count 1000000] [--from 0] [--processes cores]`. */
  mutate: soakMutants,
  /** A hundred thousand lives of a sandbox: memory and threads stay flat. */
  cycles: soakCycles,
  /** Calls that end just before and just after their deadline. */
  deadlines: soakDeadlines,
  /** Random modules on every engine: `[--count 10000] [--from 0] [--processes cores]`. */
  differential: soakDifferential,
  /** A hundred thousand calls and ten thousand lives of a guest on Wasmtime. */
  wasmtime: soakEngine,
  /** A directory that is swapped for a link under a guest: `[--seconds 30]`. */
  race: soakRace,
  /** A web server under load, 1 % of it hostile: `[--seconds 60] [--isolation inline]`. */
  http: soakHttp,
  /** Calls of good and bad tools by many sessions: `[--calls 20000]`. */
  mcp: soakMcp,
  /** Plugins that are replaced under calls: `[--reloads 1000]`. */
  plugins: soakPlugins,
  /** Guests that are lent to good and bad calls: a million of them. */
  pool: soakPool,
};

/**
 * Runs one program, or all of them.
 *
 * @param args Name of the program and its options.
 * @returns The exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  const named = first !== undefined && !first.startsWith("-");
  if (named && !Object.hasOwn(PROGRAMS, first)) {
    say(`Cannot soak ${first}: known are ${Object.keys(PROGRAMS).join(", ")}`);
    return 1;
  }
  let failed = false;
  for (const [name, program] of Object.entries(PROGRAMS)) {
    if (named && name !== first) continue;
    const passed = await program(named ? rest : args);
    say(`${name}: ${passed ? "passed" : "FAILED"}`);
    if (!passed) failed = true;
  }
  return failed ? 1 : 0;
}

async function soakEngine(): Promise<boolean> {
  const report = await soakWasmtime({ calls: 100_000, cycles: 10_000 });
  const { callsMiB, cyclesMiB } = report;
  say(
    `calls grew by ${callsMiB.toFixed(1)} MiB, lives by ${
      cyclesMiB.toFixed(1)
    }`,
  );
  return true;
}

function say(line: string): void {
  // deno-lint-ignore no-console -- what the task prints
  console.log(line);
}

if (import.meta.main) Deno.exit(await main(Deno.args));

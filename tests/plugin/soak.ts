/**
 * Reloads plugins under calls, and looks for calls that fail and for leaks.
 *
 * @module
 */

import type { PluginHostOptions } from "../../wrappers/plugin.ts";
import { childrenOf } from "../process/_process.ts";
import { threads } from "../cycles.ts";
import { counter, Folder, guest, open, REPLY, until } from "./_plugins.ts";

/** What is run. */
export interface PluginSoakOptions {
  /** How often the plugin is replaced. */
  readonly reloads: number;
  /** Calls that are made each second. */
  readonly callsPerSecond: number;
  /** Time between two changes of the file, in milliseconds. */
  readonly pauseMs: number;
  /** Options of the host. */
  readonly host?: PluginHostOptions;
}

/** What came of it. */
export interface PluginSoakReport {
  /** Versions that took over. */
  readonly reloads: number;
  /** Bad versions that were refused. */
  readonly rejected: number;
  /** Calls that were answered. */
  readonly answered: number;
  /** Calls that were not, and the first reason. */
  readonly failed: number;
  readonly failure?: unknown;
  /** Answers that no good version gives. */
  readonly wrong: number;
  /** What the process has grown by, after its first tenth. */
  readonly grownBytes: number;
  /** Processes, threads and open files that are there more than before. */
  readonly processes: number;
  readonly threads: number;
  readonly files: number;
}

/** Every so many changes the new version is a bad one. */
const BAD_EACH = 5;

/** Replaces a plugin while it is called. */
export async function soakReloads(
  { reloads, callsPerSecond, pauseMs, host: more = {} }: PluginSoakOptions,
): Promise<PluginSoakReport> {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await warmUp(folder.path, more);
  const before = counts();
  const good = [await counter(1), await counter(2)];
  const bad = [
    await counter(3),
    await counter(4),
    (await counter(1)).subarray(0, 3_000),
    await guest({ add: REPLY.seven, work: REPLY.seven, health: REPLY.trap }),
  ];
  const tally = { reloads: 0, rejected: 0, answered: 0, failed: 0, wrong: 0 };
  let failure: unknown;
  const { host } = await open({
    directory: folder.path,
    requires: { add: "message" },
    ...more,
    onEvent: ({ type }) => {
      if (type === "reloaded") tally.reloads++;
      if (type === "rejected") tally.rejected++;
    },
  });
  const calls = new Set<Promise<void>>();
  const call = async () => {
    try {
      const version = await host.call("sum", "work", 2_000);
      tally.answered++;
      if (version !== 1 && version !== 2) tally.wrong++;
    } catch (error) {
      tally.failed++;
      failure ??= error;
    }
  };
  const began = performance.now();
  let sent = 0;
  // by the clock: a timer that comes late makes up for it
  const timer = setInterval(() => {
    const due = (performance.now() - began) / 1_000 * callsPerSecond;
    for (; sent < due; sent++) {
      const made = call().finally(() => calls.delete(made));
      calls.add(made);
    }
  }, 5);
  let base = 0;
  host.watch();
  for (let change = 0; tally.reloads < reloads; change++) {
    const [reloaded, rejected] = [tally.reloads, tally.rejected];
    const isBad = change % BAD_EACH === BAD_EACH - 1;
    const from = isBad ? bad : good;
    const index = isBad ? change : reloaded + 1;
    const module = from[index % from.length] ?? new Uint8Array();
    await folder.put("sum.wasm", unique(module, change));
    await until(() => tally.reloads + tally.rejected > reloaded + rejected);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (tally.reloads === Math.floor(reloads / 10)) base ||= await memory();
  }
  clearInterval(timer);
  await Promise.all(calls);
  const grownBytes = await memory() - base;
  await host[Symbol.asyncDispose]();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const after = counts();
  return {
    ...tally,
    ...(failure === undefined ? {} : { failure }),
    grownBytes,
    processes: after.processes - before.processes,
    threads: after.threads - before.threads,
    files: after.files - before.files,
  };
}

const ROUNDS = ["inline", "inline", "process"] as const;
const MAX_FIRST_BYTES = 128 * 2 ** 20;
const MAX_BYTES = 24 * 2 ** 20;

/** The program of `deno task soak plugins`: `[--reloads 1000]`. */
export async function soakPlugins(args: readonly string[]): Promise<boolean> {
  const given = args[args.indexOf("--reloads") + 1];
  const reloads = args.includes("--reloads") ? Number(given) : 1_000;
  let passed = true;
  // the first run fills what V8 keeps for code, the second shows that it is full
  for (const [round, isolation] of ROUNDS.entries()) {
    const started = performance.now();
    const report = await soakReloads({
      reloads,
      callsPerSecond: 100,
      pauseMs: 5,
      host: { defaults: { isolation }, debounceMs: 10 },
    });
    const seconds = (performance.now() - started) / 1_000;
    const { failure, grownBytes, ...rest } = report;
    // deno-lint-ignore no-console -- what the task prints
    console.log(
      `${isolation}: ${JSON.stringify(rest)}, grown by ${
        (grownBytes / 2 ** 20).toFixed(1)
      } MiB, ${(rest.answered / seconds).toFixed(0)} calls a second, in ${
        seconds.toFixed(0)
      } s${failure === undefined ? "" : `; ${failure}`}`,
    );
    passed &&= isClean(report, round === 0 ? MAX_FIRST_BYTES : MAX_BYTES);
  }
  return passed;
}

/** Threads that Deno keeps for a while, for reading files. */
export const SPARE_THREADS = 10;

/** Whether no call has failed and nothing was left behind. */
export function isClean(
  { failed, wrong, grownBytes, processes, threads, files }: PluginSoakReport,
  maxBytes: number,
): boolean {
  return failed === 0 && wrong === 0 && grownBytes < maxBytes &&
    processes <= 0 && threads <= SPARE_THREADS && files <= 4;
}

/** What a process opens once, and keeps: of watching, of threads, of children. */
async function warmUp(
  directory: string,
  options: PluginHostOptions,
): Promise<void> {
  const { host } = await open({ directory, ...options });
  host.watch();
  await host.call("sum", "work", 1);
  await host.reload("sum");
  await host[Symbol.asyncDispose]();
  await new Promise((resolve) => setTimeout(resolve, 200));
}

/** The same module with other bytes: nothing may be kept for each of them. */
function unique(module: Uint8Array, number: number): Uint8Array {
  const text = new TextEncoder().encode(String(number).padStart(9, "0"));
  // a custom section with the name "n"
  return new Uint8Array([...module, 0, 2 + text.length, 1, 0x6e, ...text]);
}

function counts() {
  return {
    processes: childrenOf(Deno.pid).length,
    threads: threads(),
    files: [...Deno.readDirSync("/proc/self/fd")].length,
  };
}

async function memory(): Promise<number> {
  Reflect.get(globalThis, "gc")?.();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return Deno.memoryUsage().rss;
}

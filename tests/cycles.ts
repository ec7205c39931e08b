/**
 * Measures whether a process stays as large as it was.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";

/** What a process has grown by. */
export interface Growth {
  /** Resident memory after the run, over that after its first tenth. */
  readonly grownBytes: number;
  /** Threads after the run, over those after its first tenth. */
  readonly threads: number;
}

/** Threads of this process, 0 where the system does not tell. */
export function threads(): number {
  try {
    return [...Deno.readDirSync("/proc/self/task")].length;
  } catch {
    return 0;
  }
}

/**
 * Runs something many times and measures the process.
 *
 * @param times How often.
 * @param run What to run.
 * @returns What the process has grown by.
 */
export async function growth(
  times: number,
  run: () => Promise<void>,
): Promise<Growth> {
  let base = { rss: 0, threads: 0 };
  for (let time = 0; time < times; time++) {
    await run();
    if (time === Math.floor(times / 10)) base = await measure();
  }
  const end = await measure();
  return {
    grownBytes: end.rss - base.rss,
    threads: end.threads - base.threads,
  };
}

/** One life of a sandbox. */
export async function cycle(module: Uint8Array<ArrayBuffer>): Promise<void> {
  await using sandbox = await Sandbox.create({ module });
  await sandbox.call("answer");
}

async function measure(): Promise<{ rss: number; threads: number }> {
  // what is garbage may be collected first: at once, where the program may ask
  Reflect.get(globalThis, "gc")?.();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { rss: Deno.memoryUsage().rss, threads: threads() };
}

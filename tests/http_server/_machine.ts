/** What this process and those of its guests hold, where the system tells. */

import { childrenOf } from "../process/_process.ts";

const isTold = Deno.build.os === "linux";
const MS_PER_TICK = 10;

/** Processes of guests. */
export function guestProcesses(): readonly number[] {
  return isTold ? childrenOf(Deno.pid) : [];
}

/** Processor time that the guests' processes have used, in milliseconds. */
export function guestCpuMs(): number {
  let ticks = 0;
  for (const pid of guestProcesses()) {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * MS_PER_TICK;
}

/**
 * Share of a processor that the guests use over some time: 1 for a loop.
 *
 * @param ms How long to look.
 */
export async function guestLoad(ms: number): Promise<number> {
  const before = guestCpuMs();
  await sleep(ms);
  return (guestCpuMs() - before) / ms;
}

/** Waits until no guest uses a processor any more. */
export async function guestsAreIdle(timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (await guestLoad(200) > 0.1) {
    if (performance.now() > end) throw new Error("A guest is still busy");
  }
}

/** Files and sockets that this process holds open, by what they are. */
export function descriptors(kind: RegExp): number {
  if (!isTold) return 0;
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (kind.test(Deno.readLinkSync(`/proc/self/fd/${name}`))) count++;
    } catch {
      // closed meanwhile
    }
  }
  return count;
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Guests that are lent to good and bad calls, of which some are given up: looks
 * for answers that are wrong or missing, and for leaks.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import { GuestPool } from "../../wrappers/mod.ts";
import { childrenOf } from "../process/_process.ts";
import { Random } from "../v8/_random.ts";
import { actorModule } from "./_guests.ts";

/** What came of it. */
export interface PoolSoakReport {
  /** Calls that were answered as they should be. */
  readonly answered: number;
  /** Bad calls that failed, and calls that were given up. */
  readonly failed: number;
  /** Anything else, and the first of it. */
  readonly wrong: number;
  readonly first?: unknown;
  readonly grownBytes: number;
  /** Processes that are left. */
  readonly processes: number;
}

/** Makes calls, so many in all, so many at a time. */
export async function poolSoak(
  isolation: "inline" | "process",
  calls: number,
  together: number,
): Promise<PoolSoakReport> {
  const children = childrenOf(Deno.pid).length;
  const random = new Random(5);
  const counts = { answered: 0, failed: 0, wrong: 0 };
  let first: unknown;
  let left = calls;
  let warm = NaN;
  const pool = await GuestPool.create({
    module: await actorModule(),
    isolation,
    limits: { timeoutMs: isolation === "inline" ? 10 : 100, fuel: 10_000_000 },
  });
  const caller = async () => {
    while (left-- > 0) {
      if (left === Math.round(calls * 0.8)) warm = Deno.memoryUsage().rss;
      const text = random.pick(TEXTS);
      const gaveUp = random.below(20) === 0;
      const signal = gaveUp ? AbortSignal.abort() : undefined;
      const { resolve, promise } = Promise.withResolvers<void>();
      if (random.below(50) === 0) setTimeout(resolve, 1);
      else resolve();
      await promise;
      try {
        const reply = await pool.use(
          (sandbox) => sandbox.call("act", text),
          signal === undefined ? {} : { signal },
        );
        if (reply === text && text.startsWith("e") && !gaveUp) {
          counts.answered++;
        } else {
          counts.wrong++;
          first ??= reply;
        }
      } catch (error) {
        const isMeant = gaveUp || text !== "e" && SandboxError.is(error);
        counts[isMeant ? "failed" : "wrong"]++;
        if (!isMeant) first ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: together }, caller));
  const grownBytes = Deno.memoryUsage().rss - warm;
  await pool[Symbol.asyncDispose]();
  const processes = childrenOf(Deno.pid).length - children;
  return {
    ...counts,
    ...(first === undefined ? {} : { first }),
    grownBytes,
    processes,
  };
}

/** Mostly good. */
const TEXTS = [..."eeeeeeeeeeeeeeeeeeeeeeeeeeeeeestlj"];

/** Whether all is well. */
export function isWell(
  { wrong, grownBytes, processes }: PoolSoakReport,
): boolean {
  return wrong === 0 && processes === 0 && grownBytes < 128 * 2 ** 20;
}

/** A million calls inline, and a hundred thousand in processes. */
export async function soakPool(): Promise<boolean> {
  const reports = [
    await poolSoak("inline", 1_000_000, 16),
    await poolSoak("process", 100_000, 16),
  ];
  for (const report of reports) {
    const { answered, failed, wrong, grownBytes } = report;
    // deno-lint-ignore no-console -- what the task prints
    console.log(
      `${answered} answered, ${failed} failed as they should, ${wrong} wrong; ` +
        `grew by ${(grownBytes / 2 ** 20).toFixed(1)} MiB`,
    );
  }
  return reports.every(isWell);
}

/**
 * Aims calls at their deadline: as many end just before it as just after.
 *
 * @module
 */

import { Sandbox, SandboxError } from "../../mod.ts";

/** What became of the calls. */
export interface AimReport {
  /** Calls that returned. */
  returned: number;
  /** Calls that were stopped. */
  stopped: number;
  /** Calls that were stopped before their deadline. */
  early: number;
  /** Short calls of another guest that failed: none may. */
  innocent: number;
}

const TIMEOUT_MS = 2;

/**
 * Calls a guest that spins for about as long as it may.
 *
 * @param module Exports `spin(i32)`, which counts down, and `answer() -> i32`.
 * @param count How many calls.
 * @returns What became of them.
 */
export async function aim(
  module: Uint8Array<ArrayBuffer>,
  count: number,
): Promise<AimReport> {
  const limits = { timeoutMs: TIMEOUT_MS };
  await using spinner = await Sandbox.create({ module, limits });
  await using bystander = await Sandbox.create({ module, limits });
  const report = { returned: 0, stopped: 0, early: 0, innocent: 0 };
  // a guess that follows what happens: shorter after a stop, longer after none
  let turns = 100_000;
  for (let call = 0; call < count; call++) {
    const start = performance.now();
    try {
      spinner.callSync("spin", [Math.max(1, Math.round(turns))]);
      report.returned++;
      turns *= 1.01;
    } catch (error) {
      if (!SandboxError.is(error, "limit-exceeded")) throw error;
      report.stopped++;
      if (performance.now() - start < TIMEOUT_MS) report.early++;
      turns *= 0.98;
      await spinner.reset();
    }
    report.innocent += failures(bystander);
  }
  return report;
}

function failures(bystander: Sandbox): number {
  try {
    return bystander.callSync("answer") === 42 ? 0 : 1;
  } catch {
    return 1;
  }
}

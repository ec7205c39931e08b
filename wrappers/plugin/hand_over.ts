/** Gives the state of one version to the next. */

import { refused } from "./errors.ts";
import type { Release } from "./release.ts";
import type { Settings } from "./schema.ts";

/**
 * Moves the state. The order is what makes it safe: no call is let in any more,
 * those that run end, and only then is the state saved; so it holds what every
 * call has done. Whoever calls this holds calls back until it has settled.
 *
 * @throws {SandboxError} If a version cannot, or does not in its time; then the
 * old one has all of its state and can go on.
 */
export async function handOver(
  old: Release,
  next: Release,
  { settings, signal }: {
    readonly settings: Settings;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { name } = next.candidate;
  const { drainTimeoutMs } = settings;
  if (!next.restoresState) {
    throw refused(
      name,
      "the version before has a state, and this one exports no restore_state",
      "reload it without the state",
    );
  }
  if (!await old.whenIdle(drainTimeoutMs, signal)) {
    throw refused(
      name,
      `calls of the version before had not ended after ${drainTimeoutMs} ms, ` +
        "and its state would have been lost",
      "reload it again later, or without the state",
    );
  }
  const state = await old.saveState({ signal });
  await next.restoreState(state, { signal });
}

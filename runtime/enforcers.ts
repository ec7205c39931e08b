/**
 * Who enforces a limit, as the features of engines say it.
 *
 * @module
 */

import type { Enforcement, RuntimeFeatures } from "./types.ts";

/** Limits that a process, a sandbox or a channel enforces, and no runtime. */
export const LIMITS_OF_OTHERS = Object.freeze(
  [
    "cpuMs",
    "stackBytes",
    "messages",
    "instances",
    "networkRequests",
    "networkBytes",
  ] as const,
);

/**
 * A limit that no guest gets past.
 *
 * @param by Who enforces it, and how.
 * @returns The same as data.
 */
export function hard(by: string): Enforcement {
  return Object.freeze({ level: "hard", by });
}

/**
 * What an engine enforces whose deadlines somebody else keeps.
 *
 * @param features What it enforces with deadlines.
 * @returns The same without them.
 */
export function withoutDeadlines(features: RuntimeFeatures): RuntimeFeatures {
  return Object.freeze({
    ...features,
    limits: Object.freeze({
      ...features.limits,
      timeoutMs: Object.freeze({
        level: "none",
        by: "whoever runs the runtime",
      }),
    }),
  });
}

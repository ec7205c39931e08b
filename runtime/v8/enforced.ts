/**
 * What the V8 runtime can run and enforce.
 *
 * @module
 */

import { hard, withoutDeadlines } from "../enforcers.ts";
import type { RuntimeFeatures } from "../types.ts";
import { FEATURES, OUT_OF_REACH } from "./features.ts";

/** With deadlines. */
export const FEATURES_OF_V8: RuntimeFeatures = Object.freeze({
  wasm: Object.freeze(
    FEATURES.filter((name) => !OUT_OF_REACH.includes(name)),
  ),
  sync: true,
  async: true,
  calls: true,
  linked: true,
  wasix: false,
  isolations: Object.freeze(["inline", "process"] as const),
  limits: Object.freeze({
    memoryBytes: hard("the maximum of each memory, which the host makes"),
    tableElements: hard("the maximum of each table, written into the module"),
    timeoutMs: hard(
      "checks written into the module, of a flag that a watchdog thread sets, " +
        "and a timer while the guest waits; a host function that blocks is " +
        "stopped when it returns",
    ),
    fuel: hard("charges written into the module"),
    messageBytes: hard("the host, before it copies"),
    moduleBytes: hard("the gate, before it reads further"),
    functionBytes: hard("the gate"),
    hostCalls: hard("a count before each call of a host function"),
    stack: hard("V8, whose stack has a fixed size"),
  }),
  unprotected: Object.freeze([
    "faults of the engine: guest and host share one V8, and only the module " +
    "gate stands before it",
    "the event loop: it waits while the guest runs, up to timeoutMs",
    "memory of stacks: a guest that waits for its host keeps its stack, up to " +
    "984 KiB for each instance, which memoryBytes does not count",
  ]),
});

/** Without deadlines. */
export const V8_WITHOUT_DEADLINES: RuntimeFeatures = withoutDeadlines(
  FEATURES_OF_V8,
);

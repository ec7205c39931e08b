/**
 * The capability `clock`: the time, and sleeping.
 *
 * @module
 */

import { sameData } from "./_data.ts";
import { Input, readCapability } from "./_parse.ts";
import type { CapabilityKind, ClockCapability } from "./types.ts";

/** Step of a clock that is not real, unless its capability says: 1 ms. */
const DEFAULT_RESOLUTION_NS = 1_000_000;

/** Largest step: a minute. */
const MAX_RESOLUTION_NS = 60_000_000_000;

/** Latest start of a virtual clock: nanoseconds must fit a signed i64. */
const MAX_START_MS = 9_000_000_000_000;

/**
 * Grants clocks: real, coarse or virtual.
 *
 * Operations: `read` of `realtime` and `monotonic`, and in mode `real` of
 * `process_cputime` and `thread_cputime`; `sleep` on the first two.
 */
export const clockKind: CapabilityKind<ClockCapability> = {
  type: "clock",
  actions: ["read", "sleep"],
  schema: {
    type: "object",
    description: "Grants clocks.",
    properties: {
      type: { const: "clock" },
      mode: { enum: ["real", "coarse", "virtual"], default: "coarse" },
      resolutionNs: {
        type: "integer",
        minimum: 1,
        maximum: MAX_RESOLUTION_NS,
        description: "Step of the clock; 1 for a real one, else 1 ms.",
      },
      startMs: {
        type: "integer",
        minimum: 0,
        maximum: MAX_START_MS,
        default: 0,
        description: "Where a virtual clock starts, since 1970.",
      },
    },
    required: ["type"],
    additionalProperties: false,
  },
  notProtected: [
    "A real clock is exact enough to measure caches; a coarse one raises " +
    "the cost of that, and does not prevent it: a guest can count loops.",
  ],

  parse(input) {
    const fields = readCapability("clock", input, [
      "mode",
      "resolutionNs",
      "startMs",
    ]);
    const mode = fields.mode.choice(["real", "coarse", "virtual"], "coarse");
    const isReal = mode === "real";
    return Object.freeze({
      type: "clock",
      mode,
      resolutionNs: fields.resolutionNs.integer({
        min: 1,
        max: isReal ? 1 : MAX_RESOLUTION_NS,
        fallback: isReal ? 1 : DEFAULT_RESOLUTION_NS,
      }),
      startMs: fields.startMs.integer({
        min: 0,
        max: mode === "virtual" ? MAX_START_MS : 0,
        fallback: 0,
      }),
    });
  },

  permits({ mode }, { action, resource }) {
    switch (resource) {
      case "realtime":
      case "monotonic":
        return action === "read" || action === "sleep";
      case "process_cputime":
      case "thread_cputime":
        return action === "read" && mode === "real";
      default:
        return false;
    }
  },

  combine(granted, added) {
    if (sameData(granted, added)) return granted;
    throw new Input("clock", added).error(
      `cannot be "${added.mode}" beside a "${granted.mode}" one of other ` +
        "settings: a guest sees one clock",
    );
  },

  denoPermissions() {
    return {};
  },

  describe({ mode, resolutionNs, startMs }) {
    const step = `in steps of ${resolutionNs} ns`;
    switch (mode) {
      case "real":
        return ["It may read the real clocks, CPU time included, and sleep."];
      case "coarse":
        return [`It may read the time ${step}, and sleep.`];
      case "virtual":
        return [
          `It may read a clock that starts at ${
            new Date(startMs).toISOString()
          } and moves ${step} as it is looked at, and sleep.`,
        ];
    }
  },
};

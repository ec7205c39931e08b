/**
 * What the Wasmtime runtime can run and enforce.
 *
 * @module
 */

import { hard, withoutDeadlines } from "../enforcers.ts";
import type { RuntimeFeatures } from "../types.ts";
import { STACK_BYTES, WASM_FEATURES } from "./engine.ts";

/** With deadlines. */
export const FEATURES_OF_WASMTIME: RuntimeFeatures = Object.freeze({
  wasm: WASM_FEATURES,
  sync: true,
  async: false,
  calls: true,
  linked: true,
  wasix: false,
  isolations: Object.freeze(["inline", "process"] as const),
  limits: Object.freeze({
    memoryBytes: hard(
      "the maximum of each memory, written into the module, and Wasmtime's " +
        "store limiter beneath it",
    ),
    tableElements: hard(
      "the maximum of each table, written into the module, and Wasmtime's " +
        "store limiter beneath it",
    ),
    timeoutMs: hard(
      "checks of the epoch in Wasmtime's code, which a thread raises each " +
        "millisecond; one bulk operation on memory, of 256 MiB at the most, " +
        "goes on to its end, and a host function that blocks is stopped when it returns",
    ),
    fuel: hard(
      "charges of fuel in Wasmtime's code; together with it modules that use " +
        "exceptions or functionReferences are refused",
    ),
    messageBytes: hard("the host, before it copies"),
    moduleBytes: hard("the gate, before it reads further"),
    functionBytes: hard("the gate"),
    hostCalls: hard("a count before each call of a host function"),
    stack: hard(
      `Wasmtime, which gives each call ${STACK_BYTES / 1024} KiB of stack`,
    ),
  }),
  unprotected: Object.freeze([
    "faults of the engine: guest and host share one process, and only the " +
    "module gate stands before Wasmtime",
    "the event loop: it waits while the guest runs, up to timeoutMs",
    "time to compile: Wasmtime compiles a module as a whole before it runs, in " +
    "threads of its own that nothing can stop",
    "memory of exceptions: a guest that throws keeps them in a heap of its " +
    "own, up to memoryBytes once more",
  ]),
});

/** Without deadlines. */
export const WITHOUT_DEADLINES: RuntimeFeatures = withoutDeadlines(
  FEATURES_OF_WASMTIME,
);

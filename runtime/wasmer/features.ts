/**
 * What Wasmer in a process of its own runs and enforces, in words.
 *
 * @module
 */

import type { Capability } from "../../security/types.ts";
import { hard } from "../enforcers.ts";
import { gapsOf } from "../process/enforcement.ts";
import type { IsolationReport } from "../process/launch.ts";
import type { RuntimeFeatures } from "../types.ts";
import { WORKSPACE } from "./wasi_imports.ts";

const OUTPUT = hard("the guest's process, and the host once more");

/** What Wasmer runs and enforces on every machine. */
export const FEATURES_OF_WASMER: RuntimeFeatures = Object.freeze({
  wasm: Object.freeze(
    [
      "bulkMemory",
      "exceptions",
      "functionReferences",
      "legacyExceptions",
      "multiMemory",
      "referenceTypes",
      "relaxedSimd",
      "simd",
      "tailCall",
      "threads",
    ] as const,
  ),
  sync: false,
  async: false,
  calls: false,
  linked: false,
  wasix: true,
  isolations: Object.freeze(["process"] as const),
  limits: Object.freeze({
    memoryBytes: hard(
      "the maximum of each memory, written into the module, also of one that " +
        "threads share",
    ),
    tableElements: hard(
      "the maximum of each table, written into the module; each thread has " +
        "tables of its own",
    ),
    timeoutMs: hard("the host, which kills the guest's process"),
    moduleBytes: hard(
      "the gate in the guest's process, before it reads further",
    ),
    functionBytes: hard("the gate in the guest's process"),
    stdinBytes: OUTPUT,
    stdoutBytes: OUTPUT,
    stderrBytes: OUTPUT,
  }),
});

/**
 * What Wasmer enforces on this machine.
 *
 * @param report What bounds the process.
 * @returns The features.
 */
export function featuresOf({ cpuSeconds }: IsolationReport): RuntimeFeatures {
  if (cpuSeconds === undefined) return FEATURES_OF_WASMER;
  return Object.freeze({
    ...FEATURES_OF_WASMER,
    limits: Object.freeze({
      ...FEATURES_OF_WASMER.limits,
      cpuMs: hard(
        `the kernel, by RLIMIT_CPU of ${cpuSeconds} s for the guest's process, ` +
          "to which the start of the engine counts",
      ),
    }),
  });
}

/**
 * What is not protected.
 *
 * @param report What bounds the process.
 * @returns Whole sentences.
 */
export function unprotectedBy(report: IsolationReport): readonly string[] {
  return Object.freeze([
    "files: nothing counts those that a guest opens, makes and writes while it " +
    "runs; they are in the memory of its process, which is bounded, and what " +
    "is handed back is counted at the end",
    "faults of Wasmer's SDK, which is some 5 MB of code beside the engine: it " +
    "runs in the guest's process, which may reach no file, network or program " +
    "through Deno",
    "threads and their stacks, which memoryBytes does not count: the process " +
    "ends when all its memory is used up",
    ...gapsOf(report),
  ]);
}

/**
 * Who enforces each grant.
 *
 * @param capabilities What is granted.
 * @returns A sentence for each type.
 */
export function grantsBy(
  capabilities: readonly Capability[],
): Readonly<Record<string, string>> {
  return Object.freeze(Object.fromEntries(
    capabilities.map(({ type }) => [type, GRANTS[type] ?? "nobody"]),
  ));
}

const BY_IMPORTS =
  "the gate in the guest's process: without the grant no module is run that " +
  "imports a function for it";

const GRANTS: Readonly<Record<string, string>> = Object.freeze({
  filesystem:
    `${BY_IMPORTS}. Wasmer keeps the files in its own memory; those ` +
    `below ${WORKSPACE} are given back, if they are within maxBytes at the end`,
  environment: "the guest's process, which gives Wasmer no others",
  clock: `${BY_IMPORTS}, the times of files included`,
  random: `${BY_IMPORTS}, and none that opens files, for one of them is random`,
  process: `${BY_IMPORTS}; without it there are no arguments`,
  stdio: "the guest's process: what is not granted is read as empty, and " +
    "written to nowhere",
});

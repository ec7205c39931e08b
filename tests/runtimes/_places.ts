/**
 * Each built-in runtime in each isolation, and what it offers there: data that
 * can be had without any library.
 *
 * @module
 */

import { inlineFeatures } from "../../runtime/inline_source.ts";
import { V8Runtime } from "../../runtime/mod.ts";
import { featuresOf, gapsOf } from "../../runtime/process/enforcement.ts";
import type { IsolationReport } from "../../runtime/process/launch.ts";
import type { RuntimeFeatures } from "../../runtime/types.ts";
import {
  featuresOf as featuresOfWasmer,
  unprotectedBy as unprotectedByWasmer,
} from "../../runtime/wasmer/features.ts";
import { FEATURES_OF_WASMTIME } from "../../runtime/wasmtime/features.ts";

/** A runtime in one isolation. */
export interface Place {
  /** The runtime's name. */
  readonly runtime: string;
  /** Where it runs. */
  readonly isolation: "inline" | "process";
  /** What it offers there. */
  readonly features: RuntimeFeatures;
  /** What it does not protect from, in sentences. */
  readonly unprotected: readonly string[];
}

/** A number that stands in a sentence for one that depends on the guest. */
export const SOME_NUMBER = 4_242_424_242;

/** A machine that has all the tools which a process can be bounded with. */
const FULL_MACHINE: IsolationReport = Object.freeze({
  filesystem: "namespace",
  parentDeath: "pdeathsig",
  dataBytes: SOME_NUMBER,
  cpuSeconds: SOME_NUMBER,
  noNewPrivileges: true,
});

/** All of them, in the order of the factory. */
export async function builtInPlaces(): Promise<readonly Place[]> {
  await using v8 = new V8Runtime();
  const inline = inlineFeatures(v8);
  const wasmtime = inlineFeatures({ features: FEATURES_OF_WASMTIME });
  return [
    {
      runtime: "v8",
      isolation: "inline",
      features: inline,
      unprotected: inline.unprotected ?? [],
    },
    {
      runtime: "v8",
      isolation: "process",
      features: featuresOf(FULL_MACHINE, { stackBytes: SOME_NUMBER }),
      unprotected: gapsOf(FULL_MACHINE),
    },
    {
      runtime: "wasmtime",
      isolation: "inline",
      features: wasmtime,
      unprotected: wasmtime.unprotected ?? [],
    },
    {
      runtime: "wasmer",
      isolation: "process",
      features: featuresOfWasmer(FULL_MACHINE),
      unprotected: unprotectedByWasmer(FULL_MACHINE),
    },
  ];
}

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
  noNetwork: true,
});

/** All of them, in the order of the factory. */
export async function builtInPlaces(): Promise<readonly Place[]> {
  await using v8 = new V8Runtime();
  return [
    ...placesOf("v8", v8.features),
    ...placesOf("wasmtime", FEATURES_OF_WASMTIME),
    {
      runtime: "wasmer",
      isolation: "process",
      features: featuresOfWasmer(FULL_MACHINE),
      unprotected: unprotectedByWasmer(FULL_MACHINE),
    },
  ];
}

/** Wherever an engine runs that is the same inline and in a process. */
function placesOf(
  runtime: "v8" | "wasmtime",
  features: RuntimeFeatures,
): readonly Place[] {
  const inline = inlineFeatures({ features });
  return features.isolations.map((isolation) =>
    isolation === "inline"
      ? {
        runtime,
        isolation,
        features: inline,
        unprotected: inline.unprotected ?? [],
      }
      : {
        runtime,
        isolation,
        features: featuresOf(
          FULL_MACHINE,
          { stackBytes: SOME_NUMBER },
          { name: runtime, features },
        ),
        unprotected: gapsOf(FULL_MACHINE, runtime),
      }
  );
}

/**
 * The runtimes that outside suites are run on: those that are at hand.
 *
 * @module
 */

import { type Runtime, RuntimeFactory } from "../../runtime/mod.ts";
import { wasmtimeLibrary } from "../_wasmtime.ts";

/** A runtime, and where its guests can run. */
export interface Engine {
  readonly name: string;
  readonly isolations: Runtime["features"]["isolations"];
}

/**
 * Finds the runtimes that call exported functions and link WASI.
 *
 * @param say Takes a line about one that is not at hand.
 * @returns They, V8's first.
 */
export async function enginesAtHand(
  say: (line: string) => void,
): Promise<readonly Engine[]> {
  const names = ["v8"];
  if (await wasmtimeLibrary() === undefined) {
    say("wasmtime: skipped, there is no libwasmtime");
  } else names.push("wasmtime");
  const runtimes = new RuntimeFactory();
  return await Promise.all(names.map(async (name) => {
    await using runtime = await runtimes.create(name);
    return { name, isolations: runtime.features.isolations };
  }));
}

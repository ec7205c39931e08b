/**
 * The same guest, limit and call on each engine that is at hand.
 *
 * @module
 */

import { RuntimeFactory, Sandbox, SandboxError } from "../mod.ts";

const MODULE = new URL("guests/c/text_stats.wasm", import.meta.url);
// (module (func (export "spin") (loop br 0)))
const SPIN = Uint8Array.fromHex(
  "0061736d010000000104016000000302010007080104" +
    "7370696e00000a0901070003400c000b0b",
);

/**
 * Runs it on one after the other.
 *
 * @param print Prints a line.
 * @returns Whether each that is at hand answered as it should.
 */
export async function engines(print: (text: string) => void): Promise<boolean> {
  let ok = true;
  for (const runtime of new RuntimeFactory()) {
    try {
      const told = await tryOn(runtime);
      ok &&= told.endsWith("stopped");
      print(`${runtime.padEnd(9)} ${told}`);
    } catch (error) {
      const isKnown = SandboxError.is(error, "runtime-unavailable") ||
        SandboxError.is(error, "unsupported");
      ok &&= isKnown;
      print(
        `${runtime.padEnd(9)} ${
          error instanceof Error ? error.message : error
        }`,
      );
    }
  }
  return ok;
}

async function tryOn(runtime: string): Promise<string> {
  await using sandbox = await Sandbox.create({ module: MODULE, runtime });
  const { words } = await sandbox.call<{ words: number }>("text_stats", {
    text: "to be or not",
  });
  await using hostile = await Sandbox.create({
    module: SPIN,
    runtime,
    limits: { timeoutMs: 50 },
  });
  const end = await hostile.call("spin").catch((error: unknown) => error);
  const isStopped = SandboxError.is(end, "limit-exceeded") &&
    end.details.limit === "timeoutMs";
  return `counts ${words} words; an endless loop is ${
    isStopped ? "stopped" : `not stopped: ${end}`
  }`;
}

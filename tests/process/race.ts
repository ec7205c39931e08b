/**
 * A guest in a process, at work in a directory that another process swaps for
 * a link.
 *
 * @module
 */

import { Capabilities, Sandbox } from "../../mod.ts";
import { race, type RaceCounts, type RaceResult } from "../wasi/fs/race.ts";

const RACER = new URL("guests/racer.wasm", import.meta.url);

/**
 * Runs a race.
 *
 * @param seconds For how long.
 * @returns What reached outside, and what lies beneath the grant.
 */
export async function raceInProcess(
  seconds: number,
): Promise<RaceResult & { readonly beneath: string }> {
  let beneath = "";
  const result = await race(seconds, {
    guest: async (mount) => {
      await using sandbox = await Sandbox.create({
        module: RACER,
        isolation: "process",
        policy: [
          ...Capabilities.program(),
          Capabilities.environment(),
          Capabilities.directory(mount, "/box", "read-write"),
        ],
        limits: {
          timeoutMs: (seconds + 10) * 1000,
          fileEntries: 10_000_000,
          writtenBytes: 2 ** 40,
        },
      });
      beneath = sandbox.enforcement().grants["filesystem"] ?? "";
      const { exitCode, stdout, stderr } = await sandbox.execute([
        String(seconds),
      ]);
      const decoder = new TextDecoder();
      if (exitCode !== 0) throw new Error(decoder.decode(stderr));
      const counts: Record<string, RaceCounts> = JSON.parse(
        decoder.decode(stdout),
      );
      return counts;
    },
  });
  return { ...result, beneath };
}

/**
 * Races for a while, and tells what came of it.
 *
 * @param args `--seconds`, 30 if left out.
 * @returns Whether nothing reached outside.
 */
export async function soakRace(args: readonly string[]): Promise<boolean> {
  const at = args.indexOf("--seconds");
  const seconds = at < 0 ? 30 : Number(args[at + 1]);
  const { swaps, counts, beneath } = await raceInProcess(seconds);
  // deno-lint-ignore no-console -- what the task prints
  console.log(`${swaps} swaps in ${seconds} s; beneath: ${beneath}`);
  // deno-lint-ignore no-console -- what the task prints
  console.table(counts);
  return Object.values(counts).every(({ outside }) => outside === 0);
}

/**
 * Runs the tests, or those that are named, and tells which lines they run. What
 * programs in processes of their own run counts too, unless they are killed;
 * what guests' processes run does not.
 *
 * ```sh
 * deno task coverage [FILE...]
 * ```
 *
 * @module
 */

import { main as task } from "./task.ts";

/** Where the figures of each process are put. */
const FOLDER = new URL("../../coverage/", import.meta.url);

/** What is not ours to test, or is made from what is. */
const EXCLUDED = "/(?:tests|bench|examples)/|_program\\.js$|_guests\\.ts$|" +
  "/build(?:_\\w+)?\\.ts$";

/**
 * Runs tests and prints what they cover.
 *
 * @param files Tests; all of them, if there are none. Only then the threshold
 * of deno.json holds.
 * @returns The exit code: that of the tests, or else of the threshold.
 */
export async function main(files: readonly string[]): Promise<number> {
  await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
  await Deno.mkdir(FOLDER, { recursive: true });
  const folder = decodeURIComponent(FOLDER.pathname).replace(/\/$/, "");
  // processes that tests start inherit it
  Deno.env.set("DENO_COVERAGE_DIR", folder);
  const tested = await task([
    ...["test", "-A", `--coverage=${folder}`, "--coverage-raw-data-only"],
    ...files,
  ]);
  Deno.env.delete("DENO_COVERAGE_DIR");
  await dropBroken();
  const threshold = files.length === 0 ? [] : ["--threshold=0"];
  const covered = await task([
    ...["coverage", `--exclude=${EXCLUDED}`, ...threshold, folder],
  ]);
  return tested === 0 ? covered : tested;
}

/** Removes what processes that were killed have not written to its end. */
async function dropBroken(): Promise<void> {
  for await (const { name } of Deno.readDir(FOLDER)) {
    const file = new URL(name, FOLDER);
    if (!await isWhole(file)) await Deno.remove(file);
  }
}

/** Whether an object of JSON ends where its file does. */
async function isWhole(path: URL): Promise<boolean> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  if (size === 0) return false;
  await file.seek(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  await file.read(last);
  return last[0] === "}".charCodeAt(0);
}

if (import.meta.main) Deno.exit(await main(Deno.args));

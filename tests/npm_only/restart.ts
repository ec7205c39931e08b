/**
 * The second start of a program that could not load a package from JSR.
 *
 * @module
 */

import { importMap } from "./import_map.ts";
import { hasJsr } from "./jsr.ts";
import { runDeno } from "./run_deno.ts";

/**
 * Runs a program once more, with stand-ins for the packages from JSR.
 *
 * @param entry The program's URL.
 * @param args Its arguments.
 * @returns Its exit code. Undefined where stand-ins are of no help: JSR
 * answers, or they are in place already.
 */
export async function restart(
  entry: string,
  args: readonly string[],
): Promise<number | undefined> {
  if (areInPlace() || !mayDoAll() || await hasJsr()) return undefined;
  return await runDeno(
    ["run", "-A", "--import-map", await importMap(), entry, ...args],
    { hasJsr: false },
  );
}

function areInPlace(): boolean {
  try {
    return !import.meta.resolve("@cliffy/command").startsWith("jsr:");
  } catch {
    return false;
  }
}

/** The child gets every permission, so this process must have them. */
function mayDoAll(): boolean {
  const names = ["env", "ffi", "net", "read", "run", "sys", "write"] as const;
  return names.every((name) =>
    Deno.permissions.querySync({ name }).state === "granted"
  );
}

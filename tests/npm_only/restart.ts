/**
 * The second start of a program that could not load a package from JSR.
 *
 * @module
 */

import { importMap } from "./import_map.ts";
import { jsrAnswers, jsrEnvironment } from "./jsr.ts";
import { runDeno } from "./run_deno.ts";

const PERMISSIONS: readonly Deno.PermissionName[] = [
  "env",
  "ffi",
  "net",
  "read",
  "run",
  "sys",
  "write",
];

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
  const areInPlace = !resolve("@cliffy/command")?.startsWith("jsr:");
  if (areInPlace || !await mayDoAll() || await jsrAnswers()) return undefined;
  return await runDeno(
    ["run", "-A", "--import-map", await importMap(), entry, ...args],
    { env: jsrEnvironment("no") },
  );
}

function resolve(name: string): string | undefined {
  try {
    return import.meta.resolve(name);
  } catch {
    // There is no configuration, and so nothing to stand in for.
    return undefined;
  }
}

/** The child gets every permission, so this process must have them. */
async function mayDoAll(): Promise<boolean> {
  const statuses = await Promise.all(
    PERMISSIONS.map((name) => Deno.permissions.query({ name })),
  );
  return statuses.every(({ state }) => state === "granted");
}

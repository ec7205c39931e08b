/**
 * What is the same in every command that starts a process of ours, whatever the
 * process is for.
 *
 * @module
 */

import type { Tools } from "./machine.ts";
import type { Bounds } from "./namespace.ts";

/** What Deno itself needs of RLIMIT_DATA: threads, heaps and code. */
export const DENO_DATA_BYTES: number = 768 * 2 ** 20;

/** Flags of Deno by which a program loads nothing, asks nobody and keeps nothing. */
export const DENO_FLAGS: readonly string[] = Object.freeze([
  "run",
  "--quiet",
  "--no-prompt",
  "--no-remote",
  "--no-npm",
  "--cached-only",
  "--deny-import",
  "--no-config",
  "--no-lock",
  "--no-code-cache",
]);

/**
 * What bounds a process without a namespace.
 *
 * @param tools What the machine has.
 * @param bounds The bounds.
 * @returns What stands before the command; nothing, if the machine has nothing.
 */
export function limited(
  { prlimit }: Pick<Tools, "prlimit">,
  { files, dataBytes, cpuSeconds }: Bounds,
): readonly string[] {
  if (prlimit === undefined) return [];
  return [
    prlimit,
    `--data=${dataBytes}`,
    "--core=0",
    `--nofile=${files}`,
    ...(cpuSeconds === undefined ? [] : [`--cpu=${cpuSeconds}`]),
  ];
}

/**
 * What takes its rights from a process. A root user keeps the right to open what
 * others own, if files are granted: a guest in the host's own process would have
 * it too.
 *
 * @param setpriv What the machine has for it.
 * @param hasPaths Whether files are granted.
 * @returns What stands before the command; nothing, if the machine has nothing.
 */
export function privileges(
  setpriv: Tools["setpriv"],
  hasPaths: boolean,
): readonly string[] {
  if (setpriv === undefined) return [];
  const { path, dropsAll } = setpriv;
  const kept = hasPaths ? "-all,+dac_override,+fowner" : "-all";
  return [
    path,
    "--pdeathsig=KILL",
    "--no-new-privs",
    ...(dropsAll ? [`--bounding-set=${kept}`] : []),
  ];
}

/**
 * The variables of a process. Deno looks for its cache, for settings of npm and
 * for news of itself; it shall find none, and have no place to write to.
 *
 * @param file A file: nothing can be in it as in a directory.
 * @returns All variables.
 */
export function environment(
  file = "/dev/null",
): Readonly<Record<string, string>> {
  return {
    DENO_DIR: `${file}/cache`,
    DENO_NO_UPDATE_CHECK: "1",
    // is read only if it is there
    HOME: "/nonexistent",
    NO_COLOR: "1",
  };
}

/**
 * What a process protects from, and what not, in words.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import type { Capability } from "../../security/types.ts";
import { inlineFeatures } from "../inline_source.ts";
import type { Enforcement, RuntimeFeatures } from "../types.ts";
import { V8Runtime } from "../v8/runtime.ts";
import type { IsolationReport } from "./launch.ts";

function hard(by: string): Enforcement {
  return Object.freeze({ level: "hard", by });
}

/**
 * What a process enforces.
 *
 * @param report What the machine has.
 * @param limits The limits of the guest.
 * @returns The features of V8 in a process.
 */
export function featuresOf(
  { cpuSeconds, dataBytes }: IsolationReport,
  { stackBytes }: Pick<ResolvedLimits, "stackBytes">,
): RuntimeFeatures {
  const inline = inlineFeatures(new V8Runtime({ keepsDeadlines: false }));
  const beneath = dataBytes === undefined
    ? "a flag of V8's beneath"
    : `a flag of V8's beneath, and RLIMIT_DATA of ${dataBytes} bytes for all ` +
      "of its process";
  return Object.freeze({
    ...inline,
    sync: false,
    async: true,
    limits: Object.freeze({
      ...inline.limits,
      memoryBytes: hard(
        `the maximum of each memory, which the child makes, with ${beneath}`,
      ),
      timeoutMs: hard("the host, which kills the guest's process"),
      stdoutBytes: hard("the WASI layer in the child, and the host once more"),
      stderrBytes: hard("the WASI layer in the child, and the host once more"),
      ...(stackBytes === undefined
        ? {}
        : { stackBytes: hard("V8, whose stack is given this size") }),
      ...(cpuSeconds === undefined ? {} : {
        cpuMs: hard(
          `the kernel, by RLIMIT_CPU of ${cpuSeconds} s for the guest's process`,
        ),
      }),
    }),
  });
}

/**
 * What a process does not protect from.
 *
 * @param report What the machine has.
 * @returns Whole sentences.
 */
export function gapsOf(report: IsolationReport): readonly string[] {
  const { filesystem, parentDeath, dataBytes, noNewPrivileges } = report;
  return Object.freeze([
    "side channels: the guest shares caches and cores with other programs, and " +
    "can count loops to measure time",
    "faults of the engine and of Deno: a guest that runs native code in its " +
    "process has the rights of the host's user there, beyond Deno's " +
    "permissions" +
    (filesystem === "namespace"
      ? ", but sees no files other than those that are granted"
      : ""),
    "processor time of its process within the deadline: the engine compiles " +
    "in threads of its own",
    ...(filesystem === "checked"
      ? [
        "another program of this machine that swaps directories for links " +
        "while the guest uses them: Deno's permissions look at paths alone, " +
        "and this machine gives a process no root directory of its own",
      ]
      : []),
    ...(dataBytes === undefined
      ? ["memory of the process beyond the guest's own: there is no prlimit"]
      : []),
    ...(parentDeath === "watcher"
      ? [
        "a tenth of a second after the death of its host: the process looks " +
        "by itself whether the host is there, for there is no setpriv",
      ]
      : []),
    ...(noNewPrivileges ? [] : ["programs that give rights to who runs them"]),
  ]);
}

/**
 * Who enforces each grant.
 *
 * @param capabilities What is granted.
 * @param report What the machine has.
 * @returns A sentence for each type.
 */
export function describeGrants(
  capabilities: readonly Capability[],
  { filesystem }: IsolationReport,
): Readonly<Record<string, string>> {
  return Object.freeze(Object.fromEntries(
    capabilities.map(({ type }) => [
      type,
      type === "filesystem" ? FILES[filesystem] : GRANTS[type] ??
        "the auditor in the host, in the function that asks it",
    ]),
  ));
}

const FILES: Readonly<Record<IsolationReport["filesystem"], string>> = Object
  .freeze({
    none:
      "the WASI layer in the guest's process, which may reach no files of " +
      "the host's",
    checked:
      "the WASI layer in the guest's process, by steps of its own from " +
      "directory to directory; beneath it Deno's permissions of that process, " +
      "which are for these directories alone",
    namespace: "the WASI layer in the guest's process, by steps of its own; " +
      "beneath it Deno's permissions for these directories alone, and a root " +
      "directory in which there are no others",
  });

const IN_CHILD =
  "the WASI layer in the guest's process, which may use no more " +
  "of the system's";

const GRANTS: Readonly<Record<string, string>> = Object.freeze({
  environment: IN_CHILD,
  clock: "the WASI layer in the guest's process",
  random: "the WASI layer in the guest's process",
  process: IN_CHILD,
  stdio: IN_CHILD,
  network:
    "the host, which asks the auditor and looks at each address; a process " +
    "that may reach that one address dials it, and the guest's own may reach " +
    "none",
  host_functions: "the host, before it calls one",
});

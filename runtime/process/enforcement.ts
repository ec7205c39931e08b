/**
 * What a process protects from, and what not, in words.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import type { Capability } from "../../security/types.ts";
import { hard } from "../enforcers.ts";
import { inlineFeatures } from "../inline_source.ts";
import type { RuntimeFeatures } from "../types.ts";
import { V8Runtime } from "../v8/runtime.ts";
import type { ProcessEngine } from "./engine.ts";
import type { IsolationReport } from "./launch.ts";

/** Name of an engine that runs guests in processes. */
export type EngineName = ProcessEngine["name"];

/** What an engine enforces by itself. */
export interface EngineFeatures {
  /** Its name. */
  readonly name: EngineName;
  /** What it can run and enforce. */
  readonly features: RuntimeFeatures;
}

/**
 * The features of an engine whose deadlines its host keeps.
 *
 * @param name Its name.
 * @returns The features.
 */
export async function featuresByName(
  name: EngineName,
): Promise<EngineFeatures> {
  if (name === "v8") {
    const { features } = new V8Runtime({ keepsDeadlines: false });
    return { name, features };
  }
  // loaded only here: whoever runs guests on V8 does not pay for it
  const { WITHOUT_DEADLINES } = await import("../wasmtime/features.ts");
  return { name, features: WITHOUT_DEADLINES };
}

/**
 * What a process enforces.
 *
 * @param report What the machine has.
 * @param limits The limits of the guest.
 * @param engine What runs the guest, and its own features without deadlines.
 * @returns The features of the engine in a process.
 */
export function featuresOf(
  { cpuSeconds, dataBytes }: IsolationReport,
  { stackBytes }: Pick<ResolvedLimits, "stackBytes">,
  { name: engine, features }: EngineFeatures = {
    name: "v8",
    features: new V8Runtime({ keepsDeadlines: false }).features,
  },
): RuntimeFeatures {
  const inline = inlineFeatures({ features });
  const ofAll = dataBytes === undefined
    ? undefined
    : `RLIMIT_DATA of ${dataBytes} bytes for all of its process`;
  return Object.freeze({
    ...inline,
    sync: false,
    async: true,
    limits: Object.freeze({
      ...inline.limits,
      memoryBytes: hard(MEMORY[engine] + (ofAll ? `, and ${ofAll}` : "")),
      timeoutMs: hard("the host, which kills the guest's process"),
      stdoutBytes: hard("the WASI layer in the child, and the host once more"),
      stderrBytes: hard("the WASI layer in the child, and the host once more"),
      ...(stackBytes === undefined || engine !== "v8"
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

const MEMORY: Readonly<Record<EngineName, string>> = Object.freeze({
  v8: "the maximum of each memory, which the child makes, with a flag of " +
    "V8's beneath",
  wasmtime: "the maximum of each memory, written into the module, with " +
    "Wasmtime's store limiter beneath",
});

/**
 * What a process does not protect from.
 *
 * @param report What the machine has.
 * @param engine What runs the guest.
 * @returns Whole sentences.
 */
export function gapsOf(
  report: IsolationReport,
  engine: EngineName = "v8",
): readonly string[] {
  const { filesystem, parentDeath, dataBytes, noNewPrivileges } = report;
  return Object.freeze([
    "side channels: the guest shares caches and cores with other programs, and " +
    "can count loops to measure time",
    faultsOf(report, engine),
    "processor time of its process within the deadline: the engine compiles " +
    "in threads of its own",
    ...(engine === "v8" || dataBytes === undefined ? [] : [
      "memory to compile within the bound of its process: Wasmtime may need a " +
      "thousand times the length of a function, and a process that needs more " +
      "than it may have ends",
    ]),
    ...(filesystem === "checked" && engine === "v8"
      ? [
        "another program of this machine that swaps directories for links " +
        "while the guest uses them: Deno's permissions look at paths alone, " +
        "and this machine gives a process no root directory of its own",
      ]
      : []),
    ...(filesystem === "checked" && engine !== "v8"
      ? [
        "another program of this machine that swaps directories for links " +
        "while the guest uses them: this machine gives a process no root " +
        "directory of its own",
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

/** What somebody has who gets past the engine. */
function faultsOf(
  { filesystem, noNetwork }: IsolationReport,
  engine: EngineName,
): string {
  const who = engine === "v8"
    ? "faults of the engine and of Deno: a guest that runs native code in its " +
      "process has the rights of the host's user there, beyond Deno's " +
      "permissions"
    : "faults of Wasmtime, of Deno and of the program in the guest's process: " +
      "Deno opens Wasmtime by --allow-ffi, and so a guest that runs native " +
      "code or JavaScript there is held by no permission of Deno's; it has " +
      "the rights of the host's user";
  const without = [
    ...(filesystem === "namespace"
      ? ["sees no files other than those that are granted"]
      : []),
    ...(noNetwork ? ["reaches no network"] : []),
  ];
  return without.length === 0 ? who : `${who}, but ${without.join(" and ")}`;
}

/**
 * Who enforces each grant.
 *
 * @param capabilities What is granted.
 * @param report What the machine has.
 * @param engine What runs the guest.
 * @returns A sentence for each type.
 */
export function describeGrants(
  capabilities: readonly Capability[],
  { filesystem }: IsolationReport,
  engine: EngineName = "v8",
): Readonly<Record<string, string>> {
  return Object.freeze(Object.fromEntries(
    capabilities.map(({ type }) => [
      type,
      type === "filesystem"
        ? FILES[engine][filesystem]
        : type === "network"
        ? NETWORK[engine]
        : GRANTS[type] ??
          "the auditor in the host, in the function that asks it",
    ]),
  ));
}

const FILES: Readonly<
  Record<EngineName, Readonly<Record<IsolationReport["filesystem"], string>>>
> = Object.freeze({
  v8: Object.freeze({
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
  }),
  wasmtime: Object.freeze({
    none:
      "the WASI layer in the guest's process; beneath it Deno's permissions, " +
      "which give it no files, but bind no native code",
    checked:
      "the WASI layer in the guest's process, by steps of its own from " +
      "directory to directory; beneath it Deno's permissions for these " +
      "directories alone, which bind no native code",
    namespace: "the WASI layer in the guest's process, by steps of its own; " +
      "beneath it a root directory in which there are none but those that " +
      "are granted",
  }),
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
  host_functions: "the host, before it calls one",
});

const DIALLED =
  "the host, which asks the auditor and looks at each address; a " +
  "process that may reach that one address dials it";

const NETWORK: Readonly<Record<EngineName, string>> = Object.freeze({
  v8: `${DIALLED}, and the guest's own may reach none`,
  wasmtime: `${DIALLED}, and never the guest's own`,
});

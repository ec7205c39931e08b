/**
 * How the process of a guest is started: the exact arguments, and what the
 * machine has to put around it.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { BOOT } from "./child/boot.ts";
import {
  DENO_DATA_BYTES,
  DENO_FLAGS,
  environment,
  limited,
  privileges,
} from "./command.ts";
import { libraryOf, type ProcessEngine, V8 } from "./engine.ts";
import type { Machine, Tools } from "./machine.ts";
import { type Bounds, enter, type Namespace, WITHIN } from "./namespace.ts";

/** What a process is started for. */
export interface LaunchOptions {
  /** The limits of the guest. */
  readonly limits: ResolvedLimits;
  /** Absolute paths that the process may read. */
  readonly read: readonly string[];
  /** Absolute paths that the process may write. */
  readonly write: readonly string[];
  /** Most bytes of all files that the guest may keep in memory. */
  readonly fileBytes: number;
  /**
   * What runs the guest there.
   *
   * @default {{ name: "v8" }}
   */
  readonly engine?: ProcessEngine;
}

/**
 * What keeps a guest's process within its bounds on this machine, as data.
 */
export interface IsolationReport {
  /**
   * What lies beneath the checks of the WASI layer: Deno's permissions alone,
   * which look at paths and not at links (`"checked"`), or besides them a root
   * directory that holds nothing but what is granted (`"namespace"`).
   */
  readonly filesystem: "none" | "checked" | "namespace";
  /** What ends the process when its host is gone. */
  readonly parentDeath: "pdeathsig" | "watcher";
  /** What bounds all its memory together, in bytes, if something does. */
  readonly dataBytes: number | undefined;
  /** What bounds its CPU time, in seconds, if something does. */
  readonly cpuSeconds: number | undefined;
  /** Whether it has given up every right to gain rights. */
  readonly noNewPrivileges: boolean;
  /** Whether the kernel gives it no network, whatever runs there. */
  readonly noNetwork?: boolean;
}

/** A command that starts a process. */
export interface Launch {
  /** The program to run. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its environment; it has no other. */
  readonly env: Readonly<Record<string, string>>;
  /** What it amounts to. */
  readonly report: IsolationReport;
  /**
   * What runs the guest there, as the process sees it.
   *
   * @default {{ name: "v8" }}
   */
  readonly engine?: ProcessEngine;
  /** Two launches with the same key start the same process. */
  readonly key: string;
}

const MIB = 2 ** 20;
const PAGE_BYTES = 65_536;
/** Files that Deno itself holds open. */
const DENO_FILES = 64;

/**
 * Works out how to start a process.
 *
 * @param options What it is for.
 * @param machine What the machine has.
 * @returns The command.
 * @throws {SandboxError} If a limit cannot be enforced or a path not granted.
 */
export async function prepareLaunch(
  options: LaunchOptions,
  machine: Machine,
): Promise<Launch> {
  const tools = await machine.tools();
  const { engine = V8, limits: { cpuMs } } = options;
  if (cpuMs !== undefined && tools.prlimit === undefined) {
    throw noCpuLimit(engine);
  }
  const library = libraryOf(engine);
  const hasPaths = options.read.length + options.write.length > 0;
  // whoever gets to run native code is held by nothing that is Deno's
  const namespace = await machine.namespace({ ...options, library });
  const deno = namespace?.deno ?? machine.deno;
  const inner = [
    ...(namespace === undefined
      ? privileges(tools.setpriv, hasPaths)
      : privileges(namespace.setpriv, hasPaths)),
    deno,
    ...denoArguments(options),
  ];
  const bounds = boundsOf(options);
  const [command = deno, ...args] = namespace === undefined
    ? [...limited(tools, bounds), ...inner]
    : enter(namespace, { ...options, library, bounds }, inner);
  const env = environment(namespace?.deno);
  return {
    command,
    args,
    env,
    report: report(options, tools, namespace),
    engine: seenWithin(engine, namespace),
    key: JSON.stringify([command, args, engine]),
  };
}

/** The engine, with its library where the process finds it. */
function seenWithin(
  engine: ProcessEngine,
  namespace: Namespace | undefined,
): ProcessEngine {
  return engine.name === "v8" || namespace === undefined
    ? engine
    : { ...engine, library: WITHIN.library };
}

function denoArguments(
  { limits, read, write, fileBytes, engine = V8 }: LaunchOptions,
): readonly string[] {
  return [
    ...DENO_FLAGS,
    ...pathFlag("--allow-read", read, engine),
    ...pathFlag("--allow-write", write, engine),
    // without paths: with them, Deno gives no address and no callback
    ...(engine.name === "v8" ? [] : ["--allow-ffi"]),
    `--v8-flags=${engineFlags(limits, fileBytes).join(",")}`,
    `data:application/javascript,${encodeURIComponent(BOOT)}`,
  ];
}

const ABSOLUTE = Deno.build.os === "windows" ? /^[A-Za-z]:[\\/]/ : /^\//;

/** Deno parts paths at commas, and knows no way to write one in a path. */
function pathFlag(
  flag: string,
  paths: readonly string[],
  { name: runtime }: ProcessEngine,
): readonly string[] {
  if (paths.length === 0) return [];
  for (const path of paths) {
    if (ABSOLUTE.test(path) && !/[,\0\r\n]/.test(path)) continue;
    throw new SandboxError(
      "unsupported",
      `Cannot grant ${quote(path)} to a process: Deno takes no path with a ` +
        "comma or a line break, and no relative one, as a permission (rename " +
        'the directory, or choose isolation "inline")',
      { details: { runtime, feature: `the path ${quote(path)}` } },
    );
  }
  return [`${flag}=${paths.join(",")}`];
}

function engineFlags(
  limits: ResolvedLimits,
  fileBytes: number,
): readonly string[] {
  const { memoryBytes, tableElements, moduleBytes, stackBytes } = limits;
  const pages = Math.max(1, Math.floor(memoryBytes / PAGE_BYTES));
  return [
    `--max-old-space-size=${heapBytes(limits, fileBytes) / MIB}`,
    `--wasm-max-mem-pages=${pages}`,
    `--wasm-max-table-size=${Math.max(1, tableElements)}`,
    // limits that are written in make a module longer
    `--wasm-max-module-size=${Math.min(4 * moduleBytes + MIB, 2 ** 30)}`,
    ...(stackBytes === undefined
      ? []
      : [`--stack-size=${Math.floor(stackBytes / 1024)}`]),
  ];
}

/** The heap of the child's own program: messages, and tables of the module. */
function heapBytes(
  { messageBytes, moduleBytes }: ResolvedLimits,
  fileBytes: number,
): number {
  const bytes = 64 * MIB + 8 * messageBytes + 4 * moduleBytes + fileBytes / 8;
  return Math.ceil(bytes / (32 * MIB)) * 32 * MIB;
}

function dataBytes({ limits, fileBytes }: LaunchOptions): number {
  const { memoryBytes, messageBytes, moduleBytes } = limits;
  const bytes = DENO_DATA_BYTES + heapBytes(limits, fileBytes) +
    1.25 * memoryBytes + 3 * fileBytes + 4 * messageBytes + 8 * moduleBytes;
  return Math.ceil(bytes / (32 * MIB)) * 32 * MIB;
}

function boundsOf(options: LaunchOptions): Bounds {
  const { openFiles, cpuMs } = options.limits;
  return {
    files: openFiles + DENO_FILES,
    dataBytes: dataBytes(options),
    cpuSeconds: cpuMs === undefined ? undefined : Math.ceil(cpuMs / 1000),
  };
}

function report(
  options: LaunchOptions,
  tools: Tools,
  namespace: Namespace | undefined,
): IsolationReport {
  const { read, write } = options;
  const { dataBytes, cpuSeconds } = boundsOf(options);
  const hasBounds = namespace !== undefined || tools.prlimit !== undefined;
  const setpriv = namespace?.setpriv ?? tools.setpriv;
  const checked = read.length + write.length > 0 ? "checked" : "none";
  return {
    filesystem: namespace === undefined ? checked : "namespace",
    parentDeath: setpriv === undefined ? "watcher" : "pdeathsig",
    dataBytes: hasBounds ? dataBytes : undefined,
    cpuSeconds: hasBounds ? cpuSeconds : undefined,
    noNewPrivileges: setpriv !== undefined,
    noNetwork: namespace?.hasNetwork === false,
  };
}

function noCpuLimit(
  { name: runtime }: ProcessEngine,
): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    "Cannot provide the limit cpuMs: this machine has no prlimit that may be " +
      "run (install util-linux, pass --allow-run, or leave cpuMs out)",
    { details: { runtime, feature: "cpuMs" } },
  );
}

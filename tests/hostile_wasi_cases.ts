/**
 * The hostile guests of examples/hostile/wasi: what each is given, and how it
 * must end.
 *
 * @module
 */

import {
  Capabilities,
  type Capability,
  type ModuleFeatures,
  type ResourceLimits,
  type SymlinkPolicy,
} from "../mod.ts";

/** What lies in the mounts before a guest runs. */
export type Layout = "plain" | "links" | "special" | "hard";

/** Where the mounts are. */
export type Place = "memory" | "host";

/** One guest, as it is run. */
export interface HostileCase {
  /** Name of the case. */
  readonly name: string;
  /** Name of the guest's file, without its ending. */
  readonly guest: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** What lies in the mounts. */
  readonly layout: Layout;
  /** What is done about links. */
  readonly symlinks: SymlinkPolicy;
  /** Where it is run. */
  readonly places: readonly Place[];
  /** Limits other than {@linkcode LIMITS}. */
  readonly limits: ResourceLimits;
  /** Capabilities in place of those of the same type. */
  readonly grants: readonly Capability[];
  /** Proposals that it may use. */
  readonly features: ModuleFeatures;
  /** Whether its standard input never ends. */
  readonly endlessInput: boolean;
  /**
   * How it may end: `exit N`, `limit NAME`, or the code of an error.
   */
  readonly ends: readonly string[];
  /** Whether it must have been denied something when nothing is granted. */
  readonly asks: boolean;
}

type Options = Partial<Omit<HostileCase, "guest" | "ends">>;

/** Limits of every guest: far below the defaults, so that bombs go off soon. */
export const LIMITS: ResourceLimits = Object.freeze({
  timeoutMs: 5_000,
  memoryBytes: 16 * 2 ** 20,
  openFiles: 64,
  writtenBytes: 4 * 2 ** 20,
  fileEntries: 1_000,
  stdinBytes: 2 ** 20,
  stdoutBytes: 2 ** 20,
  stderrBytes: 2 ** 18,
});

/** Most bytes of all files of a memory mount. */
export const MEMORY_MOUNT_BYTES = 2 ** 20;

const SHORT: ResourceLimits = Object.freeze({ timeoutMs: 100 });

function ends(
  guest: string,
  ends: readonly string[],
  options: Options = {},
): HostileCase {
  const { args = [], symlinks = "refuse" } = options;
  return {
    name: [guest, ...args, ...(symlinks === "within" ? ["within"] : [])]
      .join(" "),
    guest,
    args,
    layout: "plain",
    symlinks,
    places: ["memory", "host"],
    limits: {},
    grants: [],
    features: {},
    endlessInput: false,
    asks: true,
    ...options,
    ends,
  };
}

/** It gives up by itself, and says that nothing worked. */
function contained(guest: string, options?: Options): HostileCase {
  return ends(guest, ["exit 0"], options);
}

/** In both ways of dealing with links. */
function withLinks(guest: string, options: Options = {}): HostileCase[] {
  return [
    contained(guest, { ...options, args: ["refuse"] }),
    contained(guest, { ...options, args: ["within"], symlinks: "within" }),
  ].map((each) => ({ ...each, name: `${guest} ${each.symlinks}` }));
}

const HOST: Options = { places: ["host"] };

const PATHS: readonly HostileCase[] = [
  contained("path_climb"),
  contained("path_climb", { symlinks: "within" }),
  contained("path_spelling"),
  contained("path_spelling", { symlinks: "within" }),
  contained("path_system"),
  contained("path_root"),
  contained("path_root", { symlinks: "within" }),
  contained("prototype_names"),
  contained("forged_log"),
];

const LINKS: readonly HostileCase[] = [
  ...withLinks("link_follow", { ...HOST, layout: "links" }),
  ...withLinks("link_make"),
  ...withLinks("link_make", { ...HOST, layout: "links" })
    .map((each) => ({ ...each, name: `${each.name} among links` })),
  ...withLinks("link_chain"),
  ...withLinks("link_depth"),
  ...withLinks("link_swap"),
  ...withLinks("link_swap", { ...HOST, layout: "links" })
    .map((each) => ({ ...each, name: `${each.name} among links` })),
  ...withLinks("special_files", { ...HOST, layout: "special" }),
  contained("hard_link", { ...HOST, layout: "hard" }),
];

const RIGHTS: readonly HostileCase[] = [
  contained("readonly"),
  contained("rights"),
  contained("cross_mount"),
  contained("cross_mount", { symlinks: "within" }),
  contained("fd_confusion"),
  contained("fd_offsets"),
];

const MEMORY: readonly HostileCase[] = [
  contained("iovec_lies"),
  contained("pointers"),
  contained("readdir_lies"),
  contained("stat_leaks"),
  contained("poll_lies"),
  contained("environment"),
  contained("grow_between"),
];

/** A memory mount is full before the limit is reached, or the other way. */
const FULL = ["limit writtenBytes", "exit 0"];

const QUOTAS: readonly HostileCase[] = [
  ...["files", "directories", "again"].map((arg) =>
    ends("quota", ["limit fileEntries"], { args: [arg] })
  ),
  ...["links", "symlinks"].map((arg) =>
    ends("quota", ["limit fileEntries", "exit 0"], {
      args: [arg],
      symlinks: "within",
    })
  ),
  contained("quota", { args: ["open"] }),
  ends("quota", FULL, { args: ["write"] }),
  ends("quota", ["limit writtenBytes"], { args: ["rewrite"] }),
  ...["pwrite", "resize", "allocate", "seek"].map((arg) =>
    ends("quota", FULL, { args: [arg] })
  ),
  contained("quota_names"),
  ...["stdout", "stdout-vectors"].map((arg) =>
    ends("flood", ["limit stdoutBytes"], { args: [arg], asks: false })
  ),
  ends("flood", ["limit stderrBytes"], { args: ["stderr"], asks: false }),
  // each of these is a call and, from a process, a message
  ends("flood", ["limit stdoutBytes"], {
    args: ["stdout-bytes"],
    limits: { stdoutBytes: 2 ** 16 },
    asks: false,
  }),
  ends("flood", ["limit stderrBytes"], {
    args: ["stderr-bytes"],
    limits: { stderrBytes: 2 ** 16 },
    asks: false,
  }),
  ends("flood", ["limit stdinBytes"], {
    args: ["stdin"],
    endlessInput: true,
    asks: false,
  }),
  contained("flood", { args: ["after-end"], asks: false }),
];

const TIME: readonly HostileCase[] = [
  ...["relative", "longest", "timer", "absolute", "realtime", "naps", "zero"]
    .map((arg) =>
      ends("sleep", ["limit timeoutMs"], { args: [arg], limits: SHORT })
    ),
  contained("sleep", { args: ["past"] }),
  ends("sleep_caught", ["limit timeoutMs"], { limits: SHORT }),
  ends("start_sleeps", ["limit timeoutMs"], { limits: SHORT }),
  ...[
    "yield",
    "clock",
    "random",
    "stdin",
    "stat",
    "path",
    "denied",
    "open",
    "readdir",
    "read",
    "empty",
    "badf",
    "seek",
    "sync",
    "touch",
    "rename",
  ].map((arg) =>
    ends("spin_calls", ["limit timeoutMs"], {
      args: [arg],
      limits: SHORT,
      asks: false,
    })
  ),
  ends("spin_calls", ["limit hostCalls"], {
    args: ["badf"],
    limits: { hostCalls: 1_000 },
    name: "spin_calls badf with a limit of calls",
  }),
  ends("spin_calls", ["limit fuel"], {
    args: ["random"],
    limits: { fuel: 10_000_000 },
    name: "spin_calls random with fuel",
  }),
  ...[1_000_000, 10_000_000].map((resolutionNs) =>
    contained("clock_probe", {
      args: [`${resolutionNs}`],
      grants: [Capabilities.clock({ mode: "coarse", resolutionNs })],
    })
  ),
];

const PROGRAMS: readonly HostileCase[] = [
  contained("sockets", { asks: true }),
  contained("raise"),
  contained("random_print"),
  ends("exit_caught", ["exit 7"], { asks: false }),
  ends("exit_caught_ref", ["exit 7"], { asks: false }),
  ends("exit_finally", ["exit 3"], { asks: false }),
  ...[0, 1, 42, 125, 126, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff].map((
    code,
  ) => ends("exit_code", [`exit ${code}`], { args: [`${code}`], asks: false })),
  ends("limit_caught", ["limit stdoutBytes"], { asks: false }),
  ends("start_calls", ["exit 5", "guest-exit"], { asks: true }),
];

const REFUSED = ["module-refused", "invalid-module", "import-not-granted"];

const MODULES: readonly HostileCase[] = [
  ends("memory_none", ["exit 0", ...REFUSED], { asks: false }),
  ends("memory_fake", ["exit 0", ...REFUSED], { asks: false }),
  ends("memory_global", ["exit 0", ...REFUSED], { asks: false }),
  ends("memory_64", REFUSED, { asks: false }),
  ends("memory_64", REFUSED, {
    asks: false,
    features: { memory64: true },
    name: "memory_64 where it is allowed",
  }),
  ends("memory_imported", REFUSED, { asks: false }),
  ends("memory_shared", REFUSED, { asks: false }),
  ends("import_unknown", REFUSED, { asks: false }),
  ends("import_inherited", REFUSED, { asks: false }),
  ends("import_signature", REFUSED, { asks: false }),
  ends("import_arity", REFUSED, { asks: false }),
  ends("import_version", REFUSED, { asks: false }),
  ends("import_sandbox", REFUSED, { asks: false }),
  contained("unstable_layout"),
  ends("entry_missing", ["export-not-found"], { asks: false }),
  ends("entry_signature", ["export-not-found"], { asks: false }),
  ends("entry_global", ["export-not-found"], { asks: false }),
];

/** Every guest. */
export const HOSTILE_CASES: readonly HostileCase[] = [
  ...PATHS,
  ...LINKS,
  ...RIGHTS,
  ...MEMORY,
  ...QUOTAS,
  ...TIME,
  ...PROGRAMS,
  ...MODULES,
];

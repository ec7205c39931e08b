/**
 * The capability extension point: permissions as data, and what they mean.
 *
 * @module
 */

import type { JsonSchema } from "./json_schema.ts";

/**
 * A permission, as frozen plain data: it can be written to a file and sent to
 * another process. What it means is for its {@linkcode CapabilityKind} to say.
 */
export interface Capability {
  /** Discriminant: which kind of capability it is. */
  readonly type: string;
}

/** Something that a guest asks for. */
export interface Operation {
  /** Type of the capability that governs it: `"filesystem"`. */
  readonly capability: string;
  /** What is to be done, one of the kind's actions: `"read"`. */
  readonly action: string;
  /** What it is done to: a path, a name, a host; `""` where there is none. */
  readonly resource: string;
  /** By which function the guest asks: `"path_open"`. */
  readonly via?: string;
}

/** Deno's permissions that a capability amounts to; absolute paths. */
export interface DenoPermissions {
  /** Paths for `--allow-read`. */
  readonly read?: readonly string[];
  /** Paths for `--allow-write`. */
  readonly write?: readonly string[];
  /** `host:port` for `--allow-net`. */
  readonly net?: readonly string[];
  /** Names for `--allow-env`. */
  readonly env?: readonly string[];
}

/**
 * The behaviour of one type of capability. Register it with
 * {@linkcode CapabilityKinds}, and policies, files and auditors know it.
 *
 * @typeParam C The capability's shape.
 */
export interface CapabilityKind<C extends Capability = Capability> {
  /** The {@linkcode Capability.type} that it understands. */
  readonly type: C["type"];
  /** Every action that it decides on. Others are denied. */
  readonly actions: readonly string[];
  /** Shape of the capability in a policy file. */
  readonly schema: JsonSchema;
  /** What a grant does not protect against, in whole sentences. */
  readonly notProtected: readonly string[];
  /**
   * Makes a capability out of anything, for example a part of a policy file.
   *
   * @param input Any value.
   * @returns The capability, checked and deeply frozen.
   * @throws {SandboxError} With code `invalid-capability`.
   */
  parse(input: unknown): C;
  /**
   * Decides on one operation. Must not have side effects.
   *
   * @param capability The capability that was granted.
   * @param operation The operation that is asked for.
   * @returns Whether the capability permits it.
   */
  permits(capability: C, operation: Operation): boolean;
  /**
   * Translates the name and the arguments of an operation, as
   * `SecurityAuditor.auditOperation` takes them, if they are this kind's. Without it an
   * operation is `type.action`, and its first argument the resource.
   *
   * @param operation Name of the operation.
   * @param args Its arguments.
   * @returns The operation, or undefined if it is of another kind.
   * @throws {SandboxError} With code `invalid-argument`.
   */
  operation?(
    operation: string,
    args: readonly unknown[],
  ): Operation | undefined;
  /**
   * What is counted while the capability is in force: limits of its own. Names
   * are within the kind: `operations` is reported as `custom_access.operations`.
   *
   * @param capability The capability that was granted.
   * @returns The most that is allowed of each counter.
   */
  counters?(capability: C): Readonly<Record<string, number>>;
  /**
   * What an operation that is permitted takes of each counter.
   *
   * @param capability The capability that permits it.
   * @param operation The operation.
   * @returns The amount by counter; what is left out takes nothing.
   */
  costs?(capability: C, operation: Operation): Readonly<Record<string, number>>;
  /**
   * Joins two grants of this type into one, where neither can be understood
   * without the other: two sets of mounts, two clocks. Without it both stand
   * side by side: what one of them permits is permitted, and each counts for
   * itself.
   *
   * @param granted The capability that was granted before.
   * @param added The one that is added; differs from it.
   * @returns One capability that grants what both grant.
   * @throws {SandboxError} With code `invalid-capability`, if they contradict.
   */
  combine?(granted: C, added: C): C;
  /**
   * Deno's permissions that lie beneath it.
   *
   * @param capability The capability that was granted.
   * @returns The permissions; none, if it reaches nothing of the system's.
   */
  denoPermissions(capability: C): DenoPermissions;
  /**
   * Says in plain sentences what the capability permits.
   *
   * @param capability The capability.
   * @returns One sentence each.
   */
  describe(capability: C): readonly string[];
}

/** What a guest may do below a mount. */
export type MountAccess = "read" | "read-write";

/** What is done about symbolic links in a host directory. */
export type SymlinkPolicy = "refuse" | "within";

/** A directory of the host that a guest sees. */
export interface HostMount {
  /** Absolute path that the guest sees it under: `/data`. */
  readonly guest: string;
  /** The host's directory. */
  readonly host: string;
  /**
   * What the guest may do there.
   *
   * @default {"read"}
   */
  readonly access?: MountAccess;
  /**
   * `"refuse"` follows none and makes none; `"within"` follows those that stay
   * in the mount, and lets the guest make such.
   *
   * @default {"refuse"}
   */
  readonly symlinks?: SymlinkPolicy;
}

/** A file tree in memory that a guest sees. */
export interface MemoryMount {
  /** Absolute path that the guest sees it under: `/tmp`. */
  readonly guest: string;
  /** Discriminant. */
  readonly memory: true;
  /**
   * What the guest may do there.
   *
   * @default {"read-write"}
   */
  readonly access?: MountAccess;
  /**
   * As for a host directory.
   *
   * @default {"refuse"}
   */
  readonly symlinks?: SymlinkPolicy;
  /**
   * Most bytes of all its files together.
   *
   * @default {16_777_216}
   */
  readonly maxBytes?: number;
}

/** A mount with every default filled in, as a capability holds it. */
export type Mount = Required<HostMount> | Required<MemoryMount>;

/** Grants files below mounts. */
export interface FilesystemCapability extends Capability {
  /** Discriminant. */
  readonly type: "filesystem";
  /** What the guest sees. No two have the same guest path. */
  readonly mounts: readonly Mount[];
}

/**
 * Grants connections to named hosts: by `http.request`, see docs/network.md. An
 * address that is not public must be granted itself; a name that stands for it
 * is not enough.
 */
export interface NetworkCapability extends Capability {
  /** Discriminant. */
  readonly type: "network";
  /** Who may be reached. */
  readonly hosts: readonly NetworkHost[];
}

/** A host that may be reached. */
export interface NetworkHost {
  /** Exact name or address, or `*.` and a domain for names below it. */
  readonly host: string;
  /** Ports; the scheme's own, if it is left out of a policy file. */
  readonly ports: readonly number[];
  /** Schemes: `"http"`, `"https"`. */
  readonly schemes: readonly string[];
  /** Methods in capitals, or `"*"` for every one. */
  readonly methods: readonly string[];
}

/** Grants environment variables. */
export interface EnvironmentCapability extends Capability {
  /** Discriminant. */
  readonly type: "environment";
  /** Variables with their values. */
  readonly variables: Readonly<Record<string, string>>;
  /**
   * Names of variables that each run may be given a value for, and that are
   * taken from the host's environment otherwise, for which the host needs the
   * permission to read them.
   */
  readonly pass: readonly string[];
}

/** Grants clocks. */
export interface ClockCapability extends Capability {
  /** Discriminant. */
  readonly type: "clock";
  /**
   * `"real"` is as exact as the host's, `"coarse"` is rounded down to
   * `resolutionNs`, `"virtual"` starts at `startMs` and moves by sleeping and by
   * `resolutionNs` with each look.
   */
  readonly mode: "real" | "coarse" | "virtual";
  /** Step of the clock, in nanoseconds. */
  readonly resolutionNs: number;
  /** Where a virtual clock starts, in milliseconds since 1970. */
  readonly startMs: number;
}

/** Grants random bytes. */
export interface RandomCapability extends Capability {
  /** Discriminant. */
  readonly type: "random";
  /** Same bytes each time, if given: a whole number. Not for secrets. */
  readonly seed?: number;
}

/** Grants what belongs to being a program. */
export interface ProcessCapability extends Capability {
  /** Discriminant. */
  readonly type: "process";
  /** Whether it may see the arguments it is run with. */
  readonly arguments: boolean;
  /** Whether it may end itself with an exit code. */
  readonly exit: boolean;
}

/** Grants the standard streams. */
export interface StdioCapability extends Capability {
  /** Discriminant. */
  readonly type: "stdio";
  /** Whether it may read its standard input. */
  readonly stdin: boolean;
  /** Whether it may write its standard output. */
  readonly stdout: boolean;
  /** Whether it may write its standard error. */
  readonly stderr: boolean;
}

/** Grants functions of the host, by name. */
export interface HostFunctionsCapability extends Capability {
  /** Discriminant. */
  readonly type: "host_functions";
  /** Exact names. */
  readonly functions: readonly string[];
  /** Most calls of each, for those that have a limit. */
  readonly maxCalls: Readonly<Record<string, number>>;
}

/** Grants named resources of the host's own. */
export interface CustomAccessCapability extends Capability {
  /** Discriminant. */
  readonly type: "custom_access";
  /** Exact names, or paths whose whole segments are compared. */
  readonly resources: readonly string[];
  /** Whether only reading is granted. */
  readonly readOnly: boolean;
  /** Most operations. */
  readonly maxOperations: number;
}

/** What became of an operation; a line of a guest's log is decided by nobody. */
export type AuditDecision = "allowed" | "denied" | "logged";

/** One decision, as it is recorded. */
export interface AuditEvent {
  /** Number within its sandbox, from 1; without gaps but for what was dropped. */
  readonly sequence: number;
  /** When, in ISO 8601, UTC. */
  readonly time: string;
  /** Which sandbox. */
  readonly sandbox: string;
  /** What was decided. */
  readonly decision: AuditDecision;
  /** `type.action`, such as `"filesystem.read"`. */
  readonly operation: string;
  /** Type of the capability that was asked for. */
  readonly capability: string;
  /** What it is done to. Control characters are escaped. */
  readonly resource: string;
  /** By which function the guest asked. */
  readonly via?: string;
  /** Why it was denied. */
  readonly reason?: string;
}

/** Takes events, one at a time, and returns at once. */
export interface AuditSink {
  /**
   * Takes one event. What it throws is counted, and hurts nobody.
   *
   * @param event The event; frozen.
   */
  record(event: AuditEvent): void;
}

/** Decides on operations; `SecurityAuditor` is one. */
export interface Auditor {
  /**
   * Decides on an operation, counts it if it is permitted, and records it.
   *
   * @param operation What a guest asks for.
   * @returns Whether it may.
   * @throws {SandboxError} With code `limit-exceeded`, if a counter is used up.
   */
  permits(operation: Operation): boolean;
  /**
   * Records that an operation was refused for another reason than the policy's
   * list of capabilities: by the setting of a mount, for example.
   *
   * @param operation What a guest asked for.
   * @param reason Why it was refused.
   */
  refuse(operation: Operation, reason: string): void;
}

/** How much a line of a guest's log matters, least first. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";

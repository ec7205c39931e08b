/**
 * What a sandbox is made from, and what it tells of itself.
 *
 * @module
 */

import type { ExtismOptions } from "./communication/extism/types.ts";
import type { HostFunctions } from "./communication/host_functions.ts";
import type { HttpOptions } from "./communication/http/mod.ts";
import type { ChannelFactory } from "./communication/mod.ts";
import type { Channel } from "./communication/types.ts";
import type { SandboxError } from "./errors.ts";
import type { RuntimeFactory } from "./runtime/mod.ts";
import type { PassedOver, RuntimeNeed } from "./runtime/needs.ts";
import type {
  CallOptions,
  Enforcement,
  GuestAbi,
  HostImports,
  ModuleFeatures,
  ModuleSource,
  Runtime,
} from "./runtime/types.ts";
import type { ProcessPool } from "./runtime/process/pool.ts";
import type { CapabilityKinds } from "./security/kinds.ts";
import type { LimitName, ResourceLimits } from "./security/limits.ts";
import type { SecurityPolicy } from "./security/policy.ts";
import type { AuditEvent, AuditSink, Capability } from "./security/types.ts";

/**
 * Where a guest runs: in the calling thread, or in a process of its own, which
 * holds no permission of Deno's but those that its grants need. `"auto"` is
 * decided by the policy: `"process"` as soon as it grants directories of the
 * host or the network, `"inline"` otherwise.
 */
export type Isolation = "auto" | "inline" | "process";

/**
 * What happens between two calls: the same instance goes on, with all its
 * state, or each call gets an instance of its own.
 */
export type InstancePolicy = "reuse" | "fresh";

/** How a call passes its input: as numbers, as JSON or as bytes. */
export type CallAbi = "raw" | "json" | "bytes";

/** How a runtime is chosen. */
export type RuntimeChoice = Pick<SandboxOptions, "need" | "runtimes">;

/** Options of {@linkcode Sandbox.create}. */
export interface SandboxOptions {
  /** Where the module comes from. */
  readonly module: ModuleSource;
  /**
   * The runtime, or the name of one in `runtimes`. A runtime that is given as
   * an object is not disposed with the sandbox. `"auto"` is the first of them
   * that is at hand and offers all that is asked for: what `need` names, and
   * the limits, the features and the isolation of these options.
   *
   * @default {"v8"}
   */
  readonly runtime?: Runtime | string;
  /**
   * What the runtime must offer; one that does not is refused, or with `"auto"`
   * passed over.
   *
   * @default {[]}
   */
  readonly need?: readonly RuntimeNeed[];
  /**
   * Where a runtime's name is looked up.
   *
   * @default {new RuntimeFactory()}
   */
  readonly runtimes?: RuntimeFactory;
  /**
   * Where the guest runs. `"process"` needs the permission to run Deno and a
   * runtime that can, and offers no `callSync`.
   *
   * @default {"auto"}
   */
  readonly isolation?: Isolation;
  /**
   * What the guest may use at the most.
   *
   * @default {DEFAULT_LIMITS}
   */
  readonly limits?: ResourceLimits;
  /**
   * Which proposals of WebAssembly the module may use.
   *
   * @default {DEFAULT_FEATURES}
   */
  readonly features?: ModuleFeatures;
  /**
   * What the guest may import: functions of numbers, and constants. A function
   * that is granted runs with all rights of the host, on numbers that the
   * guest chooses: check them. If the policy holds a `host_functions`
   * capability, only functions that it names as `module.name` may be called, no
   * more often than it says.
   *
   * @default {{}}
   */
  readonly imports?: HostImports;
  /**
   * What the guest may do, with WASI and with host functions that ask.
   *
   * @default {SecurityPolicy.strict()}
   */
  readonly policy?: SecurityPolicy | readonly Capability[];
  /**
   * The kinds of capability that the policy may hold.
   *
   * @default {new CapabilityKinds()}
   */
  readonly capabilityKinds?: CapabilityKinds;
  /**
   * Takes each decision about what the guest may do, beside
   * {@linkcode Sandbox.prototype.audit}: a sink, or a function.
   */
  readonly audit?: AuditSink | ((event: AuditEvent) => void);
  /**
   * Processes to take one from, for the isolation `"process"`. Without it each
   * sandbox starts its own.
   */
  readonly pool?: ProcessPool;
  /** Names of the guest's memory functions, for JSON and bytes. */
  readonly abi?: GuestAbi;
  /**
   * Functions of the host that the guest may call by name, with JSON or bytes:
   * through `call` of the guest ABI, which docs/guest-abi.md describes. A
   * function runs with all rights of the host, on input that the guest chooses.
   * If the policy holds a `host_functions` capability, only functions that it
   * names may be called, no more often than it says.
   *
   * @default {{}}
   */
  readonly hostFunctions?: HostFunctions;
  /**
   * Told of each failure of a host function that the guest is not told of: what
   * the function threw is the error's cause.
   */
  readonly onHostFunctionError?: (
    error: SandboxError<"host-function-failed">,
  ) => void;
  /**
   * The channel between host and guest, or the name of one in `channels`. One
   * that is given as an object is not disposed with the sandbox.
   */
  readonly channel?: Channel | string;
  /**
   * Where a channel's name is looked up.
   *
   * @default {new ChannelFactory()}
   */
  readonly channels?: ChannelFactory;
  /** Bounds of the HTTP that a `network` capability grants. */
  readonly http?: HttpOptions;
  /**
   * Runs the module as an Extism plug-in: it may import `extism:host/env` and
   * the functions given here, and its exports that take nothing and give an i32,
   * or nothing, take JSON or bytes. `createPlugin` of the entry `./extism` is
   * the way that users of Extism know.
   */
  readonly extism?: ExtismOptions;
  /**
   * Other modules, by the names that this one, which is `main`, and each other
   * import them from. They share its imports, its limits and its policy.
   *
   * @default {{}}
   */
  readonly linked?: Readonly<Record<string, ModuleSource>>;
  /**
   * What happens between two calls.
   *
   * @default {"reuse"}
   */
  readonly instance?: InstancePolicy;
}

/** Options of {@linkcode Sandbox.prototype.call}. */
export interface SandboxCallOptions extends CallOptions {
  /**
   * How the input is passed. Without it: JSON, or bytes for a `Uint8Array`, if
   * the export is of type `(i32, i32) -> i64` and the guest can allocate, and
   * numbers otherwise.
   */
  abi?: CallAbi;
  /**
   * Bytes that the guest reads while it runs, piece by piece. What it has not
   * read at the end is cancelled.
   */
  source?: ReadableStream<Uint8Array>;
  /**
   * Where the bytes go that the guest writes while it runs; it waits while there
   * is no room. Closed at the end, which the deadline covers, or aborted if the
   * call fails or is refused.
   */
  sink?: WritableStream<Uint8Array>;
}

/** A guest between two ends of a stream. */
export interface SandboxTransform<T = unknown>
  extends TransformStream<Uint8Array, Uint8Array> {
  /** What the guest reads. */
  readonly writable: WritableStream<Uint8Array>;
  /** What the guest writes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the call returns, in the end. */
  readonly result: Promise<T>;
}

/** Options of {@linkcode Sandbox.prototype.execute}. */
export interface ExecuteOptions extends CallOptions {
  /**
   * The standard input. A stream is read as the guest reads in a process, and
   * to its end before the guest runs inline; the deadline covers that too.
   *
   * @default {""}
   */
  stdin?: string | Uint8Array | ReadableStream<Uint8Array>;
  /**
   * Variables of the environment. Each name must be among those that the
   * policy's environment capability passes on; those of them that are left out
   * are taken from the host's environment, unless `inheritEnv` is false.
   *
   * @default {{}}
   */
  env?: Readonly<Record<string, string>>;
  /**
   * Whether variables that the policy passes on, and `env` leaves out, are taken
   * from the host's environment.
   *
   * @default {true}
   */
  inheritEnv?: boolean;
  /**
   * Files to put into memory mounts, by the guest's absolute path; one that
   * ends in `/` is a directory.
   *
   * @default {{}}
   */
  files?: Readonly<Record<string, string | Uint8Array>>;
  /**
   * Where the standard output goes, which is left open; it is collected if left
   * out. Inline it is written when the program has ended.
   */
  stdout?: WritableStream<Uint8Array>;
  /** As `stdout`, for the standard error. */
  stderr?: WritableStream<Uint8Array>;
  /**
   * What the program is told its own name is.
   *
   * @default {"guest"}
   */
  name?: string;
}

/** How a program ended. */
export interface ExecuteResult {
  /** Its exit code, all 32 bits of it. */
  readonly exitCode: number;
  /** The standard output; empty if it went to a stream. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** The standard error; empty if it went to a stream. */
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** All files of all memory mounts, by the guest's absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** What was used of one limit. */
export interface LimitUsage {
  /** What is allowed, in the unit of the limit's name. */
  readonly allowed: number;
  /** What was used, where that is measured. */
  readonly used?: number;
}

/** What a sandbox has used. */
export interface SandboxUsage {
  /** Calls that were made. */
  readonly calls: number;
  /** What was used of each limit. */
  readonly limits: Readonly<Partial<Record<LimitName, LimitUsage>>>;
  /** What was used of the counters of capabilities, by `type.counter`. */
  readonly counters: Readonly<Record<string, Required<LimitUsage>>>;
}

/** Who enforces one limit of a sandbox, and how firmly. */
export interface LimitEnforcement extends Enforcement {
  /** What is allowed, if it is a number of the caller's. */
  readonly allowed?: number;
}

/** Who enforces what. */
export interface SandboxEnforcement {
  /** Where the guest runs. */
  readonly isolation: Exclude<Isolation, "auto">;
  /** Name of the runtime. */
  readonly runtime: string;
  /** If the runtime was chosen: those before it, and why they were not. */
  readonly passedOver?: readonly PassedOver[];
  /** Each limit that holds. */
  readonly limits: Readonly<
    Partial<Record<LimitName | "stack", LimitEnforcement>>
  >;
  /** Who enforces each grant, by type of capability. */
  readonly grants: Readonly<Record<string, string>>;
  /** What the isolation and the grants do not protect against. */
  readonly unprotected: readonly string[];
}

/**
 * Where a sandbox's instances come from: this thread, or a process.
 *
 * @module
 */

import type { CallStreams, ServiceProvider } from "../communication/types.ts";
import type { CapabilityKinds } from "../security/kinds.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import type { Capability } from "../security/types.ts";
import type { ExtismParts } from "./guest_host.ts";
import type { SentEvent } from "./process/messages.ts";
import type { ProcessPool } from "./process/pool.ts";
import type {
  CallOptions,
  ExchangeOptions,
  HostImports,
  HostUsage,
  Instance,
  InstanceUsage,
  Module,
  ModuleFeatures,
  OperationOptions,
  Reply,
  RuntimeFeatures,
  WasmResult,
  WasmValue,
} from "./types.ts";

/** One run of a WASI command, as the host gives it. */
export interface CommandRun {
  /** The arguments, the program's name first. */
  readonly args: readonly string[];
  /** Variables, beyond those that the policy holds values for. */
  readonly env: Readonly<Record<string, string>>;
  /** Files to put into memory mounts, by the guest's absolute path. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The standard input. */
  readonly stdin: Uint8Array | ReadableStream<Uint8Array>;
  /** Where the standard output goes; it is collected if left out. */
  readonly stdout?: WritableStream<Uint8Array>;
  /** Where the standard error goes; it is collected if left out. */
  readonly stderr?: WritableStream<Uint8Array>;
}

/** How a command ended. */
export interface CommandOutcome {
  /** Its exit code. */
  readonly exitCode: number;
  /** The standard output, unless it went to a stream. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** The standard error, unless it went to a stream. */
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** All files of all memory mounts, by the guest's absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Options of {@linkcode GuestInstance.call}. */
export interface GuestCallOptions extends CallOptions {
  /** Streams that the guest reads and writes during the call. */
  readonly streams?: CallStreams;
}

/** Options of {@linkcode GuestInstance.exchange}. */
export interface GuestExchangeOptions extends ExchangeOptions {
  /** Streams that the guest reads and writes during the call. */
  readonly streams?: CallStreams;
}

/**
 * An instance that can also be run as a command, and that can ask its host for
 * services during each call.
 */
export interface GuestInstance extends Instance {
  /** As {@linkcode Instance.call}, with streams. */
  call(
    name: string,
    args: readonly WasmValue[],
    options?: GuestCallOptions,
  ): Promise<WasmResult>;
  /** As {@linkcode Instance.exchange}, with streams. */
  exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options?: GuestExchangeOptions,
  ): Promise<Reply<T>>;
  /**
   * Runs `_start` once. Exit codes are an outcome; everything else that keeps
   * it from returning is thrown. Streams are given all that was written before.
   *
   * @param run Arguments, variables, files and streams.
   * @param options A shorter deadline, and cancellation.
   */
  execute(run: CommandRun, options?: CallOptions): Promise<CommandOutcome>;
  /** What was used so far. */
  usage(): InstanceUsage & HostUsage;
}

/** Options of {@linkcode GuestSource.instantiate}. */
export interface GuestOptions extends OperationOptions {
  /** The fuel that is left, if it is counted. */
  readonly fuel?: number;
}

/** Makes the instances of one module under one policy. */
export interface GuestSource extends AsyncDisposable {
  /** Where its instances live. */
  readonly isolation: "inline" | "process";
  /** Name of the runtime, for messages. */
  readonly runtimeName: string;
  /** What the runtime enforces there. */
  readonly features: RuntimeFeatures;
  /** The module. */
  readonly module: Module;
  /** Whether its guests may have to wait for what their host does. */
  readonly mayWait: boolean;
  /** What is not protected there, in whole sentences. */
  readonly unprotected: readonly string[];
  /** Who enforces each grant, by type of capability, in a sentence. */
  readonly grants: Readonly<Record<string, string>>;
  /** Makes an instance, and runs its start function. */
  instantiate(options: GuestOptions): Promise<GuestInstance>;
  /** Lets go of every instance. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a module is opened with in a process of its own. */
export interface ProcessParts {
  /** The module, as the host has read it; not to be changed afterwards. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** Which proposals the module may use. */
  readonly features: ModuleFeatures;
  /** Other modules, by the names that they are imported from. */
  readonly linked?: Readonly<Record<string, Uint8Array>>;
  /** What guests may ask of their host. */
  readonly services: ServiceProvider;
  /** What Extism plug-ins are given; without it none is run. */
  readonly extism?: ExtismParts | undefined;
  /** Functions of the host, which run in the host, and constants. */
  readonly imports: HostImports;
  /** What is granted. */
  readonly capabilities: readonly Capability[];
  /**
   * The kinds that translate capabilities to permissions of Deno's.
   *
   * @default {new CapabilityKinds()}
   */
  readonly kinds?: CapabilityKinds;
  /** Takes every event of the child's auditor; number it anew. */
  readonly onEvent: (event: SentEvent) => void;
  /** Where processes are taken from; by default each is started when needed. */
  readonly pool?: ProcessPool | undefined;
}

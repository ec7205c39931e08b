/**
 * Programs on Wasmer, each run in a process of its own.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import { sourceDisposed } from "../disposed.ts";
import type {
  GuestInstance,
  GuestOptions,
  GuestSource,
  ProcessParts,
} from "../guest_source.ts";
import { ChildProcess } from "../process/child_process.ts";
import { encodeFiles } from "../process/files.ts";
import { memoryBytesOf } from "../process/grants.ts";
import { type Launch, prepareLaunch } from "../process/launch.ts";
import { machine as thisMachine } from "../process/machine.ts";
import { openModule } from "../process/open_module.ts";
import { requireRun } from "../process/spawn.ts";
import type { Module, OperationOptions, RuntimeFeatures } from "../types.ts";
import { NAME, requireGrants, unsupported } from "./admission.ts";
import { featuresOf, grantsBy, unprotectedBy } from "./features.ts";
import { WasmerInstance } from "./instance.ts";
import { MODULE_PATH, type WasmerOpen } from "./messages.ts";
import { loadProgram } from "./program.ts";
import type { SdkFiles } from "./sdk_files.ts";

const MIB = 2 ** 20;
const PAGE_BYTES = 65_536;
/** What the engine itself needs of its memory, with room for its streams. */
const ENGINE_BYTES = 96 * MIB;
/** A file that grows is there twice for a moment, and has room to grow. */
const BYTES_PER_FILE_BYTE = 4;
/** Each of its threads sets so much of the address space aside for code. */
const THREAD_BYTES = 256 * MIB;
/** Threads that it has without those of a guest's. */
const ENGINE_THREADS = 8;
/** Elements that the engine's own tables have. */
const ENGINE_ELEMENTS = 100_000;
/** Longest module of which the engine is one. */
const ENGINE_MODULE_BYTES = 16 * MIB;

/** What programs on Wasmer are made from. */
export interface WasmerParts extends ProcessParts {
  /** The SDK of Wasmer. */
  readonly sdk: SdkFiles;
  /** Told once the source is disposed. */
  readonly onDispose: (source: WasmerSource) => void;
}

/** A process in which the module is open. */
interface Home {
  readonly child: ChildProcess;
  readonly module: Module;
}

/**
 * Runs a module as a program on Wasmer. Each run has a process of its own, of
 * which nothing is left afterwards: no thread, no file.
 */
export class WasmerSource implements GuestSource {
  readonly isolation = "process";
  readonly runtimeName = NAME;
  readonly mayWait = false;
  readonly features: RuntimeFeatures;
  readonly module: Module;
  readonly unprotected: readonly string[];
  readonly grants: Readonly<Record<string, string>>;
  readonly #parts: WasmerParts;
  readonly #launch: Launch;
  readonly #instances = new Set<WasmerInstance>();
  /** Processes that are started now. */
  readonly #opening = new Set<Promise<Home>>();
  readonly #disposal = new AbortController();
  /** The process for the next instance, if there is one. */
  #next: Home | undefined;

  private constructor(parts: WasmerParts, launch: Launch, home: Home) {
    this.#parts = parts;
    this.#launch = launch;
    this.#next = home;
    this.module = home.module;
    this.features = featuresOf(launch.report);
    this.unprotected = unprotectedBy(launch.report);
    this.grants = grantsBy(parts.capabilities);
  }

  /**
   * Starts a process, and opens the module in it.
   *
   * @param parts The module, its limits, what it is granted, and the SDK.
   * @param operation Cancellation.
   * @returns The source; dispose it.
   * @throws {SandboxError} If the module is refused, or a process cannot be had.
   */
  static async create(
    parts: WasmerParts,
    operation: OperationOptions = {},
  ): Promise<WasmerSource> {
    requireParts(parts);
    await requireRun(thisMachine.deno);
    const launch = await prepareLaunch({
      limits: limitsOfProcess(parts),
      read: [],
      write: [],
      fileBytes: memoryBytesOf(parts.capabilities) + parts.limits.stdinBytes,
    }, thisMachine);
    const home = await openHome(parts, launch, operation);
    return new WasmerSource(parts, launch, home);
  }

  async instantiate({ signal }: GuestOptions): Promise<GuestInstance> {
    this.#use();
    const operation = endedBy(this.#disposal.signal, signal);
    const home = this.#next?.child.isAlive === true
      ? this.#next
      : await this.#open(operation);
    await this.#letGo(home);
    const instance = await WasmerInstance.create(
      { ...this.#parts, ...home },
      operation,
    );
    this.#instances.add(instance);
    void home.child.gone.then(() => this.#instances.delete(instance));
    if (!this.#disposal.signal.aborted) return instance;
    await instance[Symbol.asyncDispose]();
    throw sourceDisposed();
  }

  /** Ends every process, whatever runs there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(sourceDisposed());
    this.#parts.onDispose(this);
    const instances = [...this.#instances];
    await Promise.all([
      this.#letGo(undefined),
      ...instances.map((each) => each[Symbol.asyncDispose]()),
      Promise.allSettled(this.#opening),
    ]);
  }

  async #open(operation: OperationOptions): Promise<Home> {
    const opening = openHome(this.#parts, this.#launch, operation);
    this.#opening.add(opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(opening);
    }
  }

  /** Ends the process that waits, unless it is the one that is used now. */
  async #letGo(used: Home | undefined): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    if (next !== used) await next?.child[Symbol.asyncDispose]();
  }

  #use(): void {
    this.#disposal.signal.throwIfAborted();
  }
}

/**
 * Cancellation by the owner of what is made, or by whoever asks for it.
 *
 * @param owner Aborted once the owner is disposed.
 * @param signal The caller's own, if there is one.
 * @returns Both.
 */
export function endedBy(
  owner: AbortSignal,
  signal: AbortSignal | undefined,
): Required<OperationOptions> {
  const signals = signal === undefined ? [owner] : [owner, signal];
  return { signal: AbortSignal.any(signals) };
}

/** Refuses what a program on Wasmer cannot be given. */
function requireParts(parts: ProcessParts): void {
  const { capabilities, imports, linked = {}, extism, pool } = parts;
  requireGrants(capabilities);
  const refused = [
    [Object.keys(imports).length > 0, "imports of the host"],
    [Object.keys(linked).length > 0, "linked modules"],
    [extism !== undefined, "Extism plug-ins"],
    [pool !== undefined, "a pool of processes"],
  ] as const;
  for (const [isGiven, what] of refused) {
    if (!isGiven) continue;
    throw unsupported(
      what,
      "it runs programs alone: leave it out, or use another runtime",
    );
  }
}

/** What the engine's memory may grow to, with the guest's files in it. */
function engineBytes({ capabilities }: ProcessParts): number {
  return ENGINE_BYTES + BYTES_PER_FILE_BYTE * memoryBytesOf(capabilities);
}

/** The limits of the process, in which the engine runs beside the guest. */
function limitsOfProcess(parts: ProcessParts): ResolvedLimits {
  const { limits } = parts;
  return {
    ...limits,
    memoryBytes: limits.memoryBytes + engineBytes(parts) +
      ENGINE_THREADS * THREAD_BYTES,
    tableElements: limits.tableElements + ENGINE_ELEMENTS,
    moduleBytes: limits.moduleBytes + ENGINE_MODULE_BYTES,
  };
}

async function openHome(
  parts: WasmerParts,
  launch: Launch,
  operation: OperationOptions,
): Promise<Home> {
  const program = await loadProgram();
  const child = await ChildProcess.start(launch, { program, ...operation });
  try {
    return { child, module: await open(child, parts, operation) };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

async function open(
  child: ChildProcess,
  parts: WasmerParts,
  operation: OperationOptions,
): Promise<Module> {
  const { module, limits, features, capabilities, sdk, onEvent } = parts;
  const header: WasmerOpen = {
    limits,
    features: { ...features },
    capabilities,
    enginePages: Math.ceil(engineBytes(parts) / PAGE_BYTES),
    hostPid: Deno.pid,
    watch: child.launch.report.parentDeath === "watcher",
  };
  const opened = await openModule(child, {
    header,
    body: encodeFiles([[MODULE_PATH, module], ...sdk]),
    byteLength: module.length,
    limits,
    onEvent,
  }, operation);
  return opened.module;
}

/**
 * Instances in processes of their own.
 *
 * @module
 */

import { CapabilityKinds } from "../../security/kinds.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { sourceDisposed } from "../disposed.ts";
import type {
  GuestInstance,
  GuestOptions,
  GuestSource,
  ProcessParts,
} from "../guest_source.ts";
import type {
  Module,
  ModuleFeatures,
  OperationOptions,
  RuntimeFeatures,
} from "../types.ts";
import {
  childCapabilities,
  memoryBytesOf,
  memoryMountsOf,
  permissionsOf,
} from "./grants.ts";
import { FEATURES } from "../v8/features.ts";
import { ChildProcess } from "./child_process.ts";
import {
  describeGrants,
  featuresByName,
  featuresOf,
  gapsOf,
} from "./enforcement.ts";
import { type ProcessEngine, V8 } from "./engine.ts";
import { requireLibrary } from "./library.ts";
import { sentImports } from "./host_functions.ts";
import { type IsolationReport, type Launch, prepareLaunch } from "./launch.ts";
import { type Machine, machine as thisMachine } from "./machine.ts";
import type { Open } from "./messages.ts";
import type { ParsedModule } from "./module.ts";
import { openModule } from "./open_module.ts";
import { ProcessInstance } from "./process_instance.ts";
import { loadProgram } from "./program.ts";
import { requireRun } from "./spawn.ts";
import { Symlinks } from "./symlinks.ts";

/** What instances in processes are made from. */
export interface ProcessOptions extends ProcessParts {
  /**
   * What runs them.
   *
   * @default {{ name: "v8" }}
   */
  readonly engine?: ProcessEngine;
  /** What the machine has; tests use another. */
  readonly machine?: Machine;
  /** What to start instead; for tests alone. */
  readonly launch?: Launch;
}

/** A process in which the module is open. */
interface Home extends ParsedModule {
  readonly child: ChildProcess;
  /** The instance that lives there. */
  instance?: ProcessInstance;
  /** Whether one is being made there. */
  isTaken: boolean;
}

/**
 * Makes instances in a process of its own, which holds no more rights than the
 * policy's capabilities amount to.
 *
 * As long as the process lives, the next instance is made in it, once the one
 * before it is gone. Instances share no memory of WebAssembly's. But should a
 * guest have taken its process over, by a fault of the engine, then it also has
 * those that are made there later, until the process ends; use a source for
 * each party that is not to be trusted by the others.
 */
export class ProcessSource implements GuestSource {
  readonly isolation = "process";
  readonly runtimeName: ProcessEngine["name"];
  readonly features: RuntimeFeatures;
  readonly module: Module;
  /** The host's own thread waits for none of them. */
  readonly mayWait = false;
  readonly unprotected: readonly string[];
  readonly grants: Readonly<Record<string, string>>;
  /** What keeps its processes within their bounds. */
  readonly isolationReport: IsolationReport;
  readonly #options: ProcessOptions;
  readonly #launch: Launch;
  readonly #symlinks: Symlinks;
  readonly #homes = new Set<Home>();
  #disposed = false;

  private constructor(
    options: ProcessOptions,
    { launch, symlinks, features }: {
      launch: Launch;
      symlinks: Symlinks;
      features: RuntimeFeatures;
    },
    home: Home,
  ) {
    this.#options = options;
    this.#launch = launch;
    this.#symlinks = symlinks;
    this.#homes.add(home);
    this.module = home.module;
    this.isolationReport = launch.report;
    const { capabilities, engine: { name } = V8 } = options;
    const { report } = launch;
    this.runtimeName = name;
    this.features = features;
    this.unprotected = gapsOf(report, name);
    this.grants = describeGrants(capabilities, report, name);
  }

  /**
   * Starts a process, and opens the module in it.
   *
   * @param options The module, and what its instances are made from.
   * @param operation Cancellation.
   * @returns The source; dispose it.
   * @throws {SandboxError} If the module is refused, or a process cannot be had.
   */
  static async create(
    options: ProcessOptions,
    operation: OperationOptions = {},
  ): Promise<ProcessSource> {
    const {
      engine = V8,
      kinds = new CapabilityKinds(),
      machine = thisMachine,
    } = options;
    if (options.launch === undefined) await requireRun(machine.deno);
    await requireLibrary(engine);
    const launch = options.launch ?? await prepareLaunch({
      limits: limitsOfAll(options),
      ...permissionsOf(options.capabilities, kinds),
      fileBytes: memoryBytesOf(options.capabilities),
      engine,
    }, machine);
    const symlinks = new Symlinks(options.capabilities, isAlone(launch));
    await symlinks.require(engine.name);
    const own = await featuresByName(engine.name);
    const features = featuresOf(launch.report, options.limits, own);
    const home = await openHome(options, launch, operation);
    return new ProcessSource(options, { launch, symlinks, features }, home);
  }

  async instantiate(
    { fuel, signal }: GuestOptions,
  ): Promise<GuestInstance> {
    const operation = signal === undefined ? {} : { signal };
    const home = await this.#vacant(operation);
    const { limits, imports, services, onEvent, capabilities } = this.#options;
    try {
      return home.instance = await ProcessInstance.create({
        child: home.child,
        module: home.module,
        asks: home.asks,
        provider: services,
        limits,
        imports,
        symlinks: this.#symlinks,
        fileBytes: memoryBytesOf(capabilities),
        memoryMounts: memoryMountsOf(capabilities).map(({ guest }) => guest),
        onEvent,
      }, { fuel, ...operation });
    } finally {
      home.isTaken = false;
    }
  }

  /** Ends every process, whatever runs there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const homes = [...this.#homes];
    this.#homes.clear();
    await Promise.all(homes.map(({ instance, child }) =>
      Promise.all([
        instance?.[Symbol.asyncDispose](),
        child[Symbol.asyncDispose](),
      ])
    ));
  }

  /** A process with room for an instance; taken, so that nobody else has it. */
  async #vacant(operation: OperationOptions): Promise<Home> {
    this.#use();
    for (const home of this.#homes) {
      if (!home.child.isAlive) {
        this.#homes.delete(home);
        await home.child[Symbol.asyncDispose]();
      } else if (!home.isTaken && isGone(home.instance)) {
        home.isTaken = true;
        return home;
      }
    }
    const home = await openHome(this.#options, this.#launch, operation);
    home.isTaken = true;
    if (this.#disposed) await home.child[Symbol.asyncDispose]();
    this.#use();
    this.#homes.add(home);
    return home;
  }

  #use(): void {
    if (!this.#disposed) return;
    throw sourceDisposed();
  }
}

/** Whether a child sees no files but those that are granted. */
function isAlone({ report }: Launch): boolean {
  return report.filesystem === "namespace";
}

function isGone(instance: ProcessInstance | undefined): boolean {
  return instance === undefined ||
    instance.failure !== undefined && !instance.isRunning;
}

async function openHome(
  options: ProcessOptions,
  launch: Launch,
  operation: OperationOptions,
): Promise<Home> {
  const { pool } = options;
  const child = pool === undefined
    ? await ChildProcess.start(launch, {
      program: await loadProgram(),
      ...operation,
    })
    : await pool.acquire(launch, operation);
  try {
    const parsed = await open(child, options, operation);
    return { child, ...parsed, isTaken: false };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

async function open(
  child: ChildProcess,
  options: ProcessOptions,
  operation: OperationOptions,
): Promise<ParsedModule> {
  const { module, linked = {}, limits, imports, features } = options;
  const { capabilities, extism, onEvent } = options;
  const { timeoutMs, ...rest } = limits;
  const header: Open = {
    engine: child.launch.engine ?? V8,
    linked: Object.entries(linked).map(([name, { byteLength }]) => ({
      name,
      byteLength,
    })),
    limits: Number.isFinite(timeoutMs) ? limits : rest,
    features: ownFeatures(features),
    capabilities: childCapabilities(capabilities),
    imports: sentImports(imports),
    ...(extism === undefined ? {} : { extism }),
    hostPid: Deno.pid,
    watch: child.launch.report.parentDeath === "watcher",
    alone: isAlone(child.launch),
  };
  return await openModule(child, {
    header,
    body: joined(module, Object.values(linked)),
    byteLength: module.length,
    limits,
    onEvent,
  }, operation);
}

/** The limits of the process: it holds all modules. */
function limitsOfAll({ limits, linked = {} }: ProcessOptions): ResolvedLimits {
  const count = 1 + Object.keys(linked).length;
  return { ...limits, moduleBytes: count * limits.moduleBytes };
}

/** All modules, one after the other. */
function joined(
  module: Uint8Array<ArrayBuffer>,
  others: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  if (others.length === 0) return module;
  const all = [module, ...others];
  const length = all.reduce((sum, each) => sum + each.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const each of all) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}

/** Each feature by its name, so that what is inherited counts too. */
function ownFeatures(features: ModuleFeatures): ModuleFeatures {
  const given = FEATURES.map((name) => [name, features[name]] as const);
  return Object.fromEntries(
    given.filter(([, allowed]) => allowed !== undefined),
  );
}

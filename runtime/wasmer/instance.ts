/**
 * A program on Wasmer, which runs once.
 *
 * @module
 */

import type { SandboxError } from "../../errors.ts";
import type {
  CommandOutcome,
  CommandRun,
  GuestInstance,
  ProcessParts,
} from "../guest_source.ts";
import type { ChildProcess } from "../process/child_process.ts";
import { memoryBytesOf } from "../process/grants.ts";
import { ProcessInstance } from "../process/process_instance.ts";
import { Symlinks } from "../process/symlinks.ts";
import type {
  CallOptions,
  HostUsage,
  InstanceUsage,
  Module,
  ModuleExport,
  OperationOptions,
} from "../types.ts";
import { unsupported } from "./admission.ts";

/** What a program is made from. */
export interface WasmerInstanceParts extends
  Pick<
    ProcessParts,
    "capabilities" | "limits" | "onEvent" | "services"
  > {
  /** The process, in which the module is open. */
  readonly child: ChildProcess;
  /** The module, as the child describes it. */
  readonly module: Module;
}

/** A program on Wasmer. Its process ends with its run. */
export class WasmerInstance implements GuestInstance {
  readonly #instance: ProcessInstance;
  readonly #child: ChildProcess;

  private constructor(instance: ProcessInstance, child: ChildProcess) {
    this.#instance = instance;
    this.#child = child;
  }

  /**
   * Makes it; nothing of the guest's runs yet.
   *
   * @param parts What it is made from.
   * @param operation Cancellation.
   * @returns The instance.
   * @throws {SandboxError} If the process does not go on.
   */
  static async create(
    { capabilities, services, ...parts }: WasmerInstanceParts,
    operation: OperationOptions,
  ): Promise<WasmerInstance> {
    const instance = await ProcessInstance.create({
      ...parts,
      asks: false,
      provider: services,
      imports: {},
      symlinks: new Symlinks([], false),
      fileBytes: memoryBytesOf(capabilities),
    }, operation);
    return new WasmerInstance(instance, parts.child);
  }

  /** What the module exports. */
  get exports(): readonly ModuleExport[] {
    return this.#instance.exports;
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#instance.failure;
  }

  call(name: string): Promise<never> {
    return Promise.reject(notCalled(name));
  }

  callSync(name: string): never {
    throw notCalled(name);
  }

  exchange(name: string): Promise<never> {
    return Promise.reject(notCalled(name));
  }

  exchangeSync(name: string): never {
    throw notCalled(name);
  }

  async execute(
    run: CommandRun,
    options: CallOptions = {},
  ): Promise<CommandOutcome> {
    try {
      return await this.#instance.execute(run, options);
    } finally {
      // threads of the guest's may still run there
      await this.#child[Symbol.asyncDispose]();
    }
  }

  usage(): InstanceUsage & HostUsage {
    return this.#instance.usage();
  }

  setFuel(): never {
    throw unsupported("the limit fuel", "leave it out");
  }

  /** Ends its process, whatever runs there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#instance[Symbol.asyncDispose]();
    await this.#child[Symbol.asyncDispose]();
  }
}

function notCalled(name: string): SandboxError<"unsupported"> {
  return unsupported(
    `a call of "${name}"`,
    "it runs programs alone: use execute, or another runtime",
  );
}

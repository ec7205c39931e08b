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
import { ProtocolError } from "../process/frames.ts";
import { memoryBytesOf, memoryMountsOf } from "../process/grants.ts";
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
import { requireFiles } from "./files.ts";

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
  readonly #parts: Pick<WasmerInstanceParts, "capabilities" | "child">;
  /** What its process said that cannot be. */
  #lie: SandboxError | undefined;

  private constructor(
    instance: ProcessInstance,
    parts: Pick<WasmerInstanceParts, "capabilities" | "child">,
  ) {
    this.#instance = instance;
    this.#parts = parts;
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
      memoryMounts: memoryMountsOf(capabilities).map(({ guest }) => guest),
    }, operation);
    return new WasmerInstance(instance, { capabilities, child: parts.child });
  }

  /** What the module exports. */
  get exports(): readonly ModuleExport[] {
    return this.#instance.exports;
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#lie ?? this.#instance.failure;
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
    const { capabilities, child } = this.#parts;
    try {
      const outcome = await this.#instance.execute(run, options);
      requireFiles(outcome.files, capabilities);
      return outcome;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw this.#lie = await child.failure("run", error);
    } finally {
      // threads of the guest's may still run there
      await child[Symbol.asyncDispose]();
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
    await this.#parts.child[Symbol.asyncDispose]();
  }
}

function notCalled(name: string): SandboxError<"unsupported"> {
  return unsupported(
    `a call of "${name}"`,
    "it runs programs alone: use execute, or another runtime",
  );
}

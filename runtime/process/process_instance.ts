/**
 * An instance in a process of its own.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { runsAtStart, shorterTimeout } from "../calls.ts";
import type {
  CommandOutcome,
  CommandRun,
  GuestInstance,
} from "../guest_source.ts";
import type {
  CallOptions,
  ExchangeOptions,
  HostImports,
  HostUsage,
  InstanceUsage,
  Module,
  ModuleExport,
  Reply,
  WasmResult,
  WasmValue,
} from "../types.ts";
import { checkArguments } from "../v8/arguments.ts";
import { Failures } from "../v8/failures.ts";
import { exportNotFound } from "../v8/live.ts";
import {
  checked,
  isArrayOf,
  isCount,
  isShaped,
  isText,
  isUsage,
} from "./check.ts";
import type { ChildProcess } from "./child_process.ts";
import { converse, type Operation } from "./conversation.ts";
import { decodeFiles, encodeFiles } from "./files.ts";
import { FRAME, type Message, ProtocolError } from "./frames.ts";
import { HostFunctions } from "./host_functions.ts";
import type { Done, SentEvent, SentUsage } from "./messages.ts";
import { decodeNumbers, encodeNumber } from "./numbers.ts";
import { RunStreams } from "./run_streams.ts";
import { Services } from "./services.ts";
import type { Symlinks } from "./symlinks.ts";

/** What an instance in a process is made from. */
export interface ProcessInstanceParts {
  /** The process, in which the module is open and no instance lives. */
  readonly child: ChildProcess;
  /** The module, as the child describes it. */
  readonly module: Module;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** Functions of the host. */
  readonly imports: HostImports;
  /** Makes symbolic links. */
  readonly symlinks: Symlinks;
  /** Most bytes of all files in memory. */
  readonly fileBytes: number;
  /** Takes events. */
  readonly onEvent: (event: SentEvent) => void;
}

/** What is asked of the child, and what is expected. */
interface Request {
  readonly type: number;
  readonly header: object;
  readonly body?: Uint8Array;
  readonly maxBody?: number;
  readonly streams?: RunStreams;
  /** A deadline of its own, where nothing of the guest's runs. */
  readonly ownMs?: number;
}

const NO_USAGE: InstanceUsage = {
  memoryBytes: 0,
  tableElements: 0,
  fuel: undefined,
  hostCalls: 0,
};

/** An instance in a process of its own. */
export class ProcessInstance implements GuestInstance {
  readonly exports: readonly ModuleExport[];
  readonly #parts: ProcessInstanceParts;
  readonly #failures: Failures;
  readonly #functions: HostFunctions;
  #operations = 0;
  #running = false;
  #failure: SandboxError | undefined;
  #usage: InstanceUsage & HostUsage = NO_USAGE;
  /** Fuel that was put in, all in all. */
  #fuelGiven: number | undefined;
  /** Whether some came in while an operation went on. */
  #refuels = false;

  private constructor(parts: ProcessInstanceParts) {
    const { module, imports, limits } = parts;
    this.#parts = parts;
    this.exports = module.exports;
    this.#functions = new HostFunctions(imports, module, limits);
    this.#failures = new Failures(limits, () => {
      throw new Error("only a guest's own thread can trap");
    });
  }

  /**
   * Makes an instance, and runs its start function.
   *
   * @param parts What it is made from.
   * @param options The fuel that is left, and cancellation.
   * @returns The instance.
   * @throws {SandboxError} If it cannot be made.
   */
  static async create(
    parts: ProcessInstanceParts,
    { fuel, signal }: { fuel?: number | undefined; signal?: AbortSignal },
  ): Promise<ProcessInstance> {
    const instance = new ProcessInstance(parts);
    instance.#fuelGiven = fuel;
    await instance.#ask("start", {
      type: FRAME.instantiate,
      header: fuel === undefined ? {} : { fuel },
      ...(runsAtStart(parts.module) ? {} : { ownMs: INSTANTIATE_TIMEOUT_MS }),
    }, signal === undefined ? {} : { signal });
    return instance;
  }

  /** Why the instance is dead, if it is. */
  get failure(): SandboxError | undefined {
    return this.#failure;
  }

  /** Whether an operation goes on. */
  get isRunning(): boolean {
    return this.#running;
  }

  async call(
    name: string,
    args: readonly WasmValue[],
    options: CallOptions = {},
  ): Promise<WasmResult> {
    options.signal?.throwIfAborted();
    this.#ready(name);
    const { signature } =
      this.exports.find((each) =>
        each.name === name && each.kind === "function"
      ) ?? {};
    if (signature === undefined) throw exportNotFound(name, this.exports);
    checkArguments(name, signature, args);
    const header = { name, args: args.map(encodeNumber) };
    const request = { type: FRAME.call, header };
    const { done, child } = await this.#ask(name, request, options);
    const values = decodeNumbers(done.values, signature.results);
    if (values === undefined) {
      throw await this.#lied(child, "results of another type");
    }
    return values.length > 1 ? values : values[0];
  }

  callSync(name: string): never {
    throw notSync(name);
  }

  async exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options: ExchangeOptions = {},
  ): Promise<Reply<T>> {
    options.signal?.throwIfAborted();
    this.#ready(name);
    if (!this.exports.some((each) => each.name === name)) {
      throw exportNotFound(name, this.exports);
    }
    const { messageBytes } = this.#parts.limits;
    const text = typeof request === "string";
    const body = text ? ENCODER.encode(request) : request.slice();
    if (body.length > messageBytes) throw tooLong(messageBytes, body.length);
    const { abi } = options;
    const { message, child } = await this.#ask(name, {
      type: FRAME.exchange,
      header: { name, text, ...(abi === undefined ? {} : { abi }) },
      body,
      maxBody: messageBytes,
    }, options);
    if (!text) return message.body as Reply<T>;
    try {
      return STRICT.decode(message.body) as Reply<T>;
    } catch {
      throw await this.#lied(child, "a reply that is no text");
    }
  }

  exchangeSync(name: string): never {
    throw notSync(name);
  }

  async execute(
    run: CommandRun,
    options: CallOptions = {},
  ): Promise<CommandOutcome> {
    options.signal?.throwIfAborted();
    this.#ready("_start");
    const { limits, fileBytes } = this.#parts;
    using streams = new RunStreams(run, limits);
    const given = Object.entries(run.files);
    const entries = limits.fileEntries + given.length;
    const { done, message, child } = await this.#ask("_start", {
      type: FRAME.execute,
      header: { args: run.args, env: run.env },
      body: encodeFiles(given),
      maxBody: fileBytes + entries * MAX_ENTRY_BYTES,
      streams,
    }, options);
    try {
      return {
        exitCode: checked<number>(done.exitCode, isCount, "exit code"),
        ...streams.collected(),
        files: decodeFiles(message.body, entries),
      };
    } catch (error) {
      throw await this.#lied(child, (error as Error).message);
    }
  }

  usage(): InstanceUsage & HostUsage {
    return this.#usage;
  }

  setFuel(fuel: number): void {
    if (this.#failure !== undefined || this.#parts.limits.fuel === undefined) {
      throw new TypeError(
        "Cannot set the fuel: the instance is gone, or has no limit of fuel",
      );
    }
    this.#fuelGiven = fuel + (this.#usage.fuel ?? 0);
    // what the operation that goes on uses is not known yet
    if (this.#running) this.#refuels = true;
    else this.#parts.child.send(FRAME.fuel, { fuel });
  }

  /** Lets the instance go; a guest that still runs is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = this.#parts;
    const wasAlive = this.#failure === undefined;
    this.#failure ??= new SandboxError(
      "disposed",
      "Cannot use the instance: it is disposed",
      { details: { kind: "instance" } },
    );
    if (this.#running) {
      this.#forfeit();
      await child[Symbol.asyncDispose]();
    } else if (wasAlive && child.isAlive) child.send(FRAME.release, {});
  }

  #ready(name: string): void {
    if (this.#running) throw this.#failures.busy(name);
    if (this.#failure !== undefined) {
      throw this.#failures.dead(name, this.#failure);
    }
  }

  /** Has the child do something; every other end is thrown. */
  async #ask(
    name: string,
    { type, header, body, maxBody = 0, streams, ownMs }: Request,
    { signal, timeoutMs }: CallOptions,
  ): Promise<{
    readonly done: Done;
    readonly message: Message;
    readonly child: ChildProcess;
  }> {
    const { child, limits } = this.#parts;
    const deadline = ownMs ??
      shorterTimeout(timeoutMs ?? Infinity, limits.timeoutMs);
    const operation: Operation = {
      type,
      header: { id: ++this.#operations, ...header },
      ...(body === undefined ? {} : { body }),
      timeoutMs: deadline,
      signal,
      maxBody,
      services: new Services({
        ...this.#parts,
        functions: this.#functions,
        streams,
      }),
      late: () => this.#failures.overLimit(name, deadline),
    };
    this.#running = true;
    try {
      const outcome = await converse(child, operation);
      if (outcome.state === "done") {
        const { message } = outcome;
        const done = checked<Done>(message.header, isDone, "answer");
        this.#note(done.usage);
        return { done, message, child };
      }
      this.#note(outcome.usage);
      const error = this.#functions.explain(outcome.error);
      if (outcome.dead || type === FRAME.instantiate) this.#failure ??= error;
      throw error;
    } catch (error) {
      if (SandboxError.is(this.#failure, "disposed")) throw this.#failure;
      if (error instanceof ProtocolError) {
        throw await this.#lied(child, error.message);
      }
      if (!child.isAlive) this.#end(failureOf(error));
      throw error;
    } finally {
      this.#running = false;
      this.#refuel();
    }
  }

  /** Ends the instance together with its process. */
  #end(failure: SandboxError): void {
    this.#failure ??= failure;
    this.#forfeit();
  }

  /** All fuel counts as used: a process that is gone does not say how much. */
  #forfeit(): void {
    this.#usage = { ...this.#usage, fuel: this.#fuelGiven };
  }

  /** Puts in what came meanwhile. */
  #refuel(): void {
    if (!this.#refuels) return;
    this.#refuels = false;
    if (this.#failure !== undefined) return;
    const fuel = (this.#fuelGiven ?? 0) - (this.#usage.fuel ?? 0);
    this.#parts.child.send(FRAME.fuel, { fuel });
  }

  #note(usage: SentUsage | undefined): void {
    if (usage !== undefined) this.#usage = { ...NO_USAGE, ...usage };
  }

  /** What a child said cannot be: it is ended. */
  async #lied(child: ChildProcess, what: string): Promise<SandboxError> {
    const error = await child.failure("run", new ProtocolError(what));
    this.#end(error);
    return error;
  }
}

const ENCODER = new TextEncoder();
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Longest time to make an instance, where nothing of the guest's runs. */
const INSTANTIATE_TIMEOUT_MS = 60_000;

/** Longest path of a file, and what stands before it. */
const MAX_ENTRY_BYTES = 4_096 + 8;

const isDone = isShaped({
  required: { id: isCount },
  optional: {
    usage: isUsage,
    values: isArrayOf(isText, 1_000),
    exitCode: (value) => isCount(value) && Number(value) < 2 ** 32,
  },
});

/** Why an instance is dead whose call ended with something else. */
function failureOf(error: unknown): SandboxError {
  if (SandboxError.is(error)) return error;
  const suggestion = "reset the sandbox to start another process";
  return new SandboxError(
    "process-failed",
    `Cannot go on with the guest's process: its call was cancelled (${suggestion})`,
    { details: { phase: "run", signal: "SIGKILL", suggestion } },
  );
}

function notSync(name: string): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    `Cannot call "${name}" in the calling thread: the guest is in a process ` +
      'of its own (use call, or isolation "inline")',
    { details: { runtime: "v8", feature: "callSync" } },
  );
}

function tooLong(allowed: number, used: number): SandboxError {
  const suggestion = "raise messageBytes, or send less";
  return new SandboxError(
    "limit-exceeded",
    `Cannot send the request: messageBytes of ${allowed} is used up (${suggestion})`,
    { details: { limit: "messageBytes", allowed, used, suggestion } },
  );
}

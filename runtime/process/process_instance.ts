/**
 * An instance in a process of its own.
 *
 * @module
 */

import type {
  CallServices,
  CallStreams,
  ServiceProvider,
} from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import {
  instanceBusy,
  noFuel,
  noStreams,
  runsAtStart,
  shorterTimeout,
} from "../calls.ts";
import { instanceDisposed } from "../disposed.ts";
import type {
  CommandOutcome,
  CommandRun,
  GuestCallOptions,
  GuestExchangeOptions,
  GuestInstance,
} from "../guest_source.ts";
import type {
  CallOptions,
  GuestAbi,
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
import { checked, isCount } from "./check.ts";
import type { ChildProcess } from "./child_process.ts";
import { converse, type Operation } from "./conversation.ts";
import { decodeFiles, encodeFiles, requireBelow } from "./files.ts";
import { FRAME, ProtocolError } from "./frames.ts";
import { HostFunctions } from "./host_functions.ts";
import type { Done, SentEvent } from "./messages.ts";
import { decodeNumbers, encodeNumber } from "./numbers.ts";
import {
  type Answered,
  type AskOptions,
  failureOf,
  isDone,
  notSync,
  type Request,
  tooLong,
} from "./requests.ts";
import { RunStreams } from "./run_streams.ts";
import { ServiceCalls } from "./service_calls.ts";
import { Services } from "./services.ts";
import type { Symlinks } from "./symlinks.ts";
import { ToldUsage } from "./told_usage.ts";

/** What an instance in a process is made from. */
export interface ProcessInstanceParts {
  /** The process, in which the module is open and no instance lives. */
  readonly child: ChildProcess;
  /** The module, as the child describes it. */
  readonly module: Module;
  /** Whether it, or one that it imports from, asks for services. */
  readonly asks: boolean;
  /** Does what it may ask of its host. */
  readonly provider: ServiceProvider;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** Functions of the host. */
  readonly imports: HostImports;
  /** Makes symbolic links. */
  readonly symlinks: Symlinks;
  /** Most bytes of all files in memory. */
  readonly fileBytes: number;
  /** Where they are, as the guest sees it. */
  readonly memoryMounts: readonly string[];
  /** Takes events. */
  readonly onEvent: (event: SentEvent) => void;
}

/** An instance in a process of its own. */
export class ProcessInstance implements GuestInstance {
  readonly exports: readonly ModuleExport[];
  readonly #parts: ProcessInstanceParts;
  readonly #failures: Failures;
  readonly #functions: HostFunctions;
  readonly #usage: ToldUsage;
  #operations = 0;
  #running = false;
  #failure: SandboxError | undefined;

  private constructor(parts: ProcessInstanceParts, fuel: number | undefined) {
    const { child, module, imports, limits } = parts;
    this.#parts = parts;
    this.exports = module.exports;
    this.#functions = new HostFunctions(imports, module, limits);
    this.#failures = new Failures(limits, () => {
      throw new Error("only a guest's own thread can trap");
    });
    this.#usage = new ToldUsage(child, fuel);
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
    const instance = new ProcessInstance(parts, fuel);
    const request: Request = {
      type: FRAME.instantiate,
      header: fuel === undefined ? {} : { fuel },
      ...(runsAtStart(parts.module) ? {} : { ownMs: INSTANTIATE_TIMEOUT_MS }),
    };
    const options = signal === undefined ? {} : { signal };
    await instance.#serve(
      "start",
      undefined,
      (services) => instance.#ask("start", request, { ...options, services }),
    );
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

  call(
    name: string,
    args: readonly WasmValue[],
    { streams, ...options }: GuestCallOptions = {},
  ): Promise<WasmResult> {
    return this.#serve(
      name,
      streams,
      (services) => this.#call(name, args, { ...options, services }),
    );
  }

  callSync(name: string): never {
    throw notSync(name, this.#parts.child.launch);
  }

  exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    { streams, abi, ...options }: GuestExchangeOptions = {},
  ): Promise<Reply<T>> {
    return this.#serve(
      name,
      streams,
      (services) =>
        this.#exchange(name, { request, abi }, { ...options, services }),
    );
  }

  exchangeSync(name: string): never {
    throw notSync(name, this.#parts.child.launch);
  }

  execute(
    run: CommandRun,
    options: CallOptions = {},
  ): Promise<CommandOutcome> {
    return this.#serve(
      "_start",
      undefined,
      (services) => this.#execute(run, { ...options, services }),
    );
  }

  usage(): InstanceUsage & HostUsage {
    return this.#usage.now;
  }

  setFuel(fuel: number): void {
    if (this.#failure !== undefined || this.#parts.limits.fuel === undefined) {
      throw noFuel();
    }
    this.#usage.setFuel(fuel, this.#running);
  }

  /** Lets the instance go; a guest that still runs is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = this.#parts;
    const wasAlive = this.#failure === undefined;
    this.#failure ??= instanceDisposed();
    if (this.#running) {
      this.#usage.forfeit();
      await child[Symbol.asyncDispose]();
    } else if (wasAlive && child.isAlive) child.send(FRAME.release, {});
  }

  async #call(
    name: string,
    args: readonly WasmValue[],
    options: AskOptions,
  ): Promise<WasmResult> {
    this.#ready(name, options);
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

  async #exchange<T extends string | Uint8Array>(
    name: string,
    { request, abi }: {
      readonly request: T;
      readonly abi: GuestAbi | undefined;
    },
    options: AskOptions,
  ): Promise<Reply<T>> {
    this.#ready(name, options);
    if (!this.exports.some((each) => each.name === name)) {
      throw exportNotFound(name, this.exports);
    }
    const { messageBytes } = this.#parts.limits;
    const text = typeof request === "string";
    const body: Uint8Array = typeof request === "string"
      ? ENCODER.encode(request)
      : request;
    if (body.length > messageBytes) throw tooLong(messageBytes, body.length);
    const { message, child } = await this.#ask(name, {
      type: FRAME.exchange,
      header: { name, text, ...(abi === undefined ? {} : { abi }) },
      body,
      isBorrowed: !text,
      maxBody: messageBytes,
    }, options);
    if (!text) return message.body as Reply<T>;
    try {
      return STRICT.decode(message.body) as Reply<T>;
    } catch {
      throw await this.#lied(child, "a reply that is no text");
    }
  }

  async #execute(
    run: CommandRun,
    options: AskOptions,
  ): Promise<CommandOutcome> {
    this.#ready("_start", options);
    const { limits, fileBytes, memoryMounts } = this.#parts;
    using stdio = new RunStreams(run, limits);
    const given = Object.entries(run.files);
    const entries = limits.fileEntries + given.length;
    const { done, message, child } = await this.#ask("_start", {
      type: FRAME.execute,
      header: { args: run.args, env: run.env },
      body: encodeFiles(given),
      maxBody: fileBytes + entries * MAX_ENTRY_BYTES,
      stdio,
    }, options);
    try {
      const files = decodeFiles(message.body, entries);
      requireBelow(files, memoryMounts);
      return {
        exitCode: checked<number>(done.exitCode, isCount, "exit code"),
        ...stdio.collected(),
        files,
      };
    } catch (error) {
      throw await this.#lied(child, (error as Error).message);
    }
  }

  #ready(name: string, { signal }: CallOptions): void {
    signal?.throwIfAborted();
    if (this.#failure === undefined) return;
    throw this.#failures.dead(name, this.#failure);
  }

  /** Does something, with the services of the host. */
  async #serve<T>(
    name: string,
    streams: CallStreams | undefined,
    work: (services: CallServices | undefined) => Promise<T>,
  ): Promise<T> {
    if (this.#running) throw instanceBusy(name);
    const { provider, asks } = this.#parts;
    if (!asks && streams !== undefined) throw noStreams(name);
    const services = asks ? provider.begin(streams ?? {}) : undefined;
    this.#running = true;
    try {
      const result = await work(services);
      await services?.end();
      return result;
    } catch (error) {
      // the guest's own failure is told, whatever becomes of the streams
      await services?.end(error ?? new Error("cancelled")).catch(() => {});
      throw error;
    } finally {
      this.#running = false;
      if (this.#failure === undefined) this.#usage.refuel();
    }
  }

  /** Has the child do something; every other end is thrown. */
  async #ask(
    name: string,
    { type, header, body, isBorrowed, maxBody = 0, stdio, ownMs }: Request,
    { signal, timeoutMs, services }: AskOptions,
  ): Promise<Answered> {
    const { child, limits } = this.#parts;
    const deadline = ownMs ??
      shorterTimeout(timeoutMs ?? Infinity, limits.timeoutMs);
    const calls = services && this.#callsOf(name, services);
    const operation: Operation = {
      type,
      header: { id: ++this.#operations, ...header },
      ...(body === undefined ? {} : { body }),
      ...(isBorrowed === undefined ? {} : { isBorrowed }),
      timeoutMs: deadline,
      signal,
      maxBody,
      services: new Services({
        ...this.#parts,
        functions: this.#functions,
        streams: stdio,
        calls,
      }),
      late: () => this.#failures.overLimit(name, deadline),
    };
    try {
      const outcome = await converse(child, operation);
      if (outcome.state === "done") {
        calls?.requireGoingOn();
        const { message } = outcome;
        const done = checked<Done>(message.header, isDone, "answer");
        this.#usage.note(done.usage);
        return { done, message, child };
      }
      this.#usage.note(outcome.usage);
      const own = this.#functions.explain(outcome.error);
      const error = calls?.explain(own) ?? own;
      const isDead = outcome.dead || calls?.failure !== undefined;
      if (isDead || type === FRAME.instantiate) this.#failure ??= error;
      throw error;
    } catch (error) {
      if (SandboxError.is(this.#failure, "disposed")) throw this.#failure;
      if (error instanceof ProtocolError) {
        throw await this.#lied(child, error.message);
      }
      if (!child.isAlive) this.#end(failureOf(error));
      throw error;
    }
  }

  #callsOf(name: string, services: CallServices): ServiceCalls {
    const { limits } = this.#parts;
    const functions = this.#functions;
    functions.beginCall();
    const count = () => functions.count();
    return new ServiceCalls({ services, name, limits, count });
  }

  /** Ends the instance together with its process. */
  #end(failure: SandboxError): void {
    this.#failure ??= failure;
    this.#usage.forfeit();
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

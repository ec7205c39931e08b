/**
 * An instance in the calling thread, with its WASI layer.
 *
 * @module
 */

import { ByteCollector, collect, writeAll } from "../_streams.ts";
import {
  type Initializer,
  initializersOf,
} from "../communication/extism/mod.ts";
import { readReply, requestBytes } from "../communication/guest_abi.ts";
import type { CallStreams } from "../communication/types.ts";
import { SandboxError } from "../errors.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import { isProcedure, noStreams, shorterTimeout } from "./calls.ts";
import type { GuestHost } from "./guest_host.ts";
import type {
  CommandOutcome,
  CommandRun,
  GuestCallOptions,
  GuestExchangeOptions,
  GuestInstance,
} from "./guest_source.ts";
import type {
  CallOptions,
  ExchangeOptions,
  HostUsage,
  Instance,
  InstanceUsage,
  ModuleExport,
  Reply,
  WasmResult,
  WasmValue,
} from "./types.ts";
import type { StdinSource, StdioSink } from "./wasi/types.ts";
import type { Wasi } from "./wasi/wasi.ts";

/** What belongs to an instance. */
export interface InlineParts {
  /** Its WASI layer, if it imports anything of it. */
  readonly wasi: Wasi | undefined;
  /** What it asks of its host, if it imports anything of that. */
  readonly host: GuestHost | undefined;
  /** Its limits. */
  readonly limits: ResolvedLimits;
}

/** Streams of one run, in the guest's thread. */
export interface RunStreams {
  /** The standard input. */
  readonly stdin: StdinSource;
  /** The standard output. */
  readonly stdout: StdioSink;
  /** The standard error. */
  readonly stderr: StdioSink;
}

/** An instance in the calling thread. */
export class InlineInstance implements GuestInstance {
  readonly #instance: Instance;
  readonly #wasi: Wasi | undefined;
  readonly #host: GuestHost | undefined;
  readonly #limits: ResolvedLimits;

  /**
   * Constructs it.
   *
   * @param instance What the runtime made.
   * @param parts What belongs to it.
   */
  constructor(instance: Instance, { wasi, host, limits }: InlineParts) {
    this.#instance = instance;
    this.#wasi = wasi;
    this.#host = host;
    this.#limits = limits;
  }

  get exports(): readonly ModuleExport[] {
    return this.#instance.exports;
  }

  get failure(): SandboxError | undefined {
    return this.#instance.failure;
  }

  /** Calls what the guest wants to be called before anything else. */
  async initialize(): Promise<this> {
    try {
      for (const { name, args } of this.#initializers()) {
        await this.call(name, args);
      }
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  #initializers(): readonly Initializer[] {
    if (this.#host?.extism !== undefined) return initializersOf(this.exports);
    const asks = this.#wasi !== undefined || this.#host !== undefined;
    return asks && isProcedure(this.exports, "_initialize")
      ? [{ name: "_initialize", args: [] }]
      : [];
  }

  call(
    name: string,
    args: readonly WasmValue[],
    { streams, ...options }: GuestCallOptions = {},
  ): Promise<WasmResult> {
    return this.#serve(
      name,
      streams,
      () => this.#instance.call(name, args, options),
    );
  }

  callSync(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): WasmResult {
    if (this.#host === undefined) {
      return this.#instance.callSync(name, args, options);
    }
    return this.#host.serveSync(
      name,
      () => this.#instance.callSync(name, args, options),
    );
  }

  exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    { streams, ...options }: GuestExchangeOptions = {},
  ): Promise<Reply<T>> {
    const plugin = this.#host?.extism;
    return this.#serve(
      name,
      streams,
      plugin === undefined
        ? () => this.#instance.exchange(name, request, options)
        : async () => {
          const run = () => this.#instance.call(name, [], options);
          const reply = await plugin.run(name, this.#input(request), run);
          return this.#reply(name, request, reply);
        },
    );
  }

  exchangeSync<T extends string | Uint8Array>(
    name: string,
    request: T,
    options?: ExchangeOptions,
  ): Reply<T> {
    if (this.#host === undefined) {
      return this.#instance.exchangeSync(name, request, options);
    }
    const plugin = this.#host.extism;
    return this.#host.serveSync(name, () => {
      if (plugin === undefined) {
        return this.#instance.exchangeSync(name, request, options);
      }
      const run = () => this.#instance.callSync(name, [], options);
      const reply = plugin.runSync(name, this.#input(request), run);
      return this.#reply(name, request, reply);
    });
  }

  /** What a plug-in is given. */
  #input(request: string | Uint8Array): Uint8Array {
    return requestBytes(request, this.#limits.messageBytes);
  }

  /** What a plug-in has given, in the form of the request. */
  #reply<T extends string | Uint8Array>(
    name: string,
    request: T,
    reply: Uint8Array<ArrayBuffer>,
  ): Reply<T> {
    const isText = typeof request === "string";
    const { messageBytes: maxBytes } = this.#limits;
    return readReply({ name }, reply, { isText, maxBytes }) as Reply<T>;
  }

  async execute(
    run: CommandRun,
    options: CallOptions = {},
  ): Promise<CommandOutcome> {
    const input = await this.#stdin(run.stdin, options);
    const stdout = new ByteCollector();
    const stderr = new ByteCollector();
    const stdin = sourceOf(input);
    try {
      const exitCode = await this.run(run, { stdin, stdout, stderr }, options);
      return {
        exitCode,
        stdout: run.stdout === undefined ? stdout.take() : new Uint8Array(),
        stderr: run.stderr === undefined ? stderr.take() : new Uint8Array(),
        files: this.#wasi?.files() ?? new Map(),
      };
    } finally {
      await this.#inTime(
        options,
        "its output was not taken",
        async (signal) => {
          if (run.stdout) await writeAll(run.stdout, stdout.take(), signal);
          if (run.stderr) await writeAll(run.stderr, stderr.take(), signal);
        },
      );
    }
  }

  /**
   * Runs `_start`, in the calling thread.
   *
   * @param run Arguments, variables and files.
   * @param streams The standard streams.
   * @param options A shorter deadline, and cancellation.
   * @returns The exit code.
   */
  async run(
    run: Pick<CommandRun, "args" | "env" | "files">,
    streams: RunStreams,
    options: CallOptions = {},
  ): Promise<number> {
    this.#wasi?.prepare({ ...run, ...streams });
    try {
      await this.call("_start", [], options);
      return 0;
    } catch (error) {
      if (!SandboxError.is(error, "guest-exit")) throw error;
      return error.details.exitCode;
    }
  }

  /** Makes a call, with the services of its host. */
  async #serve<T>(
    name: string,
    streams: CallStreams | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    if (this.#host !== undefined) {
      return await this.#host.serve(name, streams ?? {}, call);
    }
    if (streams !== undefined) throw noStreams(name);
    return await call();
  }

  /** All of the standard input, or a little more than the guest may read. */
  async #stdin(
    stdin: CommandRun["stdin"],
    options: CallOptions,
  ): Promise<Uint8Array> {
    if (stdin instanceof Uint8Array) return stdin;
    const { stdinBytes: maxBytes } = this.#limits;
    return await this.#inTime(
      options,
      "its standard input did not end",
      (signal) => collect(stdin, { maxBytes, signal }),
    );
  }

  /** Does something with streams, which has a deadline of its own. */
  async #inTime<T>(
    { timeoutMs = Infinity, signal }: CallOptions,
    problem: string,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const allowed = shorterTimeout(timeoutMs, this.#limits.timeoutMs);
    const late = new AbortController();
    const timer = Number.isFinite(allowed)
      ? setTimeout(() => late.abort(tooLate(problem, allowed)), allowed)
      : undefined;
    const signals = signal === undefined
      ? [late.signal]
      : [late.signal, signal];
    try {
      return await work(AbortSignal.any(signals));
    } finally {
      clearTimeout(timer);
    }
  }

  /** All files of all memory mounts. */
  files(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
    return this.#wasi?.files() ?? new Map();
  }

  usage(): InstanceUsage & HostUsage {
    const usage = this.#instance.usage();
    const memoryBytes = usage.memoryBytes +
      (this.#host?.extism?.memoryBytes ?? 0);
    return { ...this.#wasi?.usage(), ...usage, memoryBytes };
  }

  setFuel(fuel: number): void {
    this.#instance.setFuel(fuel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#instance[Symbol.asyncDispose]();
    this.#wasi?.[Symbol.dispose]();
    this.#host?.extism?.[Symbol.dispose]();
  }
}

function tooLate(
  problem: string,
  allowed: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "let the stream go on sooner, or raise timeoutMs";
  return new SandboxError(
    "limit-exceeded",
    `Cannot run the guest: ${problem} within ${allowed} ms (${suggestion})`,
    { details: { limit: "timeoutMs", allowed, suggestion } },
  );
}

function sourceOf(bytes: Uint8Array): StdinSource {
  let position = 0;
  return {
    read(maxBytes) {
      if (position === bytes.length) return undefined;
      const part = bytes.subarray(position, position + maxBytes);
      position += part.length;
      return part;
    },
  };
}

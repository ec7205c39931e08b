/**
 * An instance in the calling thread, with its WASI layer.
 *
 * @module
 */

import { ByteCollector, collect, writeAll } from "../_streams.ts";
import { SandboxError } from "../errors.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import { isProcedure, shorterTimeout } from "./calls.ts";
import type {
  CommandOutcome,
  CommandRun,
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
  readonly #limits: ResolvedLimits;

  /**
   * Constructs it.
   *
   * @param instance What the runtime made.
   * @param parts What belongs to it.
   */
  constructor(instance: Instance, { wasi, limits }: InlineParts) {
    this.#instance = instance;
    this.#wasi = wasi;
    this.#limits = limits;
  }

  get exports(): readonly ModuleExport[] {
    return this.#instance.exports;
  }

  get failure(): SandboxError | undefined {
    return this.#instance.failure;
  }

  /** Calls `_initialize`, as a reactor wants it before anything else. */
  async initialize(): Promise<this> {
    if (this.#wasi === undefined || !isProcedure(this.exports, "_initialize")) {
      return this;
    }
    try {
      await this.#instance.call("_initialize", []);
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  call(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): Promise<WasmResult> {
    return this.#instance.call(name, args, options);
  }

  callSync(
    name: string,
    args: readonly WasmValue[],
    options?: CallOptions,
  ): WasmResult {
    return this.#instance.callSync(name, args, options);
  }

  exchange<T extends string | Uint8Array>(
    name: string,
    request: T,
    options?: ExchangeOptions,
  ): Promise<Reply<T>> {
    return this.#instance.exchange(name, request, options);
  }

  exchangeSync<T extends string | Uint8Array>(
    name: string,
    request: T,
    options?: ExchangeOptions,
  ): Reply<T> {
    return this.#instance.exchangeSync(name, request, options);
  }

  async execute(
    run: CommandRun,
    options: CallOptions = {},
  ): Promise<CommandOutcome> {
    const input = await this.#input(run.stdin, options);
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
      await this.#instance.call("_start", [], options);
      return 0;
    } catch (error) {
      if (!SandboxError.is(error, "guest-exit")) throw error;
      return error.details.exitCode;
    }
  }

  /** All of the standard input, or a little more than the guest may read. */
  async #input(
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
    return { ...this.#wasi?.usage(), ...this.#instance.usage() };
  }

  setFuel(fuel: number): void {
    this.#instance.setFuel(fuel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#instance[Symbol.asyncDispose]();
    this.#wasi?.[Symbol.dispose]();
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

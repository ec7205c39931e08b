/**
 * WASI programs as functions: arguments, input and files in, an exit code,
 * output and files out.
 *
 * ```ts
 * import { CliTool } from "@wasm-sandbox/core/cli-tool";
 * import { assertEquals } from "@std/assert";
 *
 * await using wordfreq = await CliTool.create({
 *   module: "examples/programs/rust/wordfreq.wasm",
 * });
 * const { exitCode, stdoutText } = await wordfreq.run([], { stdin: "to be" });
 * assertEquals(exitCode, 0);
 * assertEquals(JSON.parse(stdoutText).words, 2);
 * ```
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import { isProcedure } from "../runtime/calls.ts";
import type { OperationOptions } from "../runtime/types.ts";
import { exportNotFound } from "../runtime/v8/live.ts";
import type { ExecuteOptions, ExecuteResult } from "../sandbox_options.ts";
import { guestOptionsOf } from "./guest_options.ts";
import { GuestPool, type GuestPoolStats } from "./guest_pool.ts";
import { pinnedModule } from "./tool/pinned.ts";
import { Pipeline } from "./tool/pipeline.ts";
import { changedOnly, Result } from "./tool/result.ts";
import { TOOL_SCHEMA } from "./tool/schema.ts";
import { settingsOf, type ToolSettings } from "./tool/settings.ts";
import { Stream } from "./tool/stream.ts";
import { terminalStream, writing } from "./tool/terminal.ts";
import type {
  CliToolOptions,
  InteractiveOptions,
  PipelineStatus,
  ToolResult,
  ToolRunOptions,
  ToolStatus,
  ToolStream,
} from "./tool/types.ts";
import type { Wrapper, WrapperKind } from "./types.ts";

export type * from "./tool/types.ts";
export { installTool } from "./tool/install/install.ts";
export { listTools } from "./tool/install/list.ts";
export type * from "./tool/install/types.ts";
export { uninstallTool } from "./tool/install/uninstall.ts";

/**
 * A WASI program as a function. Each run begins anew: nothing of it is left but
 * what it returns and what it wrote to directories that its policy grants.
 *
 * @example Files in memory
 * ```ts
 * import { CliTool } from "@wasm-sandbox/core/cli-tool";
 * import { assertEquals } from "@std/assert";
 *
 * await using logreport = await CliTool.create({
 *   module: "examples/programs/c/logreport.wasm",
 *   args: ["/workspace/logs", "/workspace"],
 *   workspace: { maxBytes: 65_536 },
 * });
 * const { files } = await logreport.run([], {
 *   files: { "/workspace/logs/a.log": "2026-03-01T12:00:00Z ERROR disk full\n" },
 * });
 * const names = ["/workspace/report.json", "/workspace/report.txt"];
 * assertEquals([...files.keys()].sort(), names);
 * ```
 */
export class CliTool implements Wrapper {
  /** The name that its kind is registered under. */
  readonly wrapperType = "cli_tool";
  readonly #pool: GuestPool;
  readonly #settings: ToolSettings;

  private constructor(pool: GuestPool, settings: ToolSettings) {
    this.#pool = pool;
    this.#settings = settings;
  }

  /**
   * Makes a tool, and its first guest.
   *
   * @param options What runs, and under which bounds.
   * @param operation Cancellation.
   * @returns The tool; dispose it when done.
   * @throws {SandboxError} As a sandbox does; with code `export-not-found` if the
   * module is no WASI program, with `module-refused` if another is pinned.
   * @throws {TypeError} If the options are wrong; says all that is.
   */
  static async create(
    options: CliToolOptions,
    operation: OperationOptions = {},
  ): Promise<CliTool> {
    operation.signal?.throwIfAborted();
    const settings = settingsOf(options);
    const pool = await GuestPool.create({
      ...guestOptionsOf(settings),
      ...await pinnedModule(settings, operation),
      instance: "fresh",
      maxInstances: settings.maxConcurrentRuns,
      maxWaiting: settings.maxQueuedRuns,
      what: "runs",
    }, operation);
    if (isProcedure(pool.exports, "_start")) return new CliTool(pool, settings);
    await pool[Symbol.asyncDispose]();
    throw exportNotFound("_start", pool.exports);
  }

  /**
   * What the guests are doing.
   *
   * @returns The figures of this moment.
   */
  stats(): GuestPoolStats {
    return this.#pool.stats();
  }

  /** Where the tool runs. In a process alone its streams move while it runs. */
  get isolation(): "inline" | "process" {
    return this.#pool.isolation;
  }

  /**
   * Runs the tool to its end. An exit code is a result; everything else that
   * keeps it from its end is thrown.
   *
   * @param args The arguments, after those of the tool.
   * @param options Input, variables, files, a shorter deadline, cancellation.
   * @returns Exit code, output, and the files that it made or changed.
   * @throws {SandboxError} With code `overloaded` if too many wait, or as
   * `Sandbox.execute` does.
   */
  async run(
    args: readonly string[] = [],
    options: ToolRunOptions = {},
  ): Promise<ToolResult> {
    return new Result(await this.#run(args, { ...options }));
  }

  /**
   * Runs the tool, and hands out its streams. In a process they move while it
   * runs. Inline the tool reads its input to the end first, and its output comes
   * when it has ended.
   *
   * @example A pipe
   * ```ts
   * import { CliTool } from "@wasm-sandbox/core/cli-tool";
   * import { assertEquals } from "@std/assert";
   *
   * await using wordfreq = await CliTool.create({
   *   module: "examples/programs/rust/wordfreq.wasm",
   * });
   * await using stream = wordfreq.stream([]);
   * const text = ReadableStream.from(["to be ", "or not"])
   *   .pipeThrough(new TextEncoderStream());
   * const [json] = await Promise.all([
   *   new Response(stream.stdout).json(),
   *   text.pipeTo(stream.stdin),
   * ]);
   * assertEquals(json.words, 4);
   * assertEquals((await stream.status).exitCode, 0);
   * ```
   *
   * @param args The arguments, after those of the tool.
   * @param options As for `run`. If it has a `stdin`, that is what is read, and
   * the stream of that name is taken.
   * @returns The streams; dispose it, or await its status.
   */
  stream(
    args: readonly string[] = [],
    options: ToolRunOptions = {},
  ): ToolStream {
    const { stdin, signal, ...others } = options;
    return new Stream({
      run: (streams) => this.#run(args, { ...others, ...streams }),
      stdin,
      signal,
    });
  }

  /**
   * Runs the tool for somebody who sits before it: what it asks is seen before it
   * is answered. Needs the isolation `process`, and a deadline in `limits` that
   * is as long as the conversation may be.
   *
   * @param args The arguments, after those of the tool.
   * @param options The streams of the terminal, which are left open.
   * @returns How it has ended.
   * @throws {SandboxError} With code `unsupported` if the tool runs inline, or as
   * `run` does.
   */
  async interactive(
    args: readonly string[],
    options: InteractiveOptions,
  ): Promise<ToolStatus> {
    if (this.#pool.isolation === "inline") throw this.#deaf();
    const { isTerminal = true, stdout, stderr, ...others } = options;
    const outputs = isTerminal
      ? {
        stdout: terminalStream(writing(stdout)),
        stderr: terminalStream(writing(stderr)),
      }
      : { stdout, stderr };
    const ended = await this.#run(args, { ...others, ...outputs });
    return { exitCode: ended.exitCode, files: ended.files };
  }

  /** Ends all runs, and lets all guests go. Twice is once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }

  async #run(
    args: readonly string[],
    options: ExecuteOptions,
  ): Promise<ExecuteResult> {
    const { name, args: before, env, files: own } = this.#settings;
    const files = { ...own, ...options.files };
    const { signal } = options;
    const result = await this.#pool.use(
      (sandbox) =>
        sandbox.execute([...before, ...args], {
          ...options,
          name,
          env: { ...env, ...options.env },
          files,
        }),
      signal === undefined ? {} : { signal },
    );
    return changedOnly(result, files);
  }

  #deaf(): SandboxError<"unsupported"> {
    const { runtime } = this.#pool.enforcement();
    return new SandboxError(
      "unsupported",
      "Cannot run the tool interactively: inline it reads its input to the " +
        'end before it runs (set isolation to "process")',
      { details: { runtime, feature: "interactive runs inline" } },
    );
  }
}

/**
 * Puts runs in a line: what one writes to its standard output the next one
 * reads. Each waits for the next one to read. If one fails, all do; one that ends
 * early ends those before it as soon as they write more.
 *
 * @example Usage
 * ```ts
 * import { CliTool, pipeTools } from "@wasm-sandbox/core/cli-tool";
 * import { assertEquals } from "@std/assert";
 *
 * await using wordfreq = await CliTool.create({
 *   module: "examples/programs/rust/wordfreq.wasm",
 * });
 * await using line = pipeTools(
 *   wordfreq.stream([], { stdin: "to be or not to be" }),
 *   wordfreq.stream([]),
 * );
 * const { exitCodes } = await line.output();
 * assertEquals(exitCodes, [0, 0]);
 * ```
 *
 * @param first The first run.
 * @param others Those behind it.
 * @returns All of them as one: the first one's standard input, the last one's
 * standard output, and the standard errors of all.
 */
export function pipeTools(
  first: ToolStream,
  ...others: readonly ToolStream[]
): ToolStream<PipelineStatus> {
  return new Pipeline([first, ...others]);
}

/** The kind of wrapper that runs a program. */
export const CLI_TOOL: WrapperKind<CliToolOptions> = Object.freeze({
  type: "cli_tool",
  description: "A WASI program, as a function.",
  schema: TOOL_SCHEMA,
  create: (options: CliToolOptions, operation?: OperationOptions) =>
    CliTool.create(options, operation),
});

import type { OperationOptions } from "../../runtime/types.ts";
import type { ExecuteOptions } from "../../sandbox_options.ts";
import type { GuestOptions } from "../guest_options.ts";

/** Files in memory that a tool works on. */
export interface ToolWorkspace {
  /**
   * Where the tool sees them, an absolute path.
   *
   * @default {"/workspace"}
   */
  readonly path?: string;
  /**
   * Most bytes of all files together.
   *
   * @default {16_777_216}
   */
  readonly maxBytes?: number;
}

/**
 * What a tool is made from; the section `cli_tool` of a manifest.
 *
 * What `policy` grants is added to what a program cannot do without: arguments,
 * an exit code, the standard streams, the variables of `env`, a coarse clock and
 * random bytes.
 */
export interface CliToolOptions extends GuestOptions {
  /**
   * SHA-256 of the module, in hexadecimal. One that has another is refused. Any
   * module will do without it.
   */
  readonly sha256?: string;
  /**
   * What the tool is told its own name is.
   *
   * @default {"tool"}
   */
  readonly name?: string;
  /**
   * Arguments that go before those of each run.
   *
   * @default {[]}
   */
  readonly args?: readonly string[];
  /**
   * Variables of the environment. A run may give them other values.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Files in memory that the tool works on. There are none without it. */
  readonly workspace?: ToolWorkspace;
  /**
   * Files that each run begins with, by the tool's absolute path; one that ends
   * in `/` is a directory. They need a workspace, or another mount in memory.
   *
   * @default {{}}
   */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /**
   * Most runs at a time, each by a guest of its own.
   *
   * @default {4}
   */
  readonly maxConcurrentRuns?: number;
  /**
   * Most runs that wait; one more is refused with `overloaded`.
   *
   * @default {64}
   */
  readonly maxQueuedRuns?: number;
}

/** What a run is given. */
export interface ToolRunOptions extends OperationOptions {
  /**
   * The standard input. A stream is read as the tool reads in a process, and to
   * its end before the tool runs inline; the deadline covers that too.
   *
   * @default {""}
   */
  stdin?: string | Uint8Array | ReadableStream<Uint8Array>;
  /**
   * Other values for variables of the tool's `env`, and values for those that
   * its policy passes on.
   *
   * @default {{}}
   */
  env?: Readonly<Record<string, string>>;
  /**
   * Files beside those of the tool, and in the place of those at the same path.
   *
   * @default {{}}
   */
  files?: Readonly<Record<string, string | Uint8Array>>;
  /**
   * A shorter time than `limits.timeoutMs`, in milliseconds, from when the tool
   * starts.
   */
  timeoutMs?: number;
}

/** How a run has ended. */
export interface ToolStatus {
  /**
   * Its exit code, all 32 bits of it; 141, as shells say, if it wrote to
   * somebody who did not read any more.
   */
  readonly exitCode: number;
  /**
   * Files in memory that it made or changed, by its absolute path. Files of
   * mounted directories are not among them.
   */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** How a run has ended, and what it has written. */
export interface ToolResult extends ToolStatus {
  /** The standard output. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** The standard error. */
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** The standard output as text; what is no UTF-8 is replaced. */
  readonly stdoutText: string;
  /** As `stdoutText`, of the standard error. */
  readonly stderrText: string;
}

/**
 * A run whose streams are open. Like a process's, its outputs hold 64 KiB and
 * then wait for somebody to read, until the deadline.
 *
 * @typeParam S How it ends.
 */
export interface ToolStream<S extends ToolStatus = ToolStatus>
  extends AsyncDisposable {
  /**
   * The standard input. Close it for the tool to see its end. It fails when the
   * tool has ended without reading all of it.
   */
  readonly stdin: WritableStream<Uint8Array>;
  /**
   * The standard output. It fails if the run does. Who cancels it ends the tool
   * as soon as that writes more.
   */
  readonly stdout: ReadableStream<Uint8Array>;
  /** As `stdout`, the standard error. */
  readonly stderr: ReadableStream<Uint8Array>;
  /** How the run has ended; rejected if it failed. */
  readonly status: Promise<S>;
  /**
   * Reads both outputs to their ends. If nobody writes to the standard input, it
   * is at its end.
   *
   * @returns How the run has ended, and what it has written.
   */
  output(): Promise<S & ToolResult>;
  /** Ends the run, if it has not ended. Twice is once. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How tools that were put in a line have ended. */
export interface PipelineStatus extends ToolStatus {
  /**
   * The exit code of the last of them that ended with another than 0, or 0: as
   * `pipefail` of shells.
   */
  readonly exitCode: number;
  /** The exit codes of all of them, in their order. */
  readonly exitCodes: readonly number[];
}

/** Options of `CliTool.interactive`. */
export interface InteractiveOptions
  extends
    Omit<ToolRunOptions, "stdin">,
    Required<Pick<ExecuteOptions, "stdout" | "stderr">> {
  /** What is typed. It is left open. */
  stdin: ReadableStream<Uint8Array>;
  /** What is shown. It is left open. */
  stdout: WritableStream<Uint8Array>;
  /** What is shown of errors. It is left open. */
  stderr: WritableStream<Uint8Array>;
  /**
   * Whether the streams are those of a terminal: control characters other than
   * line feeds and tabs are shown as `\u{1b}`, and not obeyed.
   *
   * @default {true}
   */
  isTerminal?: boolean;
}

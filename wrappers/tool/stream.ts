/** A run whose streams are open. */

import { collect } from "../../_streams.ts";
import { SandboxError } from "../../errors.ts";
import type { ExecuteOptions, ExecuteResult } from "../../sandbox_options.ts";
import { withOutputs } from "./result.ts";
import type { ToolResult, ToolStatus, ToolStream } from "./types.ts";

/** What shells say of a program that wrote to nobody: 128 and SIGPIPE. */
const CLOSED_PIPE = 141;
/** How much an output holds until somebody reads; as much as a pipe of Linux. */
const PIPE_BYTES = 65_536;
const NO_FILES: ToolStatus["files"] = new Map();

/** What a run is made from. */
export interface StreamParts {
  /** Runs the tool. */
  readonly run: (options: ExecuteOptions) => Promise<ExecuteResult>;
  /** What is written to the standard input, if the caller does not. */
  readonly stdin: ExecuteOptions["stdin"];
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
}

/** Runs a tool between three streams. */
export class Stream implements ToolStream {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly status: Promise<ToolStatus>;
  readonly #disposal = new AbortController();

  constructor({ run, stdin, signal }: StreamParts) {
    const input = new TransformStream<Uint8Array, Uint8Array>();
    const outputs = [new Output(), new Output()] as const;
    this.stdin = input.writable;
    [this.stdout, this.stderr] = [outputs[0].readable, outputs[1].readable];
    const { signal: disposed } = this.#disposal;
    const ended = run({
      stdin: input.readable,
      stdout: outputs[0].writable,
      stderr: outputs[1].writable,
      signal: signal === undefined
        ? disposed
        : AbortSignal.any([signal, disposed]),
    });
    this.status = settle(ended, outputs, input.readable);
    // who only looks at the streams hears of it there
    this.status.catch(() => {});
    if (stdin !== undefined) void feed(input.writable, stdin);
  }

  output(): Promise<ToolStatus & ToolResult> {
    return outputOf(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(disposed());
    await this.status.catch(() => {});
  }
}

/**
 * Reads the outputs of a run to their ends; of which the limits of its guest are
 * the bound.
 *
 * @param stream The run.
 * @returns How it has ended, and what it has written.
 */
export async function outputOf<S extends ToolStatus>(
  stream: ToolStream<S>,
): Promise<S & ToolResult> {
  const { stdin, stdout, stderr, status } = stream;
  if (!stdin.locked) stdin.close().catch(() => {});
  const all = [stdout, stderr].map((each) =>
    collect(each, { maxBytes: Infinity })
  );
  // the run says best why an output has failed
  const read = Promise.all(all);
  read.catch(() => {});
  const ended = await status;
  const [out = new Uint8Array(), err = new Uint8Array()] = await read;
  return withOutputs(ended, { stdout: out, stderr: err });
}

/** Where a tool writes to, and somebody reads. */
class Output {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Whether who reads has had enough. */
  isCancelled = false;

  constructor() {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
      { cancel: () => void (this.isCancelled = true) },
      undefined,
      new ByteLengthQueuingStrategy({ highWaterMark: PIPE_BYTES }),
    );
    this.readable = readable;
    this.writable = writable;
  }

  /** Nothing more is written. Somebody may not have read, and may never. */
  close(): void {
    this.writable.close().catch(() => {});
  }

  fail(error: unknown): void {
    this.writable.abort(error).catch(() => {});
  }
}

/** Lets the streams end as the run does. */
async function settle(
  ended: Promise<ExecuteResult>,
  outputs: readonly Output[],
  input: ReadableStream<Uint8Array>,
): Promise<ToolStatus> {
  try {
    const { exitCode, files } = await ended;
    for (const output of outputs) output.close();
    return { exitCode, files };
  } catch (error) {
    // a run that fails by itself says so, whoever reads
    const isUnread = outputs.some(({ isCancelled }) => isCancelled);
    if (!isUnread || SandboxError.is(error)) {
      for (const output of outputs) output.fail(error);
      throw error;
    }
    for (const output of outputs) output.close();
    return { exitCode: CLOSED_PIPE, files: NO_FILES };
  } finally {
    await input.cancel(closedInput()).catch(() => {});
  }
}

async function feed(
  stdin: WritableStream<Uint8Array>,
  data: NonNullable<ExecuteOptions["stdin"]>,
): Promise<void> {
  const source = data instanceof ReadableStream
    ? data
    : new Blob([data as BlobPart]).stream();
  try {
    await source.pipeTo(stdin);
  } catch {
    // the tool may end without reading all of it; how it ended is told
  }
}

function closedInput(): Error {
  return new Deno.errors.BrokenPipe("Cannot write: the tool has ended");
}

function disposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot finish the run: it is disposed",
    { details: { kind: "run" } },
  );
}

/**
 * What the command line uses of the world around it.
 *
 * @module
 */

import { collect } from "../_streams.ts";
import { onStopSignal } from "./stop_signals.ts";
import { terminalStream } from "../wrappers/tool/terminal.ts";

/** The world around the command line: this process, or a test's stand-in. */
export interface CliHost {
  /** Writes to the standard output. */
  stdout(data: string | Uint8Array): Promise<void>;
  /** Writes to the standard error. */
  stderr(text: string): Promise<void>;
  /**
   * Reads the standard input to its end.
   *
   * @param maxBytes How much is wanted. Where there is more, reading stops
   * soon after, and the answer is longer than this.
   */
  readStdin(maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads a file.
   *
   * @param path Its path, from the current folder if it is relative.
   * @param maxBytes As for {@linkcode CliHost.readStdin}.
   */
  readFile(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The standard streams, for a program that runs. */
  streams(): CliStreams;
  /**
   * Takes over what asks a process to stop: SIGINT and SIGTERM.
   *
   * @param listener Called each time that it is asked.
   * @returns Gives that back when it is disposed.
   */
  onStop(listener: () => void): Disposable;
  /** Whether the standard output is a terminal. */
  isTerminal(): boolean;
  /** Whether the user asked for text without colours. */
  readonly noColor: boolean;
}

/** The standard streams. On a terminal, what it would obey is escaped. */
export interface CliStreams {
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: WritableStream<Uint8Array>;
  readonly stderr: WritableStream<Uint8Array>;
}

/** This process. */
export const denoHost: CliHost = Object.freeze({
  stdout: (data: string | Uint8Array) => write(Deno.stdout.writable, data),
  stderr: (text: string) => write(Deno.stderr.writable, text),
  readStdin: (maxBytes: number) => collect(Deno.stdin.readable, { maxBytes }),
  readFile: async (path: string, maxBytes: number) => {
    const file = await Deno.open(path);
    // reading to the end closes the file, and so does giving up
    return await collect(file.readable, { maxBytes });
  },
  streams: () => ({
    stdin: Deno.stdin.readable,
    stdout: outputOf(Deno.stdout),
    stderr: outputOf(Deno.stderr),
  }),
  onStop: onStopSignal,
  isTerminal: () => Deno.stdout.isTerminal(),
  noColor: Deno.noColor,
});

/** An output of a program. */
function outputOf(
  output: typeof Deno.stdout | typeof Deno.stderr,
): WritableStream<Uint8Array> {
  return output.isTerminal()
    ? terminalStream((text) => write(output.writable, text))
    : output.writable;
}

async function write(
  stream: WritableStream<Uint8Array>,
  data: string | Uint8Array,
): Promise<void> {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  const writer = stream.getWriter();
  try {
    await writer.write(bytes);
  } catch (error) {
    // who reads may have had enough, as `head` does
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  } finally {
    writer.releaseLock();
  }
}

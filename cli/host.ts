/**
 * What the command line uses of the world around it.
 *
 * @module
 */

import { collect } from "../_streams.ts";
import { onStopSignal } from "./stop_signals.ts";
import { terminalStream } from "../wrappers/tool/terminal.ts";

/** A standard stream. */
export type CliStream = "stdin" | "stdout" | "stderr";

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
  /**
   * Whether a standard stream is a terminal.
   *
   * @param stream Which one; the output, if left out.
   */
  isTerminal(stream?: CliStream): boolean;
  /** How many columns the terminal has; undefined, if there is none. */
  columns(): number | undefined;
  /**
   * Reads what somebody types at a terminal.
   *
   * @returns A line without its end; undefined, at the end of the input.
   */
  readLine(): Promise<string | undefined>;
  /** Whether the user asked for text without colours, or the terminal has none. */
  readonly noColor: boolean;
  /** Whether the terminal only ever writes on, and cannot clear a line. */
  readonly isDumb?: boolean;
}

/** The standard streams. On a terminal, what it would obey is escaped. */
export interface CliStreams {
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: WritableStream<Uint8Array>;
  readonly stderr: WritableStream<Uint8Array>;
}

/** This process. */
export const denoHost: CliHost = Object.freeze({
  stdout: (data: string | Uint8Array) => write(Deno.stdout, data),
  stderr: (text: string) => write(Deno.stderr, text),
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
  isTerminal: (stream: CliStream = "stdout") => Deno[stream].isTerminal(),
  columns: columnsOf,
  readLine: typedLine,
  get noColor() {
    return Deno.noColor || isDumb();
  },
  get isDumb() {
    return isDumb();
  },
});

/** Asks for nothing: without the permission to know, it is like any other. */
function isDumb(): boolean {
  const variable = { name: "env", variable: "TERM" } as const;
  return Deno.permissions.querySync(variable).state === "granted" &&
    Deno.env.get("TERM") === "dumb";
}

/** Longest line that a terminal hands over, in bytes. */
const MAX_LINE_BYTES = 4_096;

/** A terminal hands over one line at a time. */
async function typedLine(): Promise<string | undefined> {
  const buffer = new Uint8Array(MAX_LINE_BYTES);
  const length = await Deno.stdin.read(buffer);
  if (length === null) return undefined;
  const text = new TextDecoder().decode(buffer.subarray(0, length));
  return text.replace(/\r?\n$/, "");
}

function columnsOf(): number | undefined {
  try {
    // a terminal that nobody has told how wide it is says 0
    return Deno.consoleSize().columns || undefined;
  } catch {
    // neither standard stream is a terminal
    return undefined;
  }
}

/** An output of a program. */
function outputOf(
  output: typeof Deno.stdout | typeof Deno.stderr,
): WritableStream<Uint8Array> {
  return output.isTerminal()
    ? terminalStream((text) => write(output, text))
    : output.writable;
}

/** Writes all of it, whoever else writes there too. */
async function write(
  output: typeof Deno.stdout | typeof Deno.stderr,
  data: string | Uint8Array,
): Promise<void> {
  let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
  try {
    while (rest.length > 0) rest = rest.subarray(await output.write(rest));
  } catch (error) {
    // who reads may have had enough, as `head` does
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

import type { ExecuteResult } from "../../sandbox_options.ts";
import type { ToolResult, ToolStatus } from "./types.ts";

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

type Bytes = Uint8Array<ArrayBuffer>;

/** Files by path, as a run begins with them. */
export type GivenFiles = Readonly<Record<string, string | Uint8Array>>;

/** How a run has ended, and what it has written. */
export class Result implements ToolResult {
  readonly exitCode: number;
  readonly files: ReadonlyMap<string, Bytes>;
  readonly stdout: Bytes;
  readonly stderr: Bytes;

  constructor({ exitCode, files, stdout, stderr }: ExecuteResult) {
    this.exitCode = exitCode;
    this.files = files;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  get stdoutText(): string {
    return DECODER.decode(this.stdout);
  }

  get stderrText(): string {
    return DECODER.decode(this.stderr);
  }
}

/**
 * How a run has ended: of the files, those that are not as they were.
 *
 * @param result What the sandbox says.
 * @param given The files that the run began with.
 * @returns The same, with fewer files.
 */
export function changedOnly(
  result: ExecuteResult,
  given: GivenFiles,
): ExecuteResult {
  const files = new Map(result.files);
  for (const [path, data] of Object.entries(given)) {
    const now = files.get(path);
    if (now === undefined) continue;
    const before = typeof data === "string" ? ENCODER.encode(data) : data;
    if (isSame(now, before)) files.delete(path);
  }
  return { ...result, files };
}

/** Puts a status and the outputs together. */
export function withOutputs<S extends ToolStatus>(
  status: S,
  outputs: { readonly stdout: Bytes; readonly stderr: Bytes },
): S & ToolResult {
  return Object.assign(new Result({ ...status, ...outputs }), status);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}

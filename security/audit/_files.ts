/** The files of an audit log: `audit.jsonl`, and older ones by number. */

import { MAX_LINE_BYTES } from "./_lines.ts";

/** Most files that one log may have. */
export const MAX_FILES = 1000;

/** As many numbers may be missing, where renaming was cut short by crashes. */
const MAX_MISSING = 8;

/** What is shown of a part of a line, in bytes. */
const REST_BYTES = 64;

/** The path of a file of a log; 0 is the newest. */
export function numberedPath(path: string, number: number): string {
  if (number === 0) return path;
  const [extension = ""] = /\.[^./\\]*$/.exec(path) ?? [];
  return `${
    path.slice(0, path.length - extension.length)
  }.${number}${extension}`;
}

/** The numbers of the files that a log has and that hold something. */
export async function fileNumbers(path: string): Promise<number[]> {
  const numbers: number[] = [];
  let missing = 0;
  for (let number = 0; missing <= MAX_MISSING; number++) {
    const size = await fileSize(numberedPath(path, number));
    missing = size === undefined ? missing + 1 : 0;
    if (size !== undefined && size > 0) numbers.push(number);
  }
  return numbers;
}

/** Renames every file to the next number; the last ones go. */
export async function shiftFiles(
  path: string,
  maxFiles: number,
): Promise<void> {
  const numbers = await fileNumbers(path);
  for (const number of numbers.reverse()) {
    const from = numberedPath(path, number);
    if (number >= maxFiles - 1) await Deno.remove(from);
    else await Deno.rename(from, numberedPath(path, number + 1));
  }
}

/** Length of a file; undefined, if there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (isFile) return size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  throw new TypeError(`Cannot use ${JSON.stringify(path)}: it is no file`);
}

/** The ends of a file of lines. */
export interface FileEnds {
  /** The first line; undefined, if there is no whole one. */
  readonly first?: string;
  /** The last whole line. */
  readonly last?: string;
  /** How what follows the last line end begins, if anything does. */
  readonly rest?: string;
  /** Length of the file without what follows the last line end. */
  readonly wholeBytes: number;
  /** Length of the file. */
  readonly size: number;
}

/** Reads the first and the last whole line of a file. */
export async function fileEnds(path: string): Promise<FileEnds> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const head = await readAt(file, 0, Math.min(size, MAX_LINE_BYTES));
  // the last whole line, and a part of one behind it
  const tailStart = Math.max(0, size - 2 * MAX_LINE_BYTES);
  const tail = await readAt(file, tailStart, size - tailStart);
  const end = tail.lastIndexOf(10);
  const start = end < 1 ? 0 : tail.lastIndexOf(10, end - 1) + 1;
  const hasLine = end >= 0;
  const rest = ascii(tail.subarray(end + 1, end + 1 + REST_BYTES));
  return {
    ...(hasLine
      ? {
        first: ascii(head.subarray(0, Math.max(0, head.indexOf(10)))),
        last: ascii(tail.subarray(start, end)),
      }
      : {}),
    ...(rest === "" ? {} : { rest }),
    wholeBytes: hasLine ? tailStart + end + 1 : 0,
    size,
  };
}

async function readAt(
  file: Deno.FsFile,
  start: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.seek(start, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Bytes as text; what is not ASCII becomes what no line has. */
function ascii(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

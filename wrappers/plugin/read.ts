/** Reads files that somebody may be writing to. */

import type { Stats } from "node:fs";
// `Deno.open` waits for ever for whoever writes to a pipe, and has no flag not to
import {
  constants,
  type FileHandle,
  lstat,
  open,
  stat,
} from "node:fs/promises";
import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { Gate } from "../gate.ts";
import { wait } from "./wait.ts";

/** How a file is read. */
export interface ReadStableOptions {
  /** Longest file, in bytes. */
  readonly maxBytes: number;
  /** How long it must have been left alone, in milliseconds. */
  readonly quietMs: number;
  /** How long it is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether it may be a link. */
  readonly followLinks: boolean;
  /** What it must begin with. */
  readonly magic?: Uint8Array | undefined;
  /** Lets so many be read at a time: each takes as much memory as it is long. */
  readonly gate: Gate;
  readonly signal?: AbortSignal | undefined;
}

/** What is read of a file before it is known what it is. */
const FIRST_BYTES = 65_536;

/** A file that became another, or grew, while it was read. */
const CHANGED = Symbol("changed");

/**
 * Reads a file once, when nobody writes to it: all of it is of one version, and
 * what was read is what was looked at.
 *
 * @throws {SandboxError} With code `module-unreadable` or `limit-exceeded`.
 */
export async function readStable(
  path: string | URL,
  options: ReadStableOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { quietMs, timeoutMs, signal } = options;
  const end = performance.now() + timeoutMs;
  while (true) {
    signal?.throwIfAborted();
    const read = await readWhole(path, options);
    if (read !== CHANGED) return read;
    if (performance.now() > end) {
      throw unreadable(path, `it has been changing for ${timeoutMs} ms`);
    }
    await wait(Math.max(1, quietMs), signal);
  }
}

async function readWhole(
  path: string | URL,
  options: ReadStableOptions,
): Promise<Uint8Array<ArrayBuffer> | typeof CHANGED> {
  const { maxBytes, quietMs, followLinks, gate, signal } = options;
  const look = () => followLinks ? stat(path) : lstat(path);
  try {
    const before = await look();
    checkFile(path, before, maxBytes);
    if (ageOf(before) < quietMs) return CHANGED;
    await gate.enter(signal === undefined ? {} : { signal });
    try {
      return await readOpened(path, { ...options, before, look });
    } finally {
      gate.leave();
    }
  } catch (cause) {
    signal?.throwIfAborted();
    if (SandboxError.is(cause)) throw cause;
    throw unreadable(path, textOf(cause), cause);
  }
}

/** How a file is opened; a pipe that has taken its place keeps nobody waiting. */
function flagsOf(followLinks: boolean): number {
  // no system has all of them
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
  return O_RDONLY | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW);
}

async function readOpened(
  path: string | URL,
  { before, look, magic, followLinks }: ReadStableOptions & {
    readonly before: Stats;
    readonly look: () => Promise<Stats>;
  },
): Promise<Uint8Array<ArrayBuffer> | typeof CHANGED> {
  const file = await opened(path, followLinks);
  if (file === undefined) return CHANGED;
  try {
    // what was opened is what was looked at, whatever its name means by now
    if (!isSame(before, await file.stat())) return CHANGED;
    const bytes = await readAll(path, file, { size: before.size, magic });
    const isWhole = bytes !== undefined &&
      isSame(before, await file.stat()) && isSame(before, await look());
    return isWhole ? bytes : CHANGED;
  } finally {
    await file.close();
  }
}

/** Opens a file; undefined, if it has become what cannot be opened so. */
async function opened(
  path: string | URL,
  followLinks: boolean,
): Promise<FileHandle | undefined> {
  try {
    return await open(path, flagsOf(followLinks));
  } catch (error) {
    if (["ELOOP", "ENXIO"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function textOf(cause: unknown): string {
  if (codeOf(cause) === "ENOENT") return "it does not exist";
  return cause instanceof Error ? cause.message : String(cause);
}

/** What is no regular file may block for ever, or be somewhere else. */
function checkFile(path: string | URL, found: Stats, maxBytes: number): void {
  if (found.isSymbolicLink()) throw unreadable(path, "it is a symbolic link");
  if (!found.isFile()) throw unreadable(path, "it is no file");
  const { size } = found;
  if (size <= maxBytes) return;
  const suggestion = `raise moduleBytes to at least ${size}`;
  throw new SandboxError(
    "limit-exceeded",
    `Cannot read ${quote(String(path))}: it has ${size} bytes, and ` +
      `${maxBytes} are allowed (${suggestion})`,
    {
      details: {
        limit: "moduleBytes",
        allowed: maxBytes,
        used: size,
        suggestion,
      },
    },
  );
}

/** Reads as many bytes as there should be; undefined, if there are fewer. */
async function readAll(
  path: string | URL,
  file: FileHandle,
  { size, magic = new Uint8Array() }: {
    readonly size: number;
    readonly magic: Uint8Array | undefined;
  },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // what is no module is not read to its end, and takes no memory
  let bytes = new Uint8Array(Math.min(size, FIRST_BYTES));
  let length = 0;
  while (length < size) {
    if (length === bytes.length) bytes = grown(bytes, size);
    const wanted = bytes.length - length;
    const { bytesRead } = await file.read(bytes, length, wanted, length);
    if (bytesRead === 0) return undefined;
    length += bytesRead;
    checkMagic(path, bytes, magic);
  }
  return bytes;
}

function checkMagic(path: string | URL, bytes: Uint8Array, magic: Uint8Array) {
  if (magic.every((byte, index) => byte === bytes[index])) return;
  throw unreadable(path, "it is no WebAssembly");
}

function grown(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(size);
  longer.set(bytes);
  return longer;
}

/** Milliseconds since it was written; one from the future is as good as new. */
function ageOf({ mtime }: Stats): number {
  const age = Date.now() - mtime.getTime();
  return age < -FUTURE_MS ? Infinity : age;
}

/** A clock that is off by more than this says nothing about a file's age. */
const FUTURE_MS = 2_000;

/** Whether a file is still the same. */
function isSame(one: Stats, other: Stats): boolean {
  return one.size === other.size && one.ino === other.ino &&
    one.dev === other.dev && one.mtime.getTime() === other.mtime.getTime();
}

function unreadable(
  path: string | URL,
  reason: string,
  cause?: unknown,
): SandboxError<"module-unreadable"> {
  const source = String(path);
  return new SandboxError(
    "module-unreadable",
    `Cannot read ${quote(source)}: ${reason}`,
    { ...(cause === undefined ? {} : { cause }), details: { source } },
  );
}

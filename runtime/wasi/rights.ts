/**
 * Rights of descriptors. What a guest may do at all is the policy's to say;
 * with rights a guest narrows its own descriptors, and sees what they are for.
 *
 * @module
 */

import { WasiError } from "./errno.ts";

/** Each right's bit. Bits beyond them are not known, and never held. */
export const RIGHTS = Object.freeze({
  FD_DATASYNC: 1 << 0,
  FD_READ: 1 << 1,
  FD_SEEK: 1 << 2,
  FD_FDSTAT_SET_FLAGS: 1 << 3,
  FD_SYNC: 1 << 4,
  FD_TELL: 1 << 5,
  FD_WRITE: 1 << 6,
  FD_ADVISE: 1 << 7,
  FD_ALLOCATE: 1 << 8,
  PATH_CREATE_DIRECTORY: 1 << 9,
  PATH_CREATE_FILE: 1 << 10,
  PATH_LINK_SOURCE: 1 << 11,
  PATH_LINK_TARGET: 1 << 12,
  PATH_OPEN: 1 << 13,
  FD_READDIR: 1 << 14,
  PATH_READLINK: 1 << 15,
  PATH_RENAME_SOURCE: 1 << 16,
  PATH_RENAME_TARGET: 1 << 17,
  PATH_FILESTAT_GET: 1 << 18,
  PATH_FILESTAT_SET_SIZE: 1 << 19,
  PATH_FILESTAT_SET_TIMES: 1 << 20,
  FD_FILESTAT_GET: 1 << 21,
  FD_FILESTAT_SET_SIZE: 1 << 22,
  FD_FILESTAT_SET_TIMES: 1 << 23,
  PATH_SYMLINK: 1 << 24,
  PATH_REMOVE_DIRECTORY: 1 << 25,
  PATH_UNLINK_FILE: 1 << 26,
  POLL_FD_READWRITE: 1 << 27,
});

/** Name of a right. */
export type Right = keyof typeof RIGHTS;

/** What a descriptor may be used for, and those that are opened from it. */
export interface Rights {
  /** For itself. */
  readonly base: number;
  /** For those that are opened from it. */
  readonly inheriting: number;
}

function bits(...names: readonly Right[]): number {
  return names.reduce((sum, name) => sum | RIGHTS[name], 0);
}

const FILE_READ = bits(
  "FD_READ",
  "FD_SEEK",
  "FD_TELL",
  "FD_FDSTAT_SET_FLAGS",
  "FD_SYNC",
  "FD_DATASYNC",
  "FD_ADVISE",
  "FD_FILESTAT_GET",
  "POLL_FD_READWRITE",
);

/** What goes with being open for writing. */
const FILE_WRITE = bits("FD_WRITE", "FD_ALLOCATE", "FD_FILESTAT_SET_SIZE");

const DIRECTORY_READ = bits(
  "PATH_OPEN",
  "FD_READDIR",
  "PATH_READLINK",
  "PATH_FILESTAT_GET",
  "FD_FILESTAT_GET",
  "FD_FDSTAT_SET_FLAGS",
  "FD_SYNC",
  "FD_DATASYNC",
);

const DIRECTORY_WRITE = bits(
  "PATH_CREATE_DIRECTORY",
  "PATH_CREATE_FILE",
  "PATH_LINK_SOURCE",
  "PATH_LINK_TARGET",
  "PATH_RENAME_SOURCE",
  "PATH_RENAME_TARGET",
  "PATH_FILESTAT_SET_SIZE",
  "PATH_FILESTAT_SET_TIMES",
  "PATH_SYMLINK",
  "PATH_REMOVE_DIRECTORY",
  "PATH_UNLINK_FILE",
);

/** What changes something, and is never held below a mount that is read. */
const CHANGES = FILE_WRITE | DIRECTORY_WRITE | RIGHTS.FD_FILESTAT_SET_TIMES;

/** Rights that a file can have. */
const FILE = FILE_READ | FILE_WRITE | RIGHTS.FD_FILESTAT_SET_TIMES;

/** Rights that a directory can have. */
const DIRECTORY = DIRECTORY_READ | DIRECTORY_WRITE |
  RIGHTS.FD_FILESTAT_SET_TIMES;

/** Rights of the standard streams. */
export const STREAM_RIGHTS: Readonly<Record<"input" | "output", Rights>> =
  Object.freeze({
    input: stream("FD_READ"),
    output: stream("FD_WRITE"),
  });

function stream(right: "FD_READ" | "FD_WRITE"): Rights {
  const base = bits(
    right,
    "FD_FDSTAT_SET_FLAGS",
    "FD_FILESTAT_GET",
    "POLL_FD_READWRITE",
  );
  return Object.freeze({ base, inheriting: 0 });
}

/**
 * Rights of a mount's own descriptor.
 *
 * @param writable Whether anything may be changed there.
 * @returns The rights.
 */
export function mountRights(writable: boolean): Rights {
  const mask = writable ? ~0 : ~CHANGES;
  return { base: DIRECTORY & mask, inheriting: (DIRECTORY | FILE) & mask };
}

/** Rights of a directory that is opened from another. */
export function directoryRights({ inheriting }: Rights): Rights {
  return { base: inheriting & DIRECTORY, inheriting };
}

/**
 * Rights of a file that is opened. As today's runtimes do it, reading and
 * writing are what was asked for, and the rest is what the directory allows:
 * programs ask for far too much, or for nothing at all.
 *
 * @param directory Rights of the directory that it is opened from.
 * @param asked What was asked for.
 * @returns The rights.
 * @throws {WasiError} NOTCAPABLE if it may not be read or written so.
 */
export function fileRights({ inheriting }: Rights, asked: bigint): Rights {
  const access = lowBits(asked) & (RIGHTS.FD_READ | RIGHTS.FD_WRITE);
  if ((access & ~inheriting) !== 0) throw new WasiError("NOTCAPABLE");
  const writes = (access & RIGHTS.FD_WRITE) !== 0;
  const kept = FILE & ~(RIGHTS.FD_READ | RIGHTS.FD_WRITE) &
    ~(writes ? 0 : FILE_WRITE);
  return { base: inheriting & (kept | access), inheriting: 0 };
}

/**
 * Narrows rights.
 *
 * @param held What is held.
 * @param base The new ones.
 * @param inheriting The new ones.
 * @returns The new ones.
 * @throws {WasiError} NOTCAPABLE if they are more.
 */
export function narrowed(
  held: Rights,
  base: bigint,
  inheriting: bigint,
): Rights {
  const isWithin = (rights: bigint, all: number) =>
    (rights & ~BigInt(all)) === 0n;
  if (!isWithin(base, held.base) || !isWithin(inheriting, held.inheriting)) {
    throw new WasiError("NOTCAPABLE");
  }
  return { base: lowBits(base), inheriting: lowBits(inheriting) };
}

/** Whether a right is among some. */
export function holds({ base }: Rights, right: Right): boolean {
  return (base & RIGHTS[right]) !== 0;
}

/** Whether something that a guest asks for needs a right to change. */
export function isChange(right: Right): boolean {
  return (CHANGES & RIGHTS[right]) !== 0;
}

/** Whether rights that are asked for hold a right. */
export function asksFor(asked: bigint, right: Right): boolean {
  return (lowBits(asked) & RIGHTS[right]) !== 0;
}

function lowBits(rights: bigint): number {
  return Number(BigInt.asUintN(30, rights));
}

/**
 * Structures that are written for a guest. Every one is written as a whole, so
 * that its padding says nothing.
 *
 * @module
 */

import type { WasiContext } from "./context.ts";
import type { FileStat, FileType } from "./fs/types.ts";
import type { MountPoint } from "./mounts.ts";

/** Numbers of the types of files. */
export const FILE_TYPES: Readonly<Record<FileType | "stream", number>> = Object
  .freeze({
    other: 0,
    stream: 2,
    directory: 3,
    file: 4,
    symlink: 7,
  });

/** What `filestat` says of a standard stream. */
const STREAM_STAT = Object.freeze({
  type: "stream",
  size: 0,
  ino: 0n,
  nlink: 1n,
  atimeNs: 0n,
  mtimeNs: 0n,
  ctimeNs: 0n,
});

/**
 * Writes a `filestat`.
 *
 * @param context Where to.
 * @param at Where in the guest's memory.
 * @param found What it says, and the mount; a standard stream has none.
 */
export function writeFilestat(
  { abi, clock, memory, mounts }: WasiContext,
  at: number,
  found?: { readonly stat: FileStat; readonly point: MountPoint },
): void {
  const { bytes, nlink, size, atim, mtim, ctim } = abi.filestat;
  const stat = found?.stat ?? STREAM_STAT;
  const isMemory = found?.point.memory !== undefined;
  // numbers within a tree are its own: mounts are told apart by the device
  const device = found === undefined ? 0 : mounts.indexOf(found.point) + 1;
  const time = (ns: bigint) =>
    BigInt.asUintN(64, clock.timestamp(ns < 0n ? 0n : ns, isMemory));
  memory.bytes(at, bytes).fill(0);
  const view = memory.view(at, bytes);
  view.setBigUint64(0, BigInt(device), true);
  view.setBigUint64(8, stat.ino, true);
  view.setUint8(16, FILE_TYPES[stat.type as FileType | "stream"]);
  if (nlink.bits === 64) view.setBigUint64(nlink.at, stat.nlink, true);
  else view.setUint32(nlink.at, Number(BigInt.asUintN(32, stat.nlink)), true);
  view.setBigUint64(size, BigInt(stat.size), true);
  view.setBigUint64(atim, time(stat.atimeNs), true);
  view.setBigUint64(mtim, time(stat.mtimeNs), true);
  view.setBigUint64(ctim, time(stat.ctimeNs), true);
}

/** Bytes of a `dirent`, its name not counted. */
const DIRENT_BYTES = 24;

/**
 * Makes a `dirent` with its name.
 *
 * @param name The name, in UTF-8.
 * @param facts What it says.
 * @returns The bytes.
 */
export function direntBytes(
  name: Uint8Array,
  facts: {
    readonly next: bigint;
    readonly ino: bigint;
    readonly type: FileType;
  },
): Uint8Array {
  const bytes = new Uint8Array(DIRENT_BYTES + name.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, facts.next, true);
  view.setBigUint64(8, facts.ino, true);
  view.setUint32(16, name.length, true);
  view.setUint8(20, FILE_TYPES[facts.type]);
  bytes.set(name, DIRENT_BYTES);
  return bytes;
}

/** Which times a guest sets. */
const SET = Object.freeze({ ATIM: 1, ATIM_NOW: 2, MTIM: 4, MTIM_NOW: 8 });

/** What `*_filestat_set_times` is given. */
export interface GuestTimes {
  /** Nanoseconds since 1970. */
  readonly atim: bigint;
  /** Nanoseconds since 1970. */
  readonly mtim: bigint;
  /** Which are set. */
  readonly flags: number;
}

/**
 * The times that a guest sets.
 *
 * @param times The guest's.
 * @param now The time.
 * @returns The times to set; undefined if the flags contradict each other.
 */
export function fileTimes(
  { atim, mtim, flags }: GuestTimes,
  now: bigint,
): { atimeNs?: bigint; mtimeNs?: bigint } | undefined {
  const has = (flag: number) => (flags & flag) !== 0;
  if (
    flags > 15 || (has(SET.ATIM) && has(SET.ATIM_NOW)) ||
    (has(SET.MTIM) && has(SET.MTIM_NOW))
  ) {
    return undefined;
  }
  return {
    ...(has(SET.ATIM) ? { atimeNs: atim } : {}),
    ...(has(SET.ATIM_NOW) ? { atimeNs: now } : {}),
    ...(has(SET.MTIM) ? { mtimeNs: mtim } : {}),
    ...(has(SET.MTIM_NOW) ? { mtimeNs: now } : {}),
  };
}

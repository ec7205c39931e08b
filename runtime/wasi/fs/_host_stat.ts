/**
 * Facts about the host's files, as a guest may know them.
 *
 * @module
 */

import type { FileStat, FileTimes, FileType } from "./types.ts";

/** How many files' times are remembered beyond what the host keeps. */
const MAX_EXACT = 10_000;

/** Which file it is, on this machine; never shown to a guest. */
export function identityOf(info: Deno.FileInfo): string {
  return `${info.dev}:${info.ino}`;
}

/** What it is. */
export function typeOf(
  info: Pick<Deno.FileInfo, "isFile" | "isDirectory" | "isSymlink">,
): FileType {
  if (info.isFile) return "file";
  if (info.isDirectory) return "directory";
  return info.isSymlink ? "symlink" : "other";
}

/** Times that a guest set, and what the host made of them. */
type ExactTimes = Required<FileTimes>;

/** Numbers the host's files for one tree, and keeps their times exact. */
export class HostStats {
  /** The host's own numbers would tell a guest about the machine. */
  readonly #numbers = new Map<string, bigint>();
  readonly #exact = new Map<string, ExactTimes>();

  /** Facts about a file. */
  stat(info: Deno.FileInfo): FileStat {
    const times = this.#times(info);
    return {
      type: typeOf(info),
      size: info.size,
      ino: this.number(info),
      nlink: BigInt(info.nlink ?? 1),
      ...times,
      ctimeNs: changeTime(info),
    };
  }

  /** The number that stands for a file in this tree: the first seen is 1. */
  number(info: Deno.FileInfo): bigint {
    const identity = identityOf(info);
    const number = this.#numbers.get(identity) ??
      BigInt(this.#numbers.size + 1);
    this.#numbers.set(identity, number);
    return number;
  }

  /**
   * Sets times by a function that takes only milliseconds, and remembers the
   * rest: Deno neither reads nor sets anything finer.
   */
  setTimes(
    info: Deno.FileInfo,
    times: FileTimes,
    set: (atime: Date, mtime: Date) => void,
  ): void {
    const exact = { ...this.#times(info), ...times };
    set(toDate(exact.atimeNs), toDate(exact.mtimeNs));
    const identity = identityOf(info);
    this.#exact.delete(identity);
    this.#exact.set(identity, exact);
    const [oldest] = this.#exact.keys();
    if (this.#exact.size > MAX_EXACT && oldest !== undefined) {
      this.#exact.delete(oldest);
    }
  }

  #times(info: Deno.FileInfo): ExactTimes {
    const exact = this.#exact.get(identityOf(info));
    return {
      atimeNs: refine(info.atime, exact?.atimeNs),
      mtimeNs: refine(info.mtime, exact?.mtimeNs),
    };
  }
}

/** The exact time, as long as the host still has the milliseconds of it. */
function refine(host: Date | null, exact: bigint | undefined): bigint {
  const ms = BigInt(Math.max(0, host?.getTime() ?? 0));
  return exact !== undefined && exact / 1_000_000n === ms
    ? exact
    : ms * 1_000_000n;
}

/** Deno tells only the second; a write within it tells the rest. */
function changeTime({ ctime, mtime }: Deno.FileInfo): bigint {
  const changed = ctime?.getTime() ?? mtime?.getTime() ?? 0;
  const written = mtime?.getTime() ?? 0;
  const ms = Math.floor(written / 1000) === Math.floor(changed / 1000)
    ? Math.max(written, changed)
    : changed;
  return BigInt(Math.max(0, ms)) * 1_000_000n;
}

function toDate(ns: bigint): Date {
  return new Date(Number(ns / 1_000_000n));
}

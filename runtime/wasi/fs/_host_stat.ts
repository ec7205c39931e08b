/**
 * Facts about the host's files, as a guest may know them.
 *
 * @module
 */

import type { FileStat, FileTimes, FileType } from "./types.ts";

const NS_PER_MS = 1_000_000n;

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

/** A time that a guest set, and the host's as long as nobody set another. */
interface ExactTime {
  readonly ns: bigint;
  readonly hostMs: bigint;
}

/** Both times of a file. */
type ExactTimes = Readonly<Record<"atime" | "mtime", ExactTime>>;

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
    const { atimeNs, mtimeNs } = { ...this.#times(info), ...times };
    const [atimeMs, mtimeMs] = [atimeNs / NS_PER_MS, mtimeNs / NS_PER_MS];
    set(new Date(Number(atimeMs)), new Date(Number(mtimeMs)));
    this.#remember(info, {
      atime: { ns: atimeNs, hostMs: atimeMs },
      mtime: { ns: mtimeNs, hostMs: mtimeMs },
    });
  }

  /** Remembers times that are not set on the host. */
  pretendTimes(info: Deno.FileInfo, times: FileTimes): void {
    const { atimeNs, mtimeNs } = { ...this.#times(info), ...times };
    this.#remember(info, {
      atime: { ns: atimeNs, hostMs: toMs(info.atime) },
      mtime: { ns: mtimeNs, hostMs: toMs(info.mtime) },
    });
  }

  #remember(info: Deno.FileInfo, times: ExactTimes): void {
    const identity = identityOf(info);
    this.#exact.delete(identity);
    this.#exact.set(identity, times);
    const [oldest] = this.#exact.keys();
    if (this.#exact.size > MAX_EXACT && oldest !== undefined) {
      this.#exact.delete(oldest);
    }
  }

  #times(info: Deno.FileInfo): Required<FileTimes> {
    const exact = this.#exact.get(identityOf(info));
    return {
      atimeNs: refine(info.atime, exact?.atime),
      mtimeNs: refine(info.mtime, exact?.mtime),
    };
  }
}

function refine(host: Date | null, exact: ExactTime | undefined): bigint {
  const ms = toMs(host);
  return exact?.hostMs === ms ? exact.ns : ms * NS_PER_MS;
}

/** Deno tells only the second; a write within it tells the rest. */
function changeTime({ ctime, mtime }: Deno.FileInfo): bigint {
  const changed = ctime?.getTime() ?? mtime?.getTime() ?? 0;
  const written = mtime?.getTime() ?? 0;
  const ms = Math.floor(written / 1000) === Math.floor(changed / 1000)
    ? Math.max(written, changed)
    : changed;
  return BigInt(Math.max(0, ms)) * NS_PER_MS;
}

function toMs(time: Date | null): bigint {
  return BigInt(Math.max(0, time?.getTime() ?? 0));
}

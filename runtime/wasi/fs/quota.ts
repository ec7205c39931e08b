/**
 * A tree around a tree, which counts what a guest uses up.
 *
 * @module
 */

import { SandboxError } from "../../../errors.ts";
import type { ResolvedLimits } from "../../../security/limits.ts";
import { type ErrnoName, WasiError } from "../errno.ts";
import type {
  DirectoryEntry,
  FileStat,
  FileTimes,
  FileTree,
  OpenFile,
  OpenOptions,
  TreePath,
} from "./types.ts";

/** The limits that a {@linkcode FileQuota} enforces. */
export type FileLimit = "writtenBytes" | "fileEntries";

/** Counts what one guest uses up, in all of its trees together. */
export class FileQuota {
  readonly #limits: Pick<ResolvedLimits, FileLimit>;
  #used: Record<FileLimit, number> = { writtenBytes: 0, fileEntries: 0 };

  /**
   * Constructs it.
   *
   * @param limits What is allowed.
   */
  constructor(limits: Pick<ResolvedLimits, FileLimit>) {
    this.#limits = limits;
  }

  /** What was used up since the last {@linkcode FileQuota.reset}. */
  get used(): Readonly<Record<FileLimit, number>> {
    return { ...this.#used };
  }

  /** Starts to count anew, as for the next run. */
  reset(): void {
    this.#used = { writtenBytes: 0, fileEntries: 0 };
  }

  /**
   * Does something that uses something up. What fails is not counted, unless
   * it may have been done all the same.
   *
   * @param limit Towards which limit.
   * @param amount How much of it.
   * @param act What to do.
   * @returns What it returned.
   * @throws {SandboxError} `limit-exceeded`, and nothing was done.
   */
  spend<T>(limit: FileLimit, amount: number, act: () => T): T {
    const allowed = this.#limits[limit];
    const used = this.#used[limit] + amount;
    if (used > allowed) throw exceeded(limit, allowed, used);
    // counted at first, so that nothing that is thrown on the way saves it
    this.#used[limit] = used;
    try {
      return act();
    } catch (error) {
      if (error instanceof WasiError && !MAYBE_DONE.has(error.errno)) {
        this.#used[limit] -= amount;
      }
      throw error;
    }
  }
}

/** Errors that a host directory gives when something was done already. */
const MAYBE_DONE: ReadonlySet<ErrnoName> = new Set(["IO", "STALE"]);

function exceeded(
  limit: FileLimit,
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const what = limit === "writtenBytes"
    ? "bytes to files"
    : "files, directories and links";
  const suggestion = `raise ${limit}, or let the guest write less`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot go on: the guest wrote more than ${allowed} ${what} ` +
      `(${suggestion})`,
    { details: { limit, allowed, used, suggestion } },
  );
}

/**
 * Counts what goes through it towards a quota, and ends the guest that uses up
 * more: besides `WasiError` its methods throw `SandboxError`
 * (`limit-exceeded`).
 */
export class QuotaTree implements FileTree {
  readonly #tree: FileTree;
  readonly #quota: FileQuota;
  readonly #cuts: Cuts = { count: 0 };

  /**
   * Constructs it.
   *
   * @param tree What it is around; it is disposed together with this.
   * @param quota Where it counts.
   */
  constructor(tree: FileTree, quota: FileQuota) {
    this.#tree = tree;
    this.#quota = quota;
  }

  lstat(path: TreePath): FileStat {
    return this.#tree.lstat(path);
  }

  peek(path: TreePath): Pick<FileStat, "type"> {
    return this.#tree.peek(path);
  }

  open(path: TreePath, options: OpenOptions): OpenFile {
    const made = options.create && !this.#exists(path) ? 1 : 0;
    const file = this.#quota.spend(
      "fileEntries",
      made,
      () => this.#tree.open(path, options),
    );
    if (options.truncate) this.#cuts.count++;
    return options.write ? new QuotaFile(file, this.#quota, this.#cuts) : file;
  }

  readDirectory(path: TreePath): readonly DirectoryEntry[] {
    return this.#tree.readDirectory(path);
  }

  makeDirectory(path: TreePath): void {
    this.#make(() => this.#tree.makeDirectory(path));
  }

  removeDirectory(path: TreePath): void {
    this.#tree.removeDirectory(path);
  }

  unlink(path: TreePath): void {
    this.#tree.unlink(path);
  }

  rename(from: TreePath, to: TreePath): void {
    this.#tree.rename(from, to);
  }

  link(from: TreePath, to: TreePath): void {
    this.#make(() => this.#tree.link(from, to));
  }

  symlink(target: string, path: TreePath): void {
    this.#make(() => this.#tree.symlink(target, path));
  }

  readLink(path: TreePath): string {
    return this.#tree.readLink(path);
  }

  setTimes(path: TreePath, times: FileTimes): void {
    this.#tree.setTimes(path, times);
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }

  #make(make: () => void): void {
    this.#quota.spend("fileEntries", 1, make);
  }

  #exists(path: TreePath): boolean {
    try {
      this.#tree.lstat(path);
      return true;
    } catch (error) {
      if (error instanceof WasiError && error.errno === "NOENT") return false;
      throw error;
    }
  }
}

/** Beyond this a number is no longer exact, nor are files that long. */
function checkOffset(offset: number): void {
  if (offset > Number.MAX_SAFE_INTEGER) throw new WasiError("FBIG");
}

/** How often a file of the tree was cut: what was known of ends is void. */
interface Cuts {
  count: number;
}

/** An open file whose writes are counted, and the holes that they leave. */
class QuotaFile implements OpenFile {
  readonly #file: OpenFile;
  readonly #quota: FileQuota;
  readonly #cuts: Cuts;
  /** The file is at least so long, as long as nothing was cut. */
  #end = 0;
  #seenCuts: number;

  constructor(file: OpenFile, quota: FileQuota, cuts: Cuts) {
    this.#file = file;
    this.#quota = quota;
    this.#cuts = cuts;
    this.#seenCuts = cuts.count;
  }

  read(into: Uint8Array, position: number): number {
    return this.#file.read(into, position);
  }

  write(from: Uint8Array, position: number | undefined): number {
    const start = position ?? 0;
    checkOffset(start);
    const hole = from.length > 0 && start > this.#knownEnd()
      ? Math.max(0, start - this.#size())
      : 0;
    const written = this.#quota.spend(
      "writtenBytes",
      from.length + hole,
      () => this.#file.write(from, position),
    );
    this.#end = Math.max(this.#end, start + written);
    return written;
  }

  truncate(size: number): void {
    checkOffset(size);
    const grown = Math.max(0, size - this.#size());
    this.#quota.spend("writtenBytes", grown, () => this.#file.truncate(size));
    this.#cuts.count++;
  }

  sync(): void {
    this.#file.sync();
  }

  stat(): FileStat {
    return this.#file.stat();
  }

  setTimes(times: FileTimes): void {
    this.#file.setTimes(times);
  }

  close(): void {
    this.#file.close();
  }

  #knownEnd(): number {
    if (this.#seenCuts !== this.#cuts.count) {
      this.#seenCuts = this.#cuts.count;
      this.#end = 0;
    }
    return this.#end;
  }

  #size(): number {
    this.#end = this.#file.stat().size;
    return this.#end;
  }
}

/**
 * A directory of the host as a file tree.
 *
 * Deno has no `openat`: every call names a whole path. So each call looks at
 * every directory on the way, before and after, and what was opened is compared
 * with what lies at the path before a byte of it is read or written. Nothing
 * that a guest does can get past that. Another process that swaps a directory
 * for a link changes the directory that holds it; below one that was changed a
 * moment ago nothing is done. Two ways are left to it. It may hit the
 * microseconds between the last look and a call that only names a path: then a
 * directory or an empty file is made, or an entry renamed, linked or removed,
 * somewhere else, and the error STALE tells. And it may set the times of what
 * it changed back: then only the comparisons hold. Where the process has a mount
 * namespace of its own, there is nothing else to reach.
 *
 * @module
 */

import type { SymlinkPolicy } from "../../../security/types.ts";
import { Refusal, WasiError } from "../errno.ts";
import { hostCall } from "./_host_error.ts";
import { HostFile } from "./_host_file.ts";
import { checkMovedLink, checkMovedTree } from "./_host_links.ts";
import { type Above, HostRoot } from "./_host_path.ts";
import { HostStats, identityOf, typeOf } from "./_host_stat.ts";
import { checkLinkTarget } from "./path.ts";
import type {
  DirectoryEntry,
  FileStat,
  FileTimes,
  FileTree,
  FileType,
  OpenFile,
  OpenOptions,
  TreePath,
} from "./types.ts";

/** How often a wary tree compares an opened file with what lies at its path. */
const WARY_ROUNDS = 3;

/** Why devices, sockets and pipes are left alone. */
const ODD_FILE = "it is no file, directory or symbolic link";

/** Times can be set on what is open for reading, directories too. */
const OPEN_TO_SET_TIMES: OpenOptions = Object.freeze({
  read: true,
  write: false,
  create: false,
  exclusive: false,
  truncate: false,
});

/** Options of {@linkcode HostTree}. */
export interface HostTreeOptions {
  /** The host's directory. */
  readonly root: string;
  /**
   * Whether links may be made, renamed and given further names.
   *
   * @default {"refuse"}
   */
  readonly symlinks?: SymlinkPolicy;
  /**
   * Makes a symbolic link below the root, for a process that Deno does not let
   * make any because its permissions are scoped. Target and place were checked.
   * By default Deno is asked.
   */
  readonly symlink?: (target: string, path: TreePath) => void;
  /**
   * Whether other processes may change the directory meanwhile and have
   * somewhere to lead to: then nothing is done below a directory that was
   * changed a moment ago, after some waiting with BUSY. Not needed where the
   * process sees no more of the host than the directory.
   *
   * @default {true}
   */
  readonly wary?: boolean;
}

/** A directory of the host. Only files, directories and links are touched. */
export class HostTree implements FileTree {
  readonly #root: HostRoot;
  readonly #rounds: number;
  readonly #symlinks: SymlinkPolicy;
  readonly #makeLink: (target: string, path: TreePath) => void;
  readonly #stats = new HostStats();
  /** Files that were given further names here: these names are known. */
  readonly #linked = new Set<string>();
  readonly #open = new Set<HostFile>();

  /**
   * Constructs it.
   *
   * @param options Which directory, and how links are treated.
   * @throws {TypeError} If the directory is not there or none.
   */
  constructor(options: HostTreeOptions) {
    const { root, symlinks = "refuse", symlink, wary = true } = options;
    this.#root = new HostRoot(root, wary);
    this.#rounds = wary ? WARY_ROUNDS : 1;
    this.#symlinks = symlinks;
    this.#makeLink = symlink ??
      ((target, path) => Deno.symlinkSync(target, this.#root.absolute(path)));
  }

  lstat(path: TreePath): FileStat {
    return this.#stats.stat(this.#root.verifiedLstat(path));
  }

  peek(path: TreePath): Pick<FileStat, "type"> {
    return { type: typeOf(this.#root.lstat(path)) };
  }

  open(path: TreePath, options: OpenOptions): OpenFile {
    const there = this.#find(path);
    if (there === undefined && !options.create) throw new WasiError("NOENT");
    if (there !== undefined) this.#checkExisting(there, options);
    const above = this.#root.above(path);
    const handle = this.#openHandle(path, options, there === undefined);
    try {
      const opened = this.#verify(handle, path, above, "file");
      if (options.write) this.#checkNames(opened);
      if (there === undefined) this.#root.changed(path);
      if (options.truncate && options.write) {
        hostCall(() => handle.truncateSync(0));
      }
    } catch (error) {
      handle.close();
      throw error;
    }
    const file = new HostFile(
      handle,
      this.#stats,
      options,
      (closed) => this.#open.delete(closed),
    );
    this.#open.add(file);
    return file;
  }

  readDirectory(path: TreePath): readonly DirectoryEntry[] {
    // a name below it, so that the directory itself is looked at too
    const above = this.#root.above([...path, ""]);
    const absolute = this.#root.absolute(path);
    const found = hostCall(() => [...Deno.readDirSync(absolute)]);
    above.check();
    return found
      .sort((a, b) => a.name < b.name ? -1 : 1)
      .map((entry) =>
        new HostEntry(
          entry,
          // it only names a number: that need not be certain
          () => this.#stats.number(this.#root.lstat([...path, entry.name])),
        )
      );
  }

  makeDirectory(path: TreePath): void {
    if (path.length === 0) throw new WasiError("EXIST");
    this.#change([path], (absolute) => Deno.mkdirSync(absolute));
  }

  removeDirectory(path: TreePath): void {
    if (this.lstat(path).type !== "directory") throw new WasiError("NOTDIR");
    if (path.length === 0) throw new WasiError("BUSY");
    this.#change([path], (absolute) => Deno.removeSync(absolute));
  }

  unlink(path: TreePath): void {
    const { type } = this.lstat(path);
    if (type === "directory") throw new WasiError("ISDIR");
    if (type === "other") throw new Refusal("PERM", ODD_FILE);
    this.#change([path], (absolute) => Deno.removeSync(absolute));
  }

  rename(from: TreePath, to: TreePath): void {
    const { type } = this.lstat(from);
    if (from.length === 0 || to.length === 0) throw new WasiError("BUSY");
    if (type === "other") throw new Refusal("PERM", ODD_FILE);
    if (type === "symlink") this.#checkLink(from, to);
    if (type === "directory") checkMovedTree(this, from, to);
    this.#change(
      [from, to],
      (source, target) => Deno.renameSync(source, target),
    );
  }

  link(from: TreePath, to: TreePath): void {
    const info = this.#root.verifiedLstat(from);
    const type = typeOf(info);
    if (type === "directory" || type === "other") throw new WasiError("PERM");
    if (type === "symlink") this.#checkLink(from, to);
    if (type === "file") this.#checkNames(info);
    this.#change([from, to], (source, target) => Deno.linkSync(source, target));
    if (identityOf(this.#root.lstat(to)) !== identityOf(info)) {
      throw new WasiError("STALE");
    }
    this.#linked.add(identityOf(info));
  }

  symlink(target: string, path: TreePath): void {
    this.#checkLinks();
    if (this.#find(path) !== undefined) throw new WasiError("EXIST");
    checkLinkTarget(target, path.length - 1);
    this.#change([path], () => this.#makeLink(target, path));
  }

  /** As declared; an absolute target would tell of the host: NOTCAPABLE. */
  readLink(path: TreePath): string {
    const above = this.#root.above(path);
    if (!this.#root.lstat(path).isSymlink) throw new WasiError("INVAL");
    const absolute = this.#root.absolute(path);
    const target = hostCall(() => Deno.readLinkSync(absolute));
    above.check();
    if (/^(?:[\\/]|[a-z]:)/i.test(target)) {
      throw new Refusal("NOTCAPABLE", "the symbolic link is absolute");
    }
    return target;
  }

  /**
   * As declared. Deno sets no times of links: those are only remembered, as
   * long as this tree is there.
   */
  setTimes(path: TreePath, times: FileTimes): void {
    const info = this.#root.verifiedLstat(path);
    const type = typeOf(info);
    if (type === "other") throw new Refusal("PERM", ODD_FILE);
    if (type === "symlink") return this.#stats.pretendTimes(info, times);
    // by a handle, for what is open and verified remains what it is
    const above = this.#root.above(path);
    using handle = this.#openHandle(path, OPEN_TO_SET_TIMES, false);
    this.#verify(handle, path, above, type);
    hostCall(() =>
      this.#stats.setTimes(
        info,
        times,
        (atime, mtime) => handle.utimeSync(atime, mtime),
      )
    );
  }

  [Symbol.dispose](): void {
    for (const file of this.#open) file.close();
  }

  /** Does one thing to paths, looking at what is above right before and after. */
  #change(
    paths: readonly [TreePath] | readonly [TreePath, TreePath],
    change: (first: string, second: string) => void,
  ): void {
    const [first, second] = paths.map((path) => this.#root.absolute(path));
    const above = paths.map((path) => this.#root.above(path));
    hostCall(() => change(first ?? "", second ?? ""));
    const changed = above.map(({ parent }) => parent);
    for (const directories of above) directories.check(changed);
    for (const path of paths) this.#root.changed(path);
  }

  #find(path: TreePath): Deno.FileInfo | undefined {
    try {
      return this.#root.verifiedLstat(path);
    } catch (error) {
      if (error instanceof WasiError && error.errno === "NOENT") {
        return undefined;
      }
      throw error;
    }
  }

  #checkExisting(info: Deno.FileInfo, options: OpenOptions): void {
    if (options.create && options.exclusive) throw new WasiError("EXIST");
    const type = typeOf(info);
    if (type === "directory") throw new WasiError("ISDIR");
    if (type === "symlink") throw new WasiError("LOOP");
    // opening a pipe would wait for ever, opening a device may do anything
    if (type === "other") throw new Refusal("ACCES", ODD_FILE);
    if (options.write) this.#checkNames(info);
  }

  /** A further name may lie outside the tree, unless it was made here. */
  #checkNames(info: Deno.FileInfo): void {
    if ((info.nlink ?? 1) > 1 && !this.#linked.has(identityOf(info))) {
      throw new Refusal("PERM", "the file may have names outside the mount");
    }
  }

  #openHandle(
    path: TreePath,
    { read, write }: OpenOptions,
    createNew: boolean,
  ): Deno.FsFile {
    const absolute = this.#root.absolute(path);
    return hostCall(() =>
      Deno.openSync(
        absolute,
        createNew
          ? { read: true, write: true, createNew }
          : { read: read || !write, write },
      )
    );
  }

  /** Compares an open file with what lies at its path, before it is used. */
  #verify(
    handle: Deno.FsFile,
    path: TreePath,
    above: Above,
    type: FileType,
  ): Deno.FileInfo {
    // Deno refuses this on a file that it opened through a link leading out
    const opened = hostCall(() => handle.statSync());
    if (typeOf(opened) !== type) throw new WasiError("STALE");
    for (let round = 0; round < this.#rounds; round++) {
      if (identityOf(this.#root.lstat(path)) !== identityOf(opened)) {
        throw new WasiError("STALE");
      }
      above.check();
    }
    return opened;
  }

  #checkLinks(): void {
    if (this.#symlinks === "refuse") {
      throw new Refusal("PERM", "the mount has no symbolic links");
    }
  }

  #checkLink(from: TreePath, to: TreePath): void {
    this.#checkLinks();
    checkMovedLink(this.readLink(from), to.length - 1);
  }
}

/** An entry of the host's; its number is looked up when it is asked for. */
class HostEntry implements DirectoryEntry {
  readonly name: string;
  readonly type: DirectoryEntry["type"];
  readonly #number: () => bigint;

  constructor(entry: Deno.DirEntry, number: () => bigint) {
    this.name = entry.name;
    this.type = typeOf(entry);
    this.#number = number;
  }

  /** 0 if it is gone. */
  get ino(): bigint {
    try {
      return this.#number();
    } catch (error) {
      if (error instanceof WasiError) return 0n;
      throw error;
    }
  }
}

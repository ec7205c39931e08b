/**
 * A file tree in memory.
 *
 * @module
 */

import type { SymlinkPolicy } from "../../../security/types.ts";
import { Refusal, WasiError } from "../errno.ts";
import {
  type DirectoryNode,
  type FileNode,
  MemoryFile,
  type Node,
  nodeStat,
  Space,
} from "./_memory_file.ts";
import { checkLinkTarget, MAX_PATH_BYTES, parsePath } from "./path.ts";
import type {
  DirectoryEntry,
  FileStat,
  FileTimes,
  FileTree,
  OpenFile,
  OpenOptions,
  TreePath,
} from "./types.ts";

/** Options of {@linkcode MemoryTree}. */
export interface MemoryTreeOptions {
  /**
   * Most bytes of all files together, holes included; one more gives NOSPC.
   * What they take of the host's memory is at most twice as much.
   *
   * @default {67_108_864}
   */
  readonly maxBytes?: number;
  /**
   * The time, in nanoseconds since 1970.
   *
   * @default {() => BigInt(Date.now()) * 1_000_000n}
   */
  readonly now?: () => bigint;
  /**
   * Whether links may be made.
   *
   * @default {"refuse"}
   */
  readonly symlinks?: SymlinkPolicy;
}

/** Bytes that a tree holds if nothing else is said. */
const DEFAULT_MAX_BYTES = 64 * 2 ** 20;

/** A file tree in memory. Reading does not change the time of last access. */
export class MemoryTree implements FileTree {
  readonly #space: Space;
  readonly #root: DirectoryNode;
  readonly #symlinks: SymlinkPolicy;

  /**
   * Constructs an empty one.
   *
   * @param options Its size and its clock.
   */
  constructor(options: MemoryTreeOptions = {}) {
    const {
      maxBytes = DEFAULT_MAX_BYTES,
      now = () => BigInt(Date.now()) * 1_000_000n,
      symlinks = "refuse",
    } = options;
    this.#symlinks = symlinks;
    this.#space = new Space(maxBytes, now);
    this.#root = this.#space.directory();
  }

  /**
   * Makes a tree that holds files.
   *
   * @param files Contents by path, relative to the root; they are copied.
   * @param options Its size and its clock.
   * @returns The tree.
   * @throws {WasiError} As {@linkcode MemoryTree.addFile}.
   */
  static fromFiles(
    files: Readonly<Record<string, Uint8Array>>,
    options: MemoryTreeOptions = {},
  ): MemoryTree {
    const tree = new MemoryTree(options);
    for (const [path, content] of Object.entries(files)) {
      tree.addFile(path, content);
    }
    return tree;
  }

  /**
   * Puts a file in, with the directories that it needs; one that is there gets
   * the new content. A path that ends in a slash makes a directory.
   *
   * @param path Where, relative to the root.
   * @param content Its content, which is copied; a directory has none.
   * @throws {WasiError} INVAL for `..` or a directory with content, NOTDIR or
   * LOOP if a file or a link is in the way, NOSPC if there is no room, and as
   * `parsePath`.
   */
  addFile(path: string, content: Uint8Array): void {
    const { names, mustBeDirectory } = parsePath(path);
    if (
      names.includes("..") || names.length === 0 ||
      (mustBeDirectory && content.length > 0)
    ) {
      throw new WasiError("INVAL");
    }
    const directories = mustBeDirectory ? names.length : names.length - 1;
    for (let depth = 1; depth <= directories; depth++) {
      const above = names.slice(0, depth);
      if (this.#find(above) === undefined) this.makeDirectory(above);
    }
    if (mustBeDirectory) return;
    const file = this.open(names, {
      read: false,
      write: true,
      create: true,
      exclusive: false,
      truncate: true,
    });
    file.write(content, 0);
    file.close();
  }

  /**
   * Takes the files out: no directories, no links.
   *
   * @returns Copies of their contents by path, relative to the root. Hard links
   * to one file share one copy. What lies deeper than a path of
   * 4,096 characters can say is left out.
   */
  files(): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    const copies = new Map<FileNode, Uint8Array>();
    const pending: [string, DirectoryNode][] = [["", this.#root]];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [prefix, directory] = next;
      for (const [name, node] of directory.entries) {
        if (prefix.length + name.length >= MAX_PATH_BYTES) continue;
        if (node.type === "directory") {
          pending.push([`${prefix}${name}/`, node]);
        }
        if (node.type !== "file") continue;
        const copy = copies.get(node) ?? node.content.copy();
        copies.set(node, copy);
        found.set(prefix + name, copy);
      }
    }
    return found;
  }

  /** Bytes that its files hold now, holes and unlinked open ones included. */
  get usedBytes(): number {
    return this.#space.used;
  }

  lstat(path: TreePath): FileStat {
    return nodeStat(this.#get(path));
  }

  peek(path: TreePath): Pick<FileStat, "type"> {
    return this.#get(path);
  }

  open(path: TreePath, options: OpenOptions): OpenFile {
    const there = this.#find(path);
    if (there !== undefined && options.create && options.exclusive) {
      throw new WasiError("EXIST");
    }
    const node = there ?? this.#create(path, options);
    if (node.type === "directory") throw new WasiError("ISDIR");
    if (node.type === "symlink") throw new WasiError("LOOP");
    const file = new MemoryFile(node, this.#space, options);
    if (options.truncate && options.write) file.truncate(0);
    return file;
  }

  #create(path: TreePath, options: OpenOptions): FileNode {
    if (!options.create) throw new WasiError("NOENT");
    const node = this.#space.file();
    this.#insert(path, node);
    return node;
  }

  readDirectory(path: TreePath): readonly DirectoryEntry[] {
    const { entries } = this.#directory(path);
    return Array.from(
      entries,
      ([name, { type, ino }]) => ({ name, type, ino }),
    );
  }

  makeDirectory(path: TreePath): void {
    this.#insert(path, this.#space.directory());
  }

  removeDirectory(path: TreePath): void {
    const node = this.#get(path);
    if (node.type !== "directory") throw new WasiError("NOTDIR");
    if (node.entries.size > 0) throw new WasiError("NOTEMPTY");
    this.#detach(path);
    node.nlink = 0;
  }

  unlink(path: TreePath): void {
    const node = this.#get(path);
    if (node.type === "directory") throw new WasiError("ISDIR");
    this.#detach(path);
    this.#space.unlinked(node);
  }

  rename(from: TreePath, to: TreePath): void {
    const node = this.#get(from);
    if (from.length === 0 || to.length === 0) throw new WasiError("BUSY");
    const target = this.#find(to);
    if (target === node) return; // the same file, as POSIX has it
    if (node.type === "directory" && from.every((n, i) => n === to[i])) {
      throw new WasiError("INVAL");
    }
    this.#directory(to.slice(0, -1));
    if (target !== undefined) this.#makeWay(to, node, target);
    this.#detach(from);
    this.#attach(to, node);
    node.ctimeNs = this.#space.now();
  }

  link(from: TreePath, to: TreePath): void {
    const node = this.#get(from);
    if (node.type === "directory") throw new WasiError("PERM");
    this.#insert(to, node);
    node.nlink++;
    node.ctimeNs = this.#space.now();
  }

  symlink(target: string, path: TreePath): void {
    if (this.#symlinks === "refuse") {
      throw new Refusal("PERM", "the mount has no symbolic links");
    }
    if (this.#find(path) !== undefined) throw new WasiError("EXIST");
    checkLinkTarget(target, path.length - 1);
    this.#directory(path.slice(0, -1));
    this.#attach(path, this.#space.symlink(target));
  }

  readLink(path: TreePath): string {
    const node = this.#get(path);
    if (node.type !== "symlink") throw new WasiError("INVAL");
    return node.target;
  }

  setTimes(path: TreePath, times: FileTimes): void {
    this.#space.setTimes(this.#get(path), times);
  }

  [Symbol.dispose](): void {
    this.#root.entries.clear();
  }

  /** Makes room for `node`, where `target` is in its way. */
  #makeWay(path: TreePath, node: Node, target: Node): void {
    if (target.type === "directory") {
      if (node.type !== "directory") throw new WasiError("ISDIR");
      this.removeDirectory(path);
    } else {
      if (node.type === "directory") throw new WasiError("NOTDIR");
      this.unlink(path);
    }
  }

  #find(path: TreePath): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path) {
      if (node === undefined) throw new WasiError("NOENT");
      if (node.type === "symlink") throw new WasiError("LOOP");
      if (node.type !== "directory") throw new WasiError("NOTDIR");
      node = node.entries.get(name);
    }
    return node;
  }

  #get(path: TreePath): Node {
    const node = this.#find(path);
    if (node === undefined) throw new WasiError("NOENT");
    return node;
  }

  #directory(path: TreePath): DirectoryNode {
    const node = this.#get(path);
    if (node.type !== "directory") throw new WasiError("NOTDIR");
    return node;
  }

  #insert(path: TreePath, node: Node): void {
    if (this.#find(path) !== undefined) throw new WasiError("EXIST");
    this.#attach(path, node);
  }

  #attach(path: TreePath, node: Node): void {
    const parent = this.#directory(path.slice(0, -1));
    parent.entries.set(path.at(-1) ?? "", node);
    if (node.type === "directory") parent.nlink++;
    parent.mtimeNs = parent.ctimeNs = this.#space.now();
  }

  #detach(path: TreePath): void {
    if (path.length === 0) throw new WasiError("BUSY");
    const parent = this.#directory(path.slice(0, -1));
    const name = path.at(-1) ?? "";
    if (parent.entries.get(name)?.type === "directory") parent.nlink--;
    parent.entries.delete(name);
    parent.mtimeNs = parent.ctimeNs = this.#space.now();
  }
}

/**
 * A tree around a tree, in which nothing can be changed.
 *
 * @module
 */

import { WasiError } from "../errno.ts";
import type {
  DirectoryEntry,
  FileStat,
  FileTree,
  OpenFile,
  OpenOptions,
  TreePath,
} from "./types.ts";

/** A tree that nothing can be changed in: every try gives ROFS. */
export class ReadOnlyTree implements FileTree {
  readonly #tree: FileTree;

  /**
   * Constructs it.
   *
   * @param tree What it is around; it is disposed together with this.
   */
  constructor(tree: FileTree) {
    this.#tree = tree;
  }

  lstat(path: TreePath): FileStat {
    return this.#tree.lstat(path);
  }

  peek(path: TreePath): Pick<FileStat, "type"> {
    return this.#tree.peek(path);
  }

  open(path: TreePath, options: OpenOptions): OpenFile {
    if (options.write || options.truncate) throw new WasiError("ROFS");
    if (options.create) {
      // what is there may be opened; there is nothing to be made
      if (options.exclusive) throw new WasiError("ROFS");
      return this.#openExisting(path, options);
    }
    return new ReadOnlyFile(this.#tree.open(path, options));
  }

  readDirectory(path: TreePath): readonly DirectoryEntry[] {
    return this.#tree.readDirectory(path);
  }

  makeDirectory(): void {
    throw new WasiError("ROFS");
  }

  removeDirectory(): void {
    throw new WasiError("ROFS");
  }

  unlink(): void {
    throw new WasiError("ROFS");
  }

  rename(): void {
    throw new WasiError("ROFS");
  }

  link(): void {
    throw new WasiError("ROFS");
  }

  symlink(): void {
    throw new WasiError("ROFS");
  }

  readLink(path: TreePath): string {
    return this.#tree.readLink(path);
  }

  setTimes(): void {
    throw new WasiError("ROFS");
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }

  #openExisting(path: TreePath, options: OpenOptions): OpenFile {
    try {
      return new ReadOnlyFile(
        this.#tree.open(path, { ...options, create: false }),
      );
    } catch (error) {
      if (error instanceof WasiError && error.errno === "NOENT") {
        throw new WasiError("ROFS");
      }
      throw error;
    }
  }
}

/** An open file of a {@linkcode ReadOnlyTree}. */
class ReadOnlyFile implements OpenFile {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  read(into: Uint8Array, position: number): number {
    return this.#file.read(into, position);
  }

  write(): number {
    throw new WasiError("ROFS");
  }

  truncate(): void {
    throw new WasiError("ROFS");
  }

  sync(): void {
    this.#file.sync();
  }

  stat(): FileStat {
    return this.#file.stat();
  }

  setTimes(): void {
    throw new WasiError("ROFS");
  }

  close(): void {
    this.#file.close();
  }
}

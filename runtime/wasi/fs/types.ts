/**
 * What a file tree offers to the WASI layer: host directory or memory.
 *
 * A tree never resolves anything by itself. It is given paths whose every
 * component is a checked name, never `.`, `..`, empty, or with a slash or NUL,
 * and which the resolver has walked, so that no component but the last is a
 * symbolic link. Every method throws `WasiError` and nothing else.
 *
 * @module
 */

/** A path below the root of a tree, component by component; `[]` is the root. */
export type TreePath = readonly string[];

/** What lies at a path. `"other"` is a device, a socket or a pipe. */
export type FileType = "file" | "directory" | "symlink" | "other";

/** Facts about what lies at a path. */
export interface FileStat {
  /** What it is. */
  readonly type: FileType;
  /** Length in bytes. */
  readonly size: number;
  /** Tells it from others of its tree; says nothing about the host. */
  readonly ino: bigint;
  /** Number of hard links. */
  readonly nlink: bigint;
  /** Last access, in nanoseconds since 1970. */
  readonly atimeNs: bigint;
  /** Last change of the content. */
  readonly mtimeNs: bigint;
  /** Last change of anything. */
  readonly ctimeNs: bigint;
}

/** An entry of a directory. */
export interface DirectoryEntry {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly type: FileType;
  /** As in {@linkcode FileStat}. */
  readonly ino: bigint;
}

/** Times to set; what is left out stays. */
export interface FileTimes {
  /** Last access, in nanoseconds since 1970. */
  readonly atimeNs?: bigint;
  /** Last change. */
  readonly mtimeNs?: bigint;
}

/** How to open a file. Never a directory or a link: those give ISDIR, LOOP. */
export interface OpenOptions {
  /** To read from it. */
  readonly read: boolean;
  /** To write to it. */
  readonly write: boolean;
  /** Make it if it is not there. */
  readonly create: boolean;
  /** Fail with EXIST if it is there; only with `create`. */
  readonly exclusive: boolean;
  /** Empty it once it is open and verified; only with `write`. */
  readonly truncate: boolean;
}

/** An open regular file. Positions are the WASI layer's; all calls are exact. */
export interface OpenFile {
  /**
   * Reads.
   *
   * @param into Where to.
   * @param position From which byte.
   * @returns How many bytes; 0 at the end.
   */
  read(into: Uint8Array, position: number): number;
  /**
   * Writes all of it.
   *
   * @param from What.
   * @param position At which byte; `undefined` at the end (append).
   * @returns How many bytes.
   */
  write(from: Uint8Array, position: number | undefined): number;
  /** Sets the length. */
  truncate(size: number): void;
  /** Writes what is buffered to the disk. */
  sync(): void;
  /** Facts. */
  stat(): FileStat;
  /** Sets times. */
  setTimes(times: FileTimes): void;
  /** Closes it; once is enough. */
  close(): void;
}

/** A file tree. */
export interface FileTree {
  /**
   * Facts about a path, not following a link at its end.
   *
   * @throws {WasiError} NOENT, NOTDIR.
   */
  lstat(path: TreePath): FileStat;
  /**
   * As {@linkcode FileTree.lstat}, for a directory on the way to somewhere: it
   * may be wrong where another process swaps directories, and looking at
   * anything below tells.
   *
   * @throws {WasiError} NOENT, NOTDIR.
   */
  peek(path: TreePath): Pick<FileStat, "type">;
  /** Opens a regular file. */
  open(path: TreePath, options: OpenOptions): OpenFile;
  /** All entries of a directory, without `.` and `..`, in a stable order. */
  readDirectory(path: TreePath): readonly DirectoryEntry[];
  /** Makes a directory. */
  makeDirectory(path: TreePath): void;
  /** Removes an empty directory. */
  removeDirectory(path: TreePath): void;
  /** Removes a file or a link, not a directory (ISDIR). */
  unlink(path: TreePath): void;
  /** Renames within this tree, as POSIX `rename` does. */
  rename(from: TreePath, to: TreePath): void;
  /** Makes a hard link to a regular file of this tree. */
  link(from: TreePath, to: TreePath): void;
  /** Makes a symbolic link; the target was checked. */
  symlink(target: string, path: TreePath): void;
  /** The target of a symbolic link. */
  readLink(path: TreePath): string;
  /** Sets times of what lies at the path, not following a link. */
  setTimes(path: TreePath, times: FileTimes): void;
  /** Lets go of everything that is open. */
  [Symbol.dispose](): void;
}

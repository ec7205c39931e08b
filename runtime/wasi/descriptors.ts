/**
 * The table of what a guest has open.
 *
 * @module
 */

import { type ErrnoName, WasiError } from "./errno.ts";
import type { OpenFile, TreePath } from "./fs/types.ts";
import type { MountPoint } from "./mounts.ts";
import type { Rights } from "./rights.ts";
import type { StandardStream } from "./stdio.ts";

/** What every descriptor has. */
interface DescriptorFacts {
  /** What it may be used for. */
  rights: Rights;
  /** Flags, as `fd_fdstat_set_flags` sets them. */
  flags: number;
}

/** A standard stream. */
export interface StreamDescriptor extends DescriptorFacts {
  /** Discriminant. */
  readonly kind: "stream";
  /** The stream. */
  readonly stream: StandardStream;
}

/** An open file. */
export interface FileDescriptor extends DescriptorFacts {
  /** Discriminant. */
  readonly kind: "file";
  /** The file. */
  readonly file: OpenFile;
  /** The mount that it was opened in. */
  readonly point: MountPoint;
  /** Where it was when it was opened. */
  readonly path: TreePath;
  /** Where the next byte is read or written. */
  position: number;
}

/**
 * A directory. It is a path, not the directory itself: if another process puts
 * something else in its place, that is what it is from then on.
 */
export interface DirectoryDescriptor extends DescriptorFacts {
  /** Discriminant. */
  readonly kind: "directory";
  /** The mount that it lies in. */
  readonly point: MountPoint;
  /** Where it is. */
  path: TreePath;
  /** Whether it is the mount's own. */
  readonly isPreopen: boolean;
}

/** What a number can stand for. */
export type Descriptor =
  | StreamDescriptor
  | FileDescriptor
  | DirectoryDescriptor;

/** The table: the lowest number that is free is taken, as POSIX has it. */
export class Descriptors {
  readonly #limit: number;
  readonly #table: (Descriptor | undefined)[] = [];
  #size = 0;
  /** No number below is free. */
  #lowest = 0;

  /**
   * Constructs an empty table.
   *
   * @param limit How many may be open at a time.
   */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many are open. */
  get size(): number {
    return this.#size;
  }

  /**
   * Checks that one more may be opened.
   *
   * @throws {WasiError} MFILE.
   */
  checkRoom(): void {
    if (this.#size >= this.#limit) throw new WasiError("MFILE");
  }

  /**
   * Adds what was opened.
   *
   * @param descriptor What.
   * @returns Its number.
   * @throws {WasiError} MFILE.
   */
  add(descriptor: Descriptor): number {
    this.checkRoom();
    while (this.#table[this.#lowest] !== undefined) this.#lowest++;
    this.#table[this.#lowest] = descriptor;
    this.#size++;
    return this.#lowest++;
  }

  /**
   * Looks up a number.
   *
   * @param fd The guest's number.
   * @returns What it stands for.
   * @throws {WasiError} BADF.
   */
  get(fd: number): Descriptor {
    const descriptor = this.#table[fd];
    if (descriptor === undefined) throw new WasiError("BADF");
    return descriptor;
  }

  /**
   * Closes a number.
   *
   * @throws {WasiError} BADF; or what closing gives, and it is closed then too.
   */
  close(fd: number): void {
    const descriptor = this.get(fd);
    this.#table[fd] = undefined;
    this.#size--;
    this.#lowest = Math.min(this.#lowest, fd);
    if (descriptor.kind === "file") descriptor.file.close();
  }

  /**
   * Gives a descriptor the number of another, which is closed.
   *
   * @param from The number that it has.
   * @param to The number that it gets, which must be open.
   * @throws {WasiError} BADF.
   */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from);
    const old = this.get(to);
    if (from === to) return;
    this.#table[to] = descriptor;
    this.#table[from] = undefined;
    this.#size--;
    this.#lowest = Math.min(this.#lowest, from);
    if (old.kind === "file") old.file.close();
  }

  /** All that is open. */
  *[Symbol.iterator](): IterableIterator<Descriptor> {
    for (const descriptor of this.#table) {
      if (descriptor !== undefined) yield descriptor;
    }
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    for (const descriptor of this) {
      try {
        if (descriptor.kind === "file") descriptor.file.close();
      } catch (error) {
        // nobody is left to be told that the disk failed
        if (!(error instanceof WasiError)) throw error;
      }
    }
    this.#table.length = 0;
    this.#size = 0;
    this.#lowest = 0;
  }
}

/**
 * A file.
 *
 * @param descriptor What a number stands for.
 * @param forStream The error for a standard stream.
 * @returns The descriptor.
 * @throws {WasiError} ISDIR, or the error for a stream.
 */
export function asFile(
  descriptor: Descriptor,
  forStream: ErrnoName,
): FileDescriptor {
  if (descriptor.kind === "directory") throw new WasiError("ISDIR");
  if (descriptor.kind === "stream") throw new WasiError(forStream);
  return descriptor;
}

/**
 * A directory.
 *
 * @param descriptor What a number stands for.
 * @returns The descriptor.
 * @throws {WasiError} NOTDIR.
 */
export function asDirectory(descriptor: Descriptor): DirectoryDescriptor {
  if (descriptor.kind !== "directory") throw new WasiError("NOTDIR");
  return descriptor;
}

/**
 * What a tree in memory is made of.
 *
 * @module
 */

import { WasiError } from "../errno.ts";
import { Content } from "./_content.ts";
import type { FileStat, FileTimes, OpenFile, OpenOptions } from "./types.ts";

/** What files, directories and links have in common. */
interface NodeFacts {
  /** Number within the tree. */
  readonly ino: bigint;
  /** Number of names; of a directory, with `.` and its children's `..`. */
  nlink: number;
  /** Number of open descriptors. */
  opened: number;
  /** Last access. */
  atimeNs: bigint;
  /** Last change of the content. */
  mtimeNs: bigint;
  /** Last change of anything. */
  ctimeNs: bigint;
}

/** A file. */
export interface FileNode extends NodeFacts {
  readonly type: "file";
  readonly content: Content;
}

/** A directory. */
export interface DirectoryNode extends NodeFacts {
  readonly type: "directory";
  readonly entries: Map<string, Node>;
}

/** A symbolic link. */
export interface SymlinkNode extends NodeFacts {
  readonly type: "symlink";
  readonly target: string;
  readonly bytes: number;
}

/** What a name may stand for. */
export type Node = FileNode | DirectoryNode | SymlinkNode;

/** The room, the clock and the numbers of a tree. */
export class Space {
  readonly #maxBytes: number;
  readonly #now: () => bigint;
  #used = 0;
  #lastIno = 0n;

  /** Constructs it. */
  constructor(maxBytes: number, now: () => bigint) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used;
  }

  /** The time. */
  now(): bigint {
    return this.#now();
  }

  /** Takes room, or with a negative number gives it back. */
  take(bytes: number): void {
    if (bytes > this.#maxBytes - this.#used) throw new WasiError("NOSPC");
    this.#used += bytes;
  }

  /** A new empty file, not yet named. */
  file(): FileNode {
    return { type: "file", ...this.#facts(1), content: new Content() };
  }

  /** A new directory. */
  directory(): DirectoryNode {
    return { type: "directory", ...this.#facts(2), entries: new Map() };
  }

  /** A new link. */
  symlink(target: string): SymlinkNode {
    const bytes = new TextEncoder().encode(target).length;
    this.take(bytes);
    return { type: "symlink", ...this.#facts(1), target, bytes };
  }

  /** Notes that a file or link has lost a name. */
  unlinked(node: FileNode | SymlinkNode): void {
    node.nlink--;
    node.ctimeNs = this.now();
    this.release(node);
  }

  /** Gives back the room of what has no name and is not open. */
  release(node: FileNode | SymlinkNode): void {
    if (node.nlink > 0 || node.opened > 0) return;
    if (node.type === "symlink") return this.take(-node.bytes);
    this.take(-node.content.size);
    node.content.resize(0);
  }

  /** Sets times. */
  setTimes(node: Node, { atimeNs, mtimeNs }: FileTimes): void {
    if (atimeNs !== undefined) node.atimeNs = atimeNs;
    if (mtimeNs !== undefined) node.mtimeNs = mtimeNs;
    node.ctimeNs = this.now();
  }

  #facts(nlink: number): NodeFacts {
    const now = this.now();
    return {
      ino: ++this.#lastIno,
      nlink,
      opened: 0,
      atimeNs: now,
      mtimeNs: now,
      ctimeNs: now,
    };
  }
}

/** Facts about a node, as they are now. */
export function nodeStat(node: Node): FileStat {
  return {
    type: node.type,
    size: node.type === "file"
      ? node.content.size
      : node.type === "symlink"
      ? node.bytes
      : 0,
    ino: node.ino,
    nlink: BigInt(node.nlink),
    atimeNs: node.atimeNs,
    mtimeNs: node.mtimeNs,
    ctimeNs: node.ctimeNs,
  };
}

/** An open file in memory. */
export class MemoryFile implements OpenFile {
  readonly #node: FileNode;
  readonly #space: Space;
  readonly #mode: Pick<OpenOptions, "read" | "write">;
  #closed = false;

  /** Constructs it. */
  constructor(
    node: FileNode,
    space: Space,
    mode: Pick<OpenOptions, "read" | "write">,
  ) {
    this.#node = node;
    this.#space = space;
    this.#mode = mode;
    node.opened++;
  }

  read(into: Uint8Array, position: number): number {
    this.#use("read");
    return this.#node.content.read(into, position);
  }

  write(from: Uint8Array, position: number | undefined): number {
    this.#use("write");
    const { content } = this.#node;
    const start = position ?? content.size;
    if (from.length > 0) this.#reserve(start + from.length);
    content.write(from, start);
    this.#touch();
    return from.length;
  }

  truncate(size: number): void {
    this.#use("write");
    const { content } = this.#node;
    if (size < content.size) this.#space.take(size - content.size);
    else this.#reserve(size);
    content.resize(size);
    this.#touch();
  }

  sync(): void {
    this.#use();
  }

  stat(): FileStat {
    this.#use();
    return nodeStat(this.#node);
  }

  setTimes(times: FileTimes): void {
    this.#use();
    this.#space.setTimes(this.#node, times);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#node.opened--;
    this.#space.release(this.#node);
  }

  #reserve(size: number): void {
    // beyond this a position is no longer exact
    if (size > Number.MAX_SAFE_INTEGER) throw new WasiError("FBIG");
    this.#space.take(Math.max(0, size - this.#node.content.size));
  }

  #touch(): void {
    this.#node.mtimeNs = this.#node.ctimeNs = this.#space.now();
  }

  #use(how?: "read" | "write"): void {
    if (this.#closed || (how !== undefined && !this.#mode[how])) {
      throw new WasiError("BADF");
    }
  }
}

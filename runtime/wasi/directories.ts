/**
 * `fd_readdir`.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import { demandRight, type WasiContext } from "./context.ts";
import { asDirectory, type DirectoryDescriptor } from "./descriptors.ts";
import type { DirectoryEntry } from "./fs/types.ts";
import { openedStat } from "./paths.ts";
import { direntBytes } from "./structs.ts";

/** How many directories are read at a time; more are read once more. */
const MAX_LISTINGS = 8;

/** Fuel for an entry. */
const ENTRY_BYTES = 64;

/**
 * Entries of directories that are being read, by descriptor: a cookie is a
 * number within the entries as they were when it was read from the start.
 */
class Listings {
  readonly #listings = new Map<
    DirectoryDescriptor,
    readonly DirectoryEntry[]
  >();
  readonly #listed: (count: number) => void;

  /** Constructs it; `listed` is told of every directory that is read. */
  constructor(listed: (count: number) => void) {
    this.#listed = listed;
  }

  /** The entries; read anew from the start. */
  get(
    descriptor: DirectoryDescriptor,
    cookie: bigint,
  ): readonly DirectoryEntry[] {
    const known = this.#listings.get(descriptor);
    if (known !== undefined && cookie !== 0n) return known;
    const entries = list(descriptor);
    this.#listed(entries.length);
    this.#listings.delete(descriptor);
    const [oldest] = this.#listings.keys();
    if (this.#listings.size >= MAX_LISTINGS && oldest !== undefined) {
      this.#listings.delete(oldest);
    }
    this.#listings.set(descriptor, entries);
    return entries;
  }

  /** Forgets the entries. */
  end(descriptor: DirectoryDescriptor): void {
    this.#listings.delete(descriptor);
  }
}

function list(descriptor: DirectoryDescriptor): readonly DirectoryEntry[] {
  const { point: { tree }, path } = descriptor;
  const { ino } = openedStat(descriptor);
  // what is above a mount is not for the guest to see
  const above = path.length === 0 ? ino : tree.lstat(path.slice(0, -1)).ino;
  return [
    { name: ".", type: "directory", ino },
    { name: "..", type: "directory", ino: above },
    ...tree.readDirectory(path),
  ];
}

/** `fd_readdir`. */
export function directoryFunctions(
  context: WasiContext,
): WasiFunctions<"fd_readdir"> {
  const { descriptors, memory } = context;
  const listings = new Listings((count) => memory.charge(count * ENTRY_BYTES));
  return {
    fd_readdir(fd, at, length, cookie, result) {
      const descriptor = asDirectory(descriptors.get(fd));
      const via = "fd_readdir";
      demandRight(context, descriptor, { right: "FD_READDIR", via });
      memory.check(result, 4);
      const into = memory.bytes(at, length);
      const entries = listings.get(descriptor, cookie);
      const used = fill(into, entries, cookie);
      // the last one is told by a buffer that is not full
      if (used < length) listings.end(descriptor);
      memory.charge(used);
      memory.setU32(result, used);
    },
  };
}

/** Writes entries until the buffer is full; the last one may be cut. */
function fill(
  into: Uint8Array,
  entries: readonly DirectoryEntry[],
  cookie: bigint,
): number {
  if (cookie >= BigInt(entries.length)) return 0;
  let used = 0;
  for (let index = Number(cookie); index < entries.length; index++) {
    const entry = entries[index];
    if (entry === undefined || used === into.length) break;
    const name = new TextEncoder().encode(entry.name);
    const next = BigInt(index + 1);
    // a host's entry looks its number up when it is asked for
    const { ino, type } = entry;
    const bytes = direntBytes(name, { next, ino, type });
    const part = bytes.subarray(0, into.length - used);
    into.set(part, used);
    used += part.length;
  }
  return used;
}

/**
 * The bytes of a file in memory.
 *
 * @module
 */

import { WasiError } from "../errno.ts";

/** Bytes per piece: a write of a mebibyte touches one or two. */
const PIECE = 2 ** 20;

/** Least bytes that a piece is given, so that small files stay small. */
const LEAST = 64;

/**
 * Bytes in pieces, so that growing copies no more than the last piece and a
 * hole takes no memory.
 */
export class Content {
  readonly #pieces = new Map<number, Uint8Array>();
  #size = 0;

  /** Length in bytes, holes included. */
  get size(): number {
    return this.#size;
  }

  /** Reads; what lies in a hole is zero. */
  read(into: Uint8Array, position: number): number {
    const length = Math.min(into.length, Math.max(0, this.#size - position));
    for (let done = 0; done < length;) {
      const at = position + done;
      const offset = at % PIECE;
      const count = Math.min(PIECE - offset, length - done);
      const piece = this.#pieces.get(Math.floor(at / PIECE));
      const there = piece === undefined
        ? 0
        : Math.max(0, Math.min(count, piece.length - offset));
      if (piece !== undefined && there > 0) {
        into.set(piece.subarray(offset, offset + there), done);
      }
      if (there < count) into.fill(0, done + there, done + count);
      done += count;
    }
    return length;
  }

  /** Writes all of it; what is skipped becomes a hole. */
  write(from: Uint8Array, position: number): void {
    for (let done = 0; done < from.length;) {
      const at = position + done;
      const offset = at % PIECE;
      const count = Math.min(PIECE - offset, from.length - done);
      this.#piece(Math.floor(at / PIECE), offset + count)
        .set(from.subarray(done, done + count), offset);
      done += count;
    }
    if (from.length > 0) {
      this.#size = Math.max(this.#size, position + from.length);
    }
  }

  /** Sets the length. */
  resize(size: number): void {
    if (size < this.#size) {
      const last = Math.floor(size / PIECE);
      for (const index of this.#pieces.keys()) {
        if (index > last) this.#pieces.delete(index);
      }
      this.#shorten(last, size % PIECE);
    }
    this.#size = size;
  }

  /** A copy of all of it. */
  copy(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#size);
    this.read(bytes, 0);
    return bytes;
  }

  /** Clears the end of a piece, and gives back what it no longer needs. */
  #shorten(index: number, length: number): void {
    const piece = this.#pieces.get(index);
    if (piece === undefined) return;
    piece.fill(0, length);
    const capacity = capacityFor(length);
    if (capacity < piece.length) {
      this.#pieces.set(index, piece.slice(0, capacity));
    }
  }

  /** A piece that holds at least so many bytes. */
  #piece(index: number, length: number): Uint8Array {
    const old = this.#pieces.get(index);
    if (old !== undefined && old.length >= length) return old;
    const piece = allocate(capacityFor(length));
    if (old !== undefined) piece.set(old);
    this.#pieces.set(index, piece);
    return piece;
  }
}

/** Less than twice the length, so that growing byte by byte stays linear. */
function capacityFor(length: number): number {
  let capacity = LEAST;
  while (capacity < length) capacity *= 2;
  return capacity;
}

function allocate(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch {
    // the host has no more, though the tree's own limit would allow it
    throw new WasiError("NOSPC");
  }
}

/**
 * The guest's memory, as the functions of WASI read and write it: every pointer
 * and length is the guest's, and is checked here against a fresh view.
 *
 * @module
 */

import type { GuestAccess } from "../types.ts";
import { WasiError } from "./errno.ts";
import { MAX_PATH_BYTES } from "./fs/path.ts";

/** Most buffers of one read or write, as Linux has it. */
const MAX_BUFFERS = 1024;

/** Most bytes that one read or write moves; what is more is for the next. */
export const MAX_TRANSFER_BYTES = 16 * 2 ** 20;

/** Bytes of a buffer's description: pointer and length. */
const BUFFER_BYTES = 8;

/** A part of the guest's memory that was in range when it was looked at. */
export interface Range {
  /** Where it starts. */
  readonly at: number;
  /** How long it is. */
  readonly length: number;
}

/** The memory of one guest. */
export class GuestMemory {
  readonly #guest: GuestAccess;

  /**
   * Constructs it.
   *
   * @param guest The guest.
   */
  constructor(guest: GuestAccess) {
    this.#guest = guest;
  }

  /**
   * Checks a range.
   *
   * @param at Where it starts, unsigned.
   * @param length How long it is, unsigned.
   * @throws {WasiError} FAULT.
   */
  check(at: number, length: number): void {
    this.#fresh(at, length);
  }

  /**
   * Gives a part of the memory, to be used before the guest runs again.
   *
   * @param at Where it starts, unsigned.
   * @param length How long it is, unsigned.
   * @returns A view.
   * @throws {WasiError} FAULT.
   */
  bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    // in range, so that subarray neither wraps nor cuts
    return this.#fresh(at, length).subarray(at, at + length);
  }

  /** As {@linkcode GuestMemory.bytes}, for numbers in the order of WebAssembly. */
  view(at: number, length: number): DataView<ArrayBuffer> {
    const { buffer, byteOffset } = this.#fresh(at, length);
    return new DataView(buffer, byteOffset + at, length);
  }

  /** Writes a u32. */
  setU32(at: number, value: number): void {
    this.view(at, 4).setUint32(0, value, true);
  }

  /** Writes a u64. */
  setU64(at: number, value: bigint): void {
    this.view(at, 8).setBigUint64(0, value, true);
  }

  /**
   * Copies a path, or the target of a link.
   *
   * @param at Where it starts.
   * @param length How many bytes it has.
   * @returns The text.
   * @throws {WasiError} FAULT, NAMETOOLONG, INVAL for NUL, ILSEQ if it is not
   * UTF-8.
   */
  text(at: number, length: number): string {
    const bytes = this.bytes(at, length);
    if (length > MAX_PATH_BYTES) throw new WasiError("NAMETOOLONG");
    this.charge(length);
    // copied, so that what is checked is what is used
    const copy = bytes.slice();
    if (copy.includes(0)) throw new WasiError("INVAL");
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(copy);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new WasiError("ILSEQ");
    }
  }

  /**
   * Reads the list of buffers of a read or a write. Empty ones are left out,
   * and what is beyond {@linkcode MAX_TRANSFER_BYTES}.
   *
   * @param at Where the list starts.
   * @param count How many buffers it has.
   * @returns The buffers, every one in range.
   * @throws {WasiError} FAULT, INVAL if there are too many.
   */
  buffers(at: number, count: number): readonly Range[] {
    if (count > MAX_BUFFERS) throw new WasiError("INVAL");
    const list = this.view(at, count * BUFFER_BYTES);
    const buffers: Range[] = [];
    let room = MAX_TRANSFER_BYTES;
    for (let index = 0; index < count; index++) {
      const start = list.getUint32(index * BUFFER_BYTES, true);
      const length = list.getUint32(index * BUFFER_BYTES + 4, true);
      this.check(start, length);
      const taken = Math.min(length, room);
      room -= taken;
      if (taken > 0) buffers.push({ at: start, length: taken });
    }
    return buffers;
  }

  /** Takes fuel for bytes that the host moves. */
  charge(byteLength: number): void {
    this.#guest.charge(Math.ceil(byteLength / 8));
  }

  #fresh(at: number, length: number): Uint8Array<ArrayBuffer> {
    const memory = this.#guest.memory();
    // both are unsigned and of 32 bits: the sum is exact
    if (at + length > memory.length) throw new WasiError("FAULT");
    return memory;
  }
}

/** How many bytes buffers have, all together. */
export function byteLength(buffers: readonly Range[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}

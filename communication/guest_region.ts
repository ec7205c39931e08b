/**
 * The guest's memory, as the functions of the guest ABI read and write it: each
 * pointer and length is the guest's, and is checked against the memory as it is
 * then.
 *
 * @module
 */

import type { SandboxError } from "../errors.ts";
import type { GuestAccess } from "../runtime/types.ts";
import { broken } from "./guest_abi.ts";
import { SmallBytes } from "./small_bytes.ts";
import { decodeLeniently, decodeUtf8 } from "./utf8.ts";

/** Bytes that are moved for a unit of fuel, as `memory.copy` moves them. */
const BYTES_PER_FUEL = 64;

/** Longest text that is kept for the next time, in bytes. */
const MAX_KEPT_BYTES = 64;
/** How many texts are kept; a power of two. */
const KEPT = 64;

/** A text that was decoded before. */
interface KeptText {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** The memory of one guest. */
export class GuestRegion {
  readonly #guest: GuestAccess;
  readonly #exportName: () => string;
  readonly #small = new SmallBytes();
  /** Most guests call few names often. */
  readonly #kept: (KeptText | undefined)[] = [];
  /** The memory as it was when it was last looked at. */
  #memory: Uint8Array<ArrayBuffer> = new Uint8Array();

  /**
   * Constructs it.
   *
   * @param guest The guest.
   * @param exportName The export that runs, for messages.
   */
  constructor(guest: GuestAccess, exportName: () => string) {
    this.#guest = guest;
    this.#exportName = exportName;
  }

  /**
   * Looks at the memory anew: to be done whenever the guest has run, or has
   * waited. Whoever forgets it finds an empty memory, should it have grown.
   *
   * @returns This.
   */
  open(): this {
    this.#memory = this.#guest.memory();
    return this;
  }

  /**
   * Checks that a part of the memory exists.
   *
   * @param what What it is, for messages.
   * @param at Where it starts, unsigned.
   * @param length How long it is, unsigned.
   * @throws {SandboxError} With code `guest-protocol`.
   */
  check(what: string, at: number, length: number): void {
    // both are unsigned and of 32 bits: the sum is exact
    if (at + length > this.#memory.length) {
      throw this.#outside(what, at, length);
    }
  }

  /** Copies a part of the memory into a buffer of its own; takes fuel for it. */
  copy(what: string, at: number, length: number): Uint8Array<ArrayBuffer> {
    this.check(what, at, length);
    this.charge(length);
    return this.#memory.slice(at, at + length);
  }

  /** As {@linkcode GuestRegion.copy}; short ones may share a buffer. */
  copySmall(what: string, at: number, length: number): Uint8Array<ArrayBuffer> {
    this.check(what, at, length);
    this.charge(length);
    return this.#small.copy(this.#memory, at, length);
  }

  /** Writes into the memory, and takes fuel for it. */
  write(what: string, at: number, bytes: Uint8Array): void {
    this.check(what, at, bytes.length);
    this.charge(bytes.length);
    this.#memory.set(bytes, at);
  }

  /**
   * Reads text strictly.
   *
   * @param what What it is, for messages.
   * @param at Where it starts, unsigned.
   * @param length How long it is, unsigned.
   * @returns The text; undefined if it is not UTF-8.
   * @throws {SandboxError} With code `guest-protocol`.
   */
  text(what: string, at: number, length: number): string | undefined {
    this.check(what, at, length);
    this.charge(length);
    const memory = this.#memory;
    // in range, so that subarray neither wraps nor cuts
    if (length > MAX_KEPT_BYTES) {
      return decodeUtf8(memory.subarray(at, at + length));
    }
    const slot = slotOf(memory, at, length);
    const kept = this.#kept[slot];
    if (kept !== undefined && isSame(kept.bytes, memory, at, length)) {
      return kept.text;
    }
    const bytes = memory.slice(at, at + length);
    const text = decodeUtf8(bytes);
    if (text !== undefined) this.#kept[slot] = { bytes, text };
    return text;
  }

  /**
   * Reads text that need not be right: what is not UTF-8 becomes U+FFFD.
   *
   * @param what What it is, for messages.
   * @param at Where it starts, unsigned.
   * @param length How long it is, unsigned; all of it must exist.
   * @param maxBytes How much of it is read; what follows becomes `…`.
   * @returns The text.
   * @throws {SandboxError} With code `guest-protocol`.
   */
  clippedText(
    what: string,
    at: number,
    length: number,
    maxBytes: number,
  ): string {
    this.check(what, at, length);
    const taken = Math.min(length, maxBytes);
    this.charge(taken);
    const text = decodeLeniently(this.#memory.subarray(at, at + taken));
    return taken < length ? `${text}…` : text;
  }

  /** Takes fuel for bytes that the host moves. */
  charge(byteLength: number): void {
    this.#guest.charge(1 + Math.ceil(byteLength / BYTES_PER_FUEL));
  }

  #outside(
    what: string,
    at: number,
    length: number,
  ): SandboxError<"guest-protocol"> {
    const name = this.#exportName();
    const size = this.#memory.length;
    return broken(
      { name },
      `its ${what} of ${length} bytes at ${at} lies outside of its memory of ${size}`,
    );
  }
}

/** Where a text is kept; texts that share a place drive each other out. */
function slotOf(memory: Uint8Array, at: number, length: number): number {
  let hash = length;
  for (let index = at; index < at + length; index++) {
    hash = (hash * 31 + (memory[index] ?? 0)) | 0;
  }
  return hash & (KEPT - 1);
}

function isSame(
  bytes: Uint8Array,
  memory: Uint8Array,
  at: number,
  length: number,
): boolean {
  if (bytes.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[index] !== memory[at + index]) return false;
  }
  return true;
}

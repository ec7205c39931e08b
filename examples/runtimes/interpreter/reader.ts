/**
 * Reads the binary format, byte by byte, and nothing beyond its end.
 *
 * @module
 */

import type { SandboxError } from "@wasm-sandbox/core";
import { invalid, refused } from "./errors.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a module, or a part of it. */
export class Reader {
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it reads next. */
  at: number;
  /** Where it stops. */
  end: number;

  /**
   * Constructs a reader.
   *
   * @param bytes The module.
   * @param at Where it begins.
   * @param end Where it stops.
   */
  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    at = 0,
    end: number = bytes.length,
  ) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Whether everything was read. */
  get done(): boolean {
    return this.at >= this.end;
  }

  /** The error of a fault at this place. */
  fault(problem: string, at: number = this.at): SandboxError {
    return invalid(at, problem, this.bytes.length);
  }

  /** The error of a valid module that has more of something than it may. */
  tooMuch(what: string): SandboxError {
    return refused(`it has ${what}`, { reason: what, offset: this.at });
  }

  /** A byte. */
  u8(): number {
    if (this.at >= this.end) throw this.fault("unexpected end");
    return this.bytes[this.at++] ?? 0;
  }

  /** An unsigned number of 32 bits. */
  u32(): number {
    const byte = this.bytes[this.at] ?? 0x80;
    // most numbers take one byte
    if (byte < 0x80 && this.at < this.end) {
      this.at++;
      return byte;
    }
    return Number(this.#leb(32, false));
  }

  /** A signed number of 32 bits. */
  s32(): number {
    return Number(this.#leb(32, true));
  }

  /** A signed number of 33 bits: the type of a block. */
  s33(): number {
    return Number(this.#leb(33, true));
  }

  /** A signed number of 64 bits. */
  s64(): bigint {
    return this.#leb(64, true);
  }

  /** A size, of something whose parts take a byte each or more. */
  count(what: string, most: number): number {
    const count = this.u32();
    if (count > this.end - this.at) throw this.fault("unexpected end");
    if (count > most) throw this.tooMuch(`more than ${most} ${what}`);
    return count;
  }

  /** The bits of a fixed number of bytes, least significant first. */
  bits(bytes: 4 | 8): bigint {
    let value = 0n;
    for (let index = 0; index < bytes; index++) {
      value |= BigInt(this.u8()) << BigInt(8 * index);
    }
    return value;
  }

  /** The bytes that follow, not copied. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.end - this.at) throw this.fault("unexpected end");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** A name. */
  name(): string {
    const start = this.at;
    const bytes = this.take(this.u32());
    try {
      return UTF8.decode(bytes);
    } catch {
      throw this.fault("a name is not UTF-8", start);
    }
  }

  /** A part of what is read, behind which this reader goes on. */
  part(length: number): Reader {
    const start = this.at;
    this.take(length);
    return new Reader(this.bytes, start, this.at);
  }

  #leb(width: number, signed: boolean): bigint {
    const start = this.at;
    let value = 0n;
    let shift = 0;
    for (;;) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      shift += 7;
      if (byte < 0x80) break;
      if (shift >= width) throw this.fault("a number is too long", start);
    }
    const exact = signed ? BigInt.asIntN(shift, value) : value;
    const fits = signed
      ? BigInt.asIntN(width, exact) === exact
      : BigInt.asUintN(width, exact) === exact;
    if (!fits) throw this.fault("a number is too large", start);
    return exact;
  }
}

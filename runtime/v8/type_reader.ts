/**
 * Reads types, and notes which proposals they belong to.
 *
 * Format: https://webassembly.github.io/spec/core/binary/types.html
 *
 * @module
 */

import { MAX_COUNTS, MAX_TYPE_VALUES, refused, tooMany } from "./bounds.ts";
import { FEATURE_BITS as F } from "./features.ts";
import type { ByteReader } from "./reader.ts";

// heap types, as signed numbers
const EXN = -0x17;
const NOEXN = -0x0c;

/** Reads types at the place of a reader. */
export class TypeReader {
  /** Features that the types belong to. */
  features = 0;
  /** By type: offset of its parameters' vector, or 0 if it is no function. */
  readonly types: number[] = [];
  /** By type: how many parameters, or fields, it has. */
  readonly paramCounts: number[] = [];
  /** By type: how many results it has. */
  readonly resultCounts: number[] = [];
  /** Function types that take or give references. */
  readonly referring: Set<number> = new Set();
  readonly #reader: ByteReader;
  /** Values of all function types together. */
  #values = 0;

  /**
   * Constructs a reader of types.
   *
   * @param reader Where they are read from.
   */
  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** Reads an entry of the type section: a type, or a group of them. */
  entry(): void {
    const reader = this.#reader;
    if (reader.bytes[reader.pos] !== 0x4e) return this.#subType();
    reader.u8();
    this.features |= F.gc;
    this.#each(2, () => this.#subType());
  }

  /** Reads the index of a function type. */
  functionType(): number {
    const index = this.#reader.u32();
    if (!this.types[index]) {
      this.#reader.fail(`type ${index} is no function type`);
    }
    return index;
  }

  /** Passes over the type of something that outlives a call. */
  kept(): void {
    // exceptions that are kept take memory that no limit counts
    if (this.value()) this.features |= F.gc;
  }

  /** Passes over a value type, and tells whether it is an exception's. */
  value(): boolean {
    const reader = this.#reader;
    const byte = reader.u8();
    switch (byte) {
      case 0x7f:
      case 0x7e:
      case 0x7d:
      case 0x7c:
        return false;
      case 0x7b:
        this.features |= F.simd;
        return false;
      case 0x70:
      case 0x6f:
        this.features |= F.referenceTypes;
        return false;
      case 0x69:
      case 0x74:
        this.features |= F.exceptions;
        return true;
      case 0x63:
      case 0x64:
        this.features |= F.functionReferences;
        return this.#heapType();
      default:
        if (byte < 0x6a || byte > 0x73) {
          reader.fail(`value type 0x${byte.toString(16)} is not known`);
        }
        this.features |= F.gc;
        return false;
    }
  }

  /** Passes over a heap type, and tells whether it is an exception's. */
  #heapType(): boolean {
    const type = this.#reader.s33();
    if (type !== EXN && type !== NOEXN) return false;
    this.features |= F.exceptions;
    return true;
  }

  #subType(): void {
    const reader = this.#reader;
    let form = reader.u8();
    if (form === 0x50 || form === 0x4f) {
      this.features |= F.gc;
      this.#each(1, () => reader.u32());
      form = reader.u8();
    }
    // groups of types may be longer than their list
    if (this.types.length >= MAX_COUNTS.types) {
      throw tooMany("types", reader.pos);
    }
    if (form === 0x60) return this.#functionSignature();
    this.types.push(0);
    this.resultCounts.push(0);
    if (form === 0x5f) {
      this.paramCounts.push(this.#each(2, () => this.#field()));
    } else if (form === 0x5e) {
      this.paramCounts.push(0);
      this.#field();
    } else reader.fail(`type form 0x${form.toString(16)} is not known`);
    this.features |= F.gc;
  }

  #functionSignature(): void {
    const reader = this.#reader;
    const index = this.types.push(reader.pos) - 1;
    const value = () => {
      if ((reader.bytes[reader.pos] ?? 0) < 0x7b) this.referring.add(index);
      this.value();
    };
    const params = this.#each(1, value);
    const results = this.#each(1, value);
    this.paramCounts.push(params);
    this.resultCounts.push(results);
    this.#values += params + results;
    if (this.#values > MAX_TYPE_VALUES) {
      throw refused(
        `its types have more than ${MAX_TYPE_VALUES} parameters and results`,
        { reason: "types too large", offset: reader.pos },
      );
    }
  }

  #field(): void {
    const reader = this.#reader;
    const packed = reader.bytes[reader.pos];
    if (packed === 0x78 || packed === 0x77) reader.u8();
    else this.value();
    if (reader.u8() > 1) reader.fail("a field is neither const nor var");
  }

  /** Reads a list, and returns how many items it has. */
  #each(itemBytes: number, read: () => void): number {
    const count = this.#reader.count(itemBytes);
    for (let index = 0; index < count; index++) read();
    return count;
  }
}

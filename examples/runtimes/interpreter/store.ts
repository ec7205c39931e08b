/**
 * What a guest has beside its stack: memory, tables, globals and segments.
 *
 * @module
 */

import { Trap } from "./errors.ts";
import { PAGE_BYTES, type SizeRange, type TableType } from "./types.ts";

/** Linear memory. What it may become is bounded, and let go at the end. */
export class LinearMemory {
  /** How long it is, in bytes. The buffer may be longer. */
  length: number;
  /** The bytes, and room to grow. */
  view: DataView<ArrayBuffer>;
  /** The same. */
  bytes: Uint8Array<ArrayBuffer>;
  readonly #maxBytes: number;

  /**
   * Constructs it.
   *
   * @param size Its size, in pages.
   * @param capBytes The most that it may become, in bytes.
   */
  constructor({ min, max }: SizeRange, capBytes: number) {
    this.length = min * PAGE_BYTES;
    const cap = Math.floor(capBytes / PAGE_BYTES);
    this.#maxBytes = Math.min(max, cap) * PAGE_BYTES;
    this.view = new DataView(new ArrayBuffer(this.length));
    this.bytes = new Uint8Array(this.view.buffer);
  }

  /**
   * Makes it larger. The buffer at least doubles, so that growing page by page
   * does not copy it each time.
   *
   * @param pages How much larger.
   * @returns Its old size in pages, or -1 if it cannot.
   */
  grow(pages: number): number {
    const before = this.length / PAGE_BYTES;
    const length = this.length + pages * PAGE_BYTES;
    if (length > this.#maxBytes) return -1;
    if (length > this.bytes.length && !this.#makeRoom(length)) return -1;
    this.length = length;
    return before;
  }

  /** Throws unless a range lies within. */
  check(start: number, length: number): void {
    if (start + length > this.length) {
      throw new Trap("out of bounds memory access");
    }
  }

  /** Lets the memory go at once; who holds a view of it has none then. */
  free(): void {
    this.#adopt(this.view.buffer.transfer(0));
    this.length = 0;
  }

  #makeRoom(length: number): boolean {
    const room = Math.min(this.#maxBytes, Math.max(length, 2 * this.length));
    try {
      this.#adopt(this.view.buffer.transfer(room));
      return true;
    } catch {
      // the machine has no more
      return false;
    }
  }

  #adopt(buffer: ArrayBuffer): void {
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
  }
}

/** Elements that all tables of an instance may have together. */
export interface ElementBudget {
  /** How many are left. */
  left: number;
}

/** A table of references: 0 is null, and `index + 1` a function. */
export class Table {
  /** How many elements it has. */
  length: number;
  /** The elements, and room to grow. */
  items: Int32Array;
  readonly #max: number;
  readonly #budget: ElementBudget;

  /**
   * Constructs it.
   *
   * @param type Its size and type.
   * @param budget What all tables may have.
   */
  constructor({ min, max }: TableType, budget: ElementBudget) {
    this.length = min;
    this.items = new Int32Array(min);
    this.#max = max;
    this.#budget = budget;
    budget.left -= min;
  }

  /**
   * Makes it larger.
   *
   * @param count How much larger.
   * @param item What the new elements are.
   * @returns Its old size, or -1 if it cannot.
   */
  grow(count: number, item: number): number {
    const before = this.length;
    const length = before + count;
    if (length > this.#max || count > this.#budget.left) return -1;
    if (length > this.items.length) {
      const items = new Int32Array(Math.max(length, 2 * before));
      items.set(this.items);
      this.items = items;
    }
    this.items.fill(item, before, length);
    this.length = length;
    this.#budget.left -= count;
    return before;
  }

  /** Throws unless a range lies within. */
  check(start: number, length: number): void {
    if (start + length > this.length) {
      throw new Trap("out of bounds table access");
    }
  }
}

/** All of it. */
export interface Store {
  readonly memory: LinearMemory;
  readonly tables: readonly Table[];
  /** Segments of data; empty once they are dropped. */
  readonly data: Uint8Array[];
  /** Segments of elements, as references; empty once they are dropped. */
  readonly elements: Int32Array[];
}

/**
 * What the rewriter will insert, and where.
 *
 * @module
 */

/** What is inserted at one place. */
export const Insert = Object.freeze({
  /** Nothing; an entry that was taken back. */
  none: 0,
  /** The check at a function's entry. */
  entry: 1,
  /** The check at a loop's header, fuel in the local. */
  loop: 2,
  /** The check at a loop's header, fuel in the global. */
  loopGlobal: 3,
  /** The check before an operation that may take long. */
  point: 4,
  /** local = local − argument. */
  charge: 5,
  /** local = global − argument. */
  load: 6,
  /** global = local − argument. */
  spill: 7,
  /** global = global − argument. */
  chargeGlobal: 8,
  /** A call of the helper with the argument's number instead of the original. */
  helper: 9,
  /** Notes that the global holds all that was charged, before a trap. */
  settled: 10,
});

/** Entries in the order of their places: three numbers each. */
export class Plan {
  #data: Int32Array = new Int32Array(3 * 256);
  #length = 0;

  /** How many entries there are, three numbers each. */
  get length(): number {
    return this.#length;
  }

  /** The entries: place, kind | argument << 4, place to go on at. */
  get data(): Int32Array {
    return this.#data;
  }

  /**
   * Adds an entry.
   *
   * @param place Offset in the module before which it goes.
   * @param kind One of {@linkcode Insert}.
   * @param argument Cost or number of the helper.
   * @param next Offset at which copying goes on.
   * @returns Index of the entry.
   */
  add(place: number, kind: number, argument = 0, next: number = place): number {
    if (this.#length + 3 > this.#data.length) {
      const grown = new Int32Array(this.#data.length * 2);
      grown.set(this.#data);
      this.#data = grown;
    }
    const index = this.#length;
    this.#data[index] = place;
    this.#data[index + 1] = kind | argument << 4;
    this.#data[index + 2] = next;
    this.#length += 3;
    return index;
  }

  /** Changes the kind of an entry. */
  change(index: number, kind: number): void {
    this.#data[index + 1] = kind;
  }

  /** Adds to the argument of an entry. */
  raise(index: number, argument: number): void {
    this.#data[index + 1] = (this.#data[index + 1] ?? 0) + (argument << 4);
  }

  /** Forgets all entries from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }
}

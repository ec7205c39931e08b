/** Numbers that look random, the same for the same seed. */

/** Marsaglia's xorshift32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b9) | 1) >>> 0;
    // neighbouring seeds begin alike
    for (let round = 0; round < 8; round++) this.next();
  }

  /** A number of 32 bits. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }

  /** A number from 0 to below `count`. */
  below(count: number): number {
    return this.next() % count;
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("Cannot pick: no items");
    return item;
  }
}

/**
 * First in, first out, with removal from the middle: for what waits, and may
 * be cancelled.
 *
 * @module
 */

/** A place in a {@linkcode Fifo}. */
interface Place<T> {
  readonly value: T;
  previous: Place<T> | undefined;
  next: Place<T> | undefined;
  isIn: boolean;
}

/**
 * A list that gives first what came first; everything in constant time.
 *
 * @typeParam T What it holds.
 */
export class Fifo<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #size = 0;

  /** How many it holds. */
  get size(): number {
    return this.#size;
  }

  /** What came first; undefined if it is empty. */
  get first(): T | undefined {
    return this.#first?.value;
  }

  /**
   * Adds at the end.
   *
   * @param value What to add.
   * @returns Takes it out again, and says whether it was still there.
   */
  push(value: T): () => boolean {
    const place: Place<T> = {
      value,
      previous: this.#last,
      next: undefined,
      isIn: true,
    };
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    this.#size++;
    return () => this.#remove(place);
  }

  /**
   * Takes what came first.
   *
   * @returns It; undefined if there is nothing.
   */
  shift(): T | undefined {
    const place = this.#first;
    if (place !== undefined) this.#remove(place);
    return place?.value;
  }

  #remove(place: Place<T>): boolean {
    if (!place.isIn) return false;
    place.isIn = false;
    this.#size--;
    const { previous, next } = place;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    return true;
  }
}

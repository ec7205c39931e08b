/**
 * The locals of a function. A few bytes may declare many of them, so they are
 * kept as runs.
 *
 * @module
 */

import type { Proposals } from "./proposals.ts";
import type { Reader } from "./reader.ts";
import { readValueType } from "./value_types.ts";

/** Most locals of one function. */
const MAX_LOCALS = 50_000;

/** The locals of a function, parameters first. */
export class Locals {
  /** How many there are. */
  readonly count: number;
  readonly #params: readonly number[];
  /** Where each run ends, and its type. */
  readonly #ends: number[] = [];
  readonly #types: number[] = [];

  /**
   * Reads them.
   *
   * @param reader Stands where a function's body begins.
   * @param params Types of its parameters.
   * @param proposals What the module may use.
   */
  constructor(
    reader: Reader,
    params: readonly number[],
    proposals: Proposals,
  ) {
    this.#params = params;
    let count = params.length;
    const runs = reader.count("runs of locals", MAX_LOCALS);
    for (let index = 0; index < runs; index++) {
      count += reader.u32();
      if (count > MAX_LOCALS) {
        throw reader.tooMuch(`more than ${MAX_LOCALS} locals in a function`);
      }
      this.#types.push(readValueType(reader, proposals));
      this.#ends.push(count);
    }
    this.count = count;
  }

  /** Type of a local, if there is one. */
  type(index: number): number | undefined {
    if (index < this.#params.length) return this.#params[index];
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) > index) high = middle;
      else low = middle + 1;
    }
    return this.#types[low];
  }
}

/**
 * What one function takes an engine to compile, counted while it is scanned.
 *
 * @module
 */

import { MAX_MERGED_LOCALS, refused } from "./bounds.ts";
import type { Effect } from "./operations.ts";
import { workOf } from "./work.ts";

/** Values that a call takes and gives without weight: the registers' share. */
const FEW_VALUES = 16;
/** What one more of them weighs: the engine takes a microsecond for each. */
const MOVE_WEIGHT = 32;

/**
 * Largest sum, over a function's calls and whatever else calls out of its code,
 * of its locals and what is on its stack: the engine takes half a nanosecond
 * for each.
 */
const MAX_WALKED = 200_000_000;
/** How much longer it takes where there are references among them. */
const REFERENCE_WEIGHT = 100;

/** Counts what a function takes to compile. */
export class Complexity {
  /** Whether the code handles references, which take far longer to save. */
  references = false;
  /** Whether the code catches exceptions. */
  catches = false;
  /** How many calls there are, helpers included. */
  calls = 0;
  #locals = 0;
  /** At how many places control flow parts or meets. */
  #merges = 0;
  /** Locals and what is on the stack, over all of these places. */
  #weight = 0;
  /** What the engine walks over at instructions that call out of the code. */
  #callWeight = 0;
  /** The most values on the stack where control flow parts or meets. */
  #tallest = 0;
  /** How many loops there are, and how many are open. */
  #loops = 0;
  #openLoops = 0;
  /** How deep each loop lies, all of them together. */
  #loopDepths = 0;
  /** How many operations there are that may become loops. */
  #operations = 0;
  /** How many calls look their function up in a table. */
  #lookups = 0;
  /** How many handlers the open blocks have for exceptions. */
  #openHandlers = 0;
  /** Locals, over all ways from a call to a handler. */
  #caught = 0;

  /** Begins a function anew; what its type and its locals refer to stays. */
  begin(locals: number): void {
    this.catches = false;
    this.calls = 0;
    this.#locals = locals;
    this.#merges = 0;
    this.#weight = 0;
    this.#callWeight = 0;
    this.#tallest = 0;
    this.#loops = 0;
    this.#openLoops = 0;
    this.#loopDepths = 0;
    this.#operations = 0;
    this.#lookups = 0;
    this.#openHandlers = 0;
    this.#caught = 0;
  }

  /** Control flow parts or meets, with so many values to keep for it. */
  merged(height: number): void {
    const values = Math.max(0, height);
    this.#merges++;
    this.#weight += this.#locals + 1 + values;
    this.#tallest = Math.max(this.#tallest, values);
  }

  /** So many values go into a call or a block and out of it. */
  moved(values: number): void {
    this.#weight += Math.max(0, values - FEW_VALUES) * MOVE_WEIGHT;
  }

  /** At each of these the engine saves or walks over all that lives. */
  walked(height: number): void {
    this.#callWeight += this.#locals + 1 + Math.max(0, height);
  }

  /** A loop begins. */
  openLoop(): void {
    this.#loops++;
    this.#loopDepths += ++this.#openLoops;
  }

  /** A loop ends. */
  closeLoop(): void {
    this.#openLoops--;
  }

  /** A block with so many handlers begins, or ends if they are less than 0. */
  handlers(count: number): void {
    this.#openHandlers += count;
  }

  /** From here control flow may go on in each handler around. */
  mayThrow(): void {
    this.#caught += this.#openHandlers * (this.#locals + 1);
  }

  /** A call of what a table holds. */
  lookup(): void {
    this.#lookups++;
  }

  /** An operation that may become a call, or a loop. */
  operation(effect: Effect, height: number): void {
    if (effect === "none") return;
    if (effect === "call") this.calls++;
    if (effect !== "branch") this.#operations++;
    this.walked(height);
  }

  /**
   * What the function takes an engine that optimizes, as `work.ts` has it.
   *
   * @param bytes Length of its code.
   * @param passed Values that it takes and gives.
   */
  work(bytes: number, passed: number): number {
    return workOf({
      bytes,
      values: this.#locals + this.#tallest,
      merges: this.#merges,
      weight: this.#weight,
      loops: this.#loops + this.#operations,
      loopDepths: this.#loopDepths,
      passed,
      calls: this.calls,
      lookups: this.#lookups,
      caught: this.#caught,
    });
  }

  /** Refuses a function that takes too much. */
  check(index: number, start: number): void {
    const each = this.references ? REFERENCE_WEIGHT : 1;
    if (this.#callWeight * each > MAX_WALKED) {
      throw refused(
        `function ${index} calls so often, with ${this.#locals} locals and ` +
          "what is on its stack, that it would take the engine too long to " +
          "compile",
        { reason: "function too complex", offset: start },
      );
    }
    // where exceptions are caught, each call may lead to a handler
    const edges = this.catches ? this.calls : 0;
    if (this.#weight + edges * (this.#locals + 1) > MAX_MERGED_LOCALS) {
      throw refused(
        `function ${index} has ${this.#merges + edges} branches, ` +
          `${this.#locals} locals, and values on its stack and in its calls, ` +
          "which would take the engine more memory and time than is safe to " +
          "compile",
        { reason: "function too complex", offset: start },
      );
    }
  }
}

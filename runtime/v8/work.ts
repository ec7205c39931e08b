/**
 * How much work it is to compile a function for an engine that optimizes at
 * once, as Wasmtime's Cranelift does, in units of some 25 ns. Its allocation of
 * registers takes longer than in proportion: a function of 16 KiB with 2,000
 * loops in each other takes ten seconds, one of 115 KiB with 5,000 locals in
 * 900 branches minutes, one of 7 KiB with 500 calls in a handler of exceptions
 * 16 seconds, and nothing can stop it. What is made to be slow may take some
 * times as long as its estimate says: rotations in a row ten times.
 *
 * @module
 */

/** What is known of a function. */
export interface FunctionShape {
  /** Length of its code. */
  readonly bytes: number;
  /** Its locals, and the most that is on its stack where control flow meets. */
  readonly values: number;
  /** At how many places control flow parts or meets. */
  readonly merges: number;
  /** Locals and what is on the stack, over all of these places. */
  readonly weight: number;
  /** How many loops there are, with what becomes one: bulk operations. */
  readonly loops: number;
  /** How deep each of them lies, all together. */
  readonly loopDepths: number;
  /** Values that it takes and gives. */
  readonly passed: number;
  /** How many calls there are. */
  readonly calls: number;
  /** How many of them look their function up in a table. */
  readonly lookups: number;
  /** Locals, over all ways from such a call to a handler. */
  readonly caught: number;
}

/**
 * The most work that one module may be. The largest programs that were looked
 * at take some three quarters of it (Ruby, 16 MiB) or less (esbuild, CPython,
 * SQLite).
 */
export const MAX_WORK = 1_000_000_000;

/**
 * What a function is at least: less time than memory, of which each takes 7 KiB
 * while a module is compiled.
 */
const FUNCTION_WORK = 10_000;
/** Code without locals is some work too. */
const LEAST_VALUES = 8;
/** What a value is for the code by which a function is called from elsewhere. */
const PASSED_WORK = 200;
const CALL_WORK = 100;
/** What is found in a table may first have to be made. */
const LOOKUP_WORK = 1_000;

/**
 * Measured by functions of up to 256 KiB that consist of one shape alone.
 *
 * @param shape The function.
 * @returns Its work.
 */
export function workOf(
  { bytes, values, merges, weight, loops, loopDepths, ...calling }:
    FunctionShape,
): number {
  return FUNCTION_WORK +
    bytes * (values + LEAST_VALUES) +
    bytes ** 2 / 1000 +
    merges ** 2 / 8 +
    weight ** 2 / 20_000 +
    8 * loops ** 2 +
    loopDepths ** 2 / 10_000 +
    callingWork(calling);
}

function callingWork(
  { passed, calls, lookups, caught }: Pick<
    FunctionShape,
    "calls" | "caught" | "lookups" | "passed"
  >,
): number {
  return PASSED_WORK * passed + passed ** 2 / 3 +
    CALL_WORK * calls +
    LOOKUP_WORK * lookups + lookups ** 2 / 3 +
    caught ** 2 / 32;
}

/**
 * How much work it is to compile a function for an engine that optimizes at
 * once, as Wasmtime's Cranelift does, in units of some 25 ns. Its allocation of
 * registers takes longer than in proportion: a function of 16 KiB with 2,000
 * loops in each other takes ten seconds, one of 115 KiB with 5,000 locals in
 * 900 branches minutes, and nothing can stop it.
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
}

/**
 * The most work that one module may be. The largest programs that were looked
 * at take some half of it (Ruby, 16 MiB) or less (esbuild, CPython, SQLite).
 */
export const MAX_WORK = 1_000_000_000;

/**
 * What a function is at least: less time than memory, of which each takes 7 KiB
 * while a module is compiled.
 */
const FUNCTION_WORK = 10_000;
/** Code without locals is some work too. */
const LEAST_VALUES = 8;

/**
 * Measured by functions of up to 256 KiB that consist of one shape alone.
 *
 * @param shape The function.
 * @returns Its work.
 */
export function workOf(
  { bytes, values, merges, weight, loops, loopDepths }: FunctionShape,
): number {
  return FUNCTION_WORK +
    bytes * (values + LEAST_VALUES) +
    bytes ** 2 / 1000 +
    merges ** 2 / 32 +
    weight ** 2 / 20_000 +
    8 * loops ** 2 +
    loopDepths ** 2 / 10_000;
}

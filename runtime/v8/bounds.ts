/**
 * Fixed bounds of the gate: what the engine needs to read and compile a module
 * grows with these. They are listed in docs/limits.md.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";

/** Deepest nesting of blocks in one function. */
export const MAX_NESTING = 20_000;
/** Most locals of one function, V8's own bound less the one we add. */
export const MAX_LOCALS = 49_999;
/**
 * Largest sum, over all places at which a function's control flow parts or
 * meets, of its locals and what is on its stack: V8 keeps 25 to 50 bytes for
 * each of them while it compiles the function.
 */
export const MAX_MERGED_LOCALS = 5_000_000;
/** Most exports, and most imports, of one module. */
const MAX_EXTERNALS = 10_000;
/** Most tables that a module defines; each is an export of ours. */
const MAX_TABLES = 1000;
/** Most memories that a module defines; each is a mapping of the process. */
const MAX_MEMORIES = 100;
/** Most segments of either kind, and most tags. */
export const MAX_SEGMENTS = 100_000;
/** Most types: the engine keeps each for as long as the process lives. */
const MAX_TYPES = 10_000;
/** Most parameters and results of all function types together. */
export const MAX_TYPE_VALUES = 100_000;
/** Most elements of all segments: they are copied at each instantiation. */
export const MAX_ELEMENTS = 500_000;
/** Most entries of any other list: less than V8 takes, for what we add. */
export const MAX_ENTRIES = 900_000;
/**
 * Most values that an exception may carry: they are kept outside memory. A
 * vector counts as four.
 */
export const MAX_TAG_PARAMS = 32;

/** How many entries each list may have: the gate keeps something of each. */
export const MAX_COUNTS = Object.freeze({
  types: MAX_TYPES,
  imports: MAX_EXTERNALS,
  functions: MAX_ENTRIES,
  tables: MAX_TABLES,
  memories: MAX_MEMORIES,
  globals: MAX_ENTRIES,
  exports: MAX_EXTERNALS,
  tags: MAX_SEGMENTS,
  "element segments": MAX_SEGMENTS,
  "data segments": MAX_SEGMENTS,
});

/** A list of a module's. */
export type List = keyof typeof MAX_COUNTS;

/**
 * The error of a module that is valid, but not allowed.
 *
 * @param what What was refused, why, and what to do.
 * @param details The reason, and where.
 * @returns The error.
 */
export function refused(
  what: string,
  details: SandboxError<"module-refused">["details"],
): SandboxError<"module-refused"> {
  return new SandboxError(
    "module-refused",
    `Cannot accept the module: ${what}`,
    { details },
  );
}

/**
 * The error of a list that is too long.
 *
 * @param what The list.
 * @param offset Where it is.
 * @returns The error.
 */
export function tooMany(
  what: List,
  offset: number,
): SandboxError<"module-refused"> {
  return refused(`it has more than ${MAX_COUNTS[what]} ${what}`, {
    reason: `too many ${what}`,
    offset,
  });
}

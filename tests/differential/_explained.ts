/**
 * Differences between engines that are right as they are. All others are
 * mistakes.
 *
 * @module
 */

/** A kind of difference, and why it is right. */
export interface Explanation {
  /** Whether two lines of reports differ in this way alone. */
  readonly fits: (mine: string, theirs: string) => boolean;
  /** Whether what follows cannot be compared any more. */
  readonly isLast: boolean;
  readonly reason: string;
}

const STACK = ": resource stack";

/** The explanations. */
export const EXPLAINED: readonly Explanation[] = Object.freeze([
  {
    fits: (mine: string, theirs: string) =>
      mine.includes(STACK) || theirs.includes(STACK),
    isLast: true,
    reason: "stacks differ in size, and so do the frames on them: how deep a " +
      "guest gets, and what it does until then, differs too",
  },
  {
    fits: (mine: string, theirs: string) =>
      mine.replace(": trap: conversion", ": trap: overflow") === theirs,
    isLast: false,
    reason:
      "V8 has one message for a number that is none and for one that is " +
      "too large for an integer; Wasmtime tells the latter an overflow",
  },
]);

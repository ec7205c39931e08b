/**
 * Differences between engines that are right as they are. All others are
 * mistakes.
 *
 * @module
 */

import type { Difference } from "./differ.ts";

/** A kind of difference, and why it is right. */
export interface Explanation {
  /** Whether a difference is of this kind. */
  readonly fits: (difference: Difference) => boolean;
  readonly reason: string;
}

/**
 * The explanations. That both end with a full stack is no difference to begin
 * with; here is what it means that one of them does not.
 */
export const EXPLAINED: readonly Explanation[] = Object.freeze([{
  fits: ({ lines }: Difference) =>
    lines.some((line) => line.includes(": resource stack")),
  reason: "stacks differ in size, and so do the frames on them: what fills " +
    "the one need not fill the other",
}]);

/**
 * Why a difference is right.
 *
 * @param difference The difference.
 * @returns The reason; undefined, if it is a mistake.
 */
export function reasonOf(difference: Difference): string | undefined {
  return EXPLAINED.find(({ fits }) => fits(difference))?.reason;
}

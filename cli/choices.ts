/**
 * The flags that take one of a few words.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { nearest, quote } from "../_text.ts";
import { FEATURES } from "../runtime/v8/features.ts";
import { SIDE_NAMES } from "./bench/side_names.ts";

/** These flags, and their words. */
export const CHOICES = Object.freeze(
  {
    "--allow-feature": FEATURES,
    "--dialect": ["native", "js"],
    "--form": ["handler", "command"],
    "--from": ["auto", "archive", "pip"],
    "--grant": ["clock", "coarse-clock", "random", "process", "stdio"],
    "--isolation": ["auto", "inline", "process"],
    "--skip": SIDE_NAMES,
  } as const satisfies Readonly<Record<`--${string}`, readonly string[]>>,
);

/** A flag that takes one of a few words. */
export type ChoiceFlag = keyof typeof CHOICES;

/**
 * A word that a flag takes.
 *
 * @typeParam F The flag.
 */
export type Choice<F extends ChoiceFlag> = (typeof CHOICES)[F][number];

/**
 * Makes the parser of a flag's value, as cliffy asks for it.
 *
 * @typeParam F The flag.
 * @param flag The flag.
 * @returns Gives the word, or throws if it is none of them.
 */
export function choiceOf<F extends ChoiceFlag>(
  flag: F,
): (argument: { readonly value: string }) => Choice<F> {
  const words: readonly Choice<F>[] = CHOICES[flag];
  return ({ value }) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    const near = nearest(value, words);
    const help = near === undefined
      ? `known are ${words.join(", ")}`
      : `did you mean "${near}"?`;
    throw new ValidationError(
      `Option "${flag}": ${quote(value)} is not known (${help})`,
    );
  };
}

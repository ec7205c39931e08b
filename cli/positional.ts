/**
 * Types of arguments without a flag. cliffy takes an unknown flag for such an
 * argument as long as one is missing; these do not.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { nearest, printable } from "../_text.ts";

/** Parses one argument, as cliffy asks for it. */
export type PositionalType = (argument: { readonly value: string }) => string;

/** What begins with a hyphen and is no flag: the standard input. */
const STDIN = /^-$/;
/** The same, and negative numbers. */
const STDIN_OR_NUMBER = /^-(?:\.?\d.*|inf(?:inity)?|nan)?$/i;

/**
 * The type of an argument that is a name or a path.
 *
 * @param flags The flags that the command knows, to suggest one.
 * @returns The type.
 */
export function nameType(flags: readonly string[]): PositionalType {
  return argumentType(flags, STDIN);
}

/**
 * The type of an argument that may be a negative number.
 *
 * @param flags The flags that the command knows, to suggest one.
 * @returns The type.
 */
export function inputType(flags: readonly string[]): PositionalType {
  return argumentType(flags, STDIN_OR_NUMBER);
}

function argumentType(
  flags: readonly string[],
  allowed: RegExp,
): PositionalType {
  return ({ value }) => {
    if (!value.startsWith("-") || allowed.test(value)) return value;
    const [flag = value] = value.split("=", 1);
    const suggestion = nearest(flag, flags);
    throw new ValidationError(
      `Unknown option "${flag}".` +
        (suggestion === undefined
          ? ""
          : ` Did you mean option "${suggestion}"?`),
    );
  };
}

/**
 * Refuses arguments after `--`, where there is no guest to take them.
 *
 * @param args The arguments.
 * @throws {ValidationError} If there are any.
 */
export function noArguments(args: readonly string[]): void {
  if (args.length === 0) return;
  throw new ValidationError(
    `Too many arguments: ${
      printable(args.join(" "))
    } (this command passes none on)`,
  );
}

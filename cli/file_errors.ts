/**
 * Files that cannot be read or written, in words.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { quote, reasonOf } from "../_text.ts";

/**
 * The error for a file that cannot be read.
 *
 * @param what What it is for: `the input`.
 * @param path Its path.
 * @param cause What was thrown.
 * @returns The error, which ends with exit code 2.
 */
export function cannotRead(
  what: string,
  path: string,
  cause: unknown,
): ValidationError {
  const why = cause instanceof Deno.errors.NotFound
    ? "it does not exist"
    : problemOf(cause);
  const message = `Cannot read ${what} ${quote(path)}: ${why}`;
  return new ValidationError(message, { cause });
}

/**
 * The error for a file that cannot be made.
 *
 * @param path Its path.
 * @param cause What was thrown.
 * @returns The error, which ends with exit code 2.
 */
export function cannotWrite(path: string, cause: unknown): ValidationError {
  const why = cause instanceof Deno.errors.AlreadyExists
    ? "it is there already (choose another name)"
    : cause instanceof Deno.errors.NotFound
    ? "there is no such directory"
    : problemOf(cause);
  return new ValidationError(`Cannot write ${quote(path)}: ${why}`, { cause });
}

function problemOf(error: unknown): string {
  return error instanceof Deno.errors.IsADirectory
    ? "it is a directory"
    : reasonOf(error);
}

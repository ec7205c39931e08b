/**
 * Says commander's errors in cliffy's words.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- no dependency of the package
import { CommanderError } from "npm:commander@14.0.3";
import { ValidationError } from "./_command_values.ts";

/** How each error of commander reads, and what becomes of it. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [
    /unknown option '(.+)'\n\(Did you mean (?:one of )?(\S+?)[,?]/,
    'Unknown option "$1". Did you mean option "$2"?',
  ],
  [/unknown option '(.+)'/, 'Unknown option "$1".'],
  [
    /unknown command '(.+)'\n\(Did you mean (?:one of )?(\S+?)[,?]/,
    'Unknown command "$1". Did you mean command "$2"?',
  ],
  [/unknown command '(.+)'/, 'Unknown command "$1".'],
  [
    /option '.*?(--?[\w-]+)(?: [^-]*)?' argument missing/,
    'Missing value for option "$1".',
  ],
  [/missing required argument '(.+)'/, "Missing argument(s): $1"],
  [
    /required option '.*?(--?[\w-]+)(?: [^-]*)?' not specified/,
    'Missing required option "$1".',
  ],
  [
    /option '.*?(--?[\w-]+)(?: [^-]*)?' cannot be used with option '.*?(--?[\w-]+)(?: [^-]*)?'/,
    'Option "$1" conflicts with option "$2".',
  ],
];

/**
 * Turns an error of commander into one of cliffy.
 *
 * @param error What was thrown.
 * @returns The error to show; undefined after the help or the version.
 */
export function validationError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) return undefined;
  const text = error.message.replace(/^error: /, "");
  const found = MESSAGES.find(([pattern]) => pattern.test(text));
  const message = found === undefined
    ? text
    : text.match(found[0])?.[0].replace(found[0], found[1]) ?? text;
  return new ValidationError(message, { cause: error });
}

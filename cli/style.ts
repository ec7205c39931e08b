/**
 * Colours of the command line, where somebody sees them.
 *
 * @module
 */

import type { CliHost, CliStream } from "./host.ts";

/** Writes a text so that it looks like something. */
export type Paint = (text: string) => string;

/** What text can look like. */
export interface Style {
  /** Titles. */
  readonly title: Paint;
  /** What one types. */
  readonly code: Paint;
  /** What is beside the point. */
  readonly faint: Paint;
  /** What went well, or is new. */
  readonly good: Paint;
  /** What went wrong, or is gone. */
  readonly bad: Paint;
  /** What to look at. */
  readonly notice: Paint;
}

const plain: Paint = (text) => text;

const PLAIN: Style = Object.freeze({
  title: plain,
  code: plain,
  faint: plain,
  good: plain,
  bad: plain,
  notice: plain,
});

/** Colours that a terminal's owner has chosen; no other is used. */
const COLOURED: Style = Object.freeze({
  title: sgr(1, 22),
  code: sgr(36, 39),
  faint: sgr(2, 22),
  good: sgr(32, 39),
  bad: sgr(31, 39),
  notice: sgr(33, 39),
});

/** Between an escape sequence that begins a look and one that ends it. */
function sgr(begin: number, end: number): Paint {
  return (text) => text === "" ? "" : `\x1b[${begin}m${text}\x1b[${end}m`;
}

/**
 * How text looks on an output: coloured on a terminal, unless the user set
 * `NO_COLOR`, and plain everywhere else.
 *
 * @param host Whose output.
 * @param stream Which one.
 * @returns The looks.
 */
export function styleOf(
  host: Pick<CliHost, "isTerminal" | "noColor">,
  stream: CliStream = "stdout",
): Style {
  return host.isTerminal(stream) && !host.noColor ? COLOURED : PLAIN;
}

/**
 * The room for a line of the standard output.
 *
 * @param host Whose output.
 * @returns Columns; undefined where it is no terminal, and lines may be long.
 */
export function roomOf(
  host: Pick<CliHost, "isTerminal" | "columns">,
): number | undefined {
  return host.isTerminal() ? host.columns() : undefined;
}

/**
 * How the demo writes what came of a case: as rows of one table.
 *
 * @module
 */

import { SandboxError } from "../mod.ts";

/** Columns of a row, and how wide each is. */
const WIDTHS: Readonly<Record<"mark" | "tries" | "outcome" | "ms", number>> = {
  mark: 4,
  tries: 51,
  outcome: 55,
  ms: 8,
};

/** A row of the table. */
export interface Row {
  /** Whether the outcome was the expected one. */
  readonly ok: boolean;
  /** What was tried. */
  readonly tries: string;
  /** What came of it. */
  readonly outcome: string;
  /** After how many milliseconds. */
  readonly ms: number;
  /** Whether another sandbox still answers. */
  readonly hostStands: boolean;
}

const RED = 31;
const GREEN = 32;
const BOLD = 1;

/**
 * Writes the heading of a part.
 *
 * @param name Name of the part.
 * @param about What it shows.
 * @returns The text, of two lines.
 */
export function heading(name: string, about: string): string {
  const columns = [
    "".padEnd(WIDTHS.mark),
    "what is tried".padEnd(WIDTHS.tries),
    "outcome".padEnd(WIDTHS.outcome),
    "ms".padStart(WIDTHS.ms),
    "  host",
  ];
  return `\n${paint(name.toUpperCase(), BOLD)}: ${about}\n${columns.join("")}`;
}

/**
 * Writes one row.
 *
 * @param row What came of a case.
 * @returns The text, of one line.
 */
export function line({ ok, tries, outcome, ms, hostStands }: Row): string {
  const mark = (ok ? "ok" : "BAD").padEnd(WIDTHS.mark);
  return [
    paint(mark, ok ? GREEN : RED),
    tries.padEnd(WIDTHS.tries),
    outcome.padEnd(WIDTHS.outcome),
    ms.toFixed(1).padStart(WIDTHS.ms),
    hostStands ? "  stands" : paint("  GONE", RED),
  ].join("");
}

/**
 * Writes what a guest returned.
 *
 * @param value A number, numbers, JSON or bytes.
 * @returns The text.
 */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${value.toHex()}`;
  if (typeof value === "bigint") return `${value}n`;
  return JSON.stringify(value) ?? String(value);
}

/**
 * Writes an error as its code, and what was reached or refused.
 *
 * @param error What was thrown.
 * @returns The text.
 */
export function verdict(error: unknown): string {
  if (!SandboxError.is(error)) return `no SandboxError: ${String(error)}`;
  // a guest's names stand in messages, and must not forge a line there
  if (/\p{Cc}/u.test(error.message)) return "a message of several lines";
  const subject = subjectOf(error);
  return subject === undefined ? error.code : `${error.code}: ${subject}`;
}

function subjectOf(error: SandboxError): string | undefined {
  if (SandboxError.is(error, "limit-exceeded")) return error.details.limit;
  if (SandboxError.is(error, "module-refused")) return error.details.reason;
  if (SandboxError.is(error, "import-not-granted")) {
    const { length } = error.details.missing;
    return length === 1 ? "1 import" : `${length} imports`;
  }
  if (SandboxError.is(error, "host-function-failed")) {
    const { module, name } = error.details.import;
    return `${module}.${name}`;
  }
  return undefined;
}

/** Colours only what a terminal shows, and only if nobody minds. */
function paint(text: string, colour: number): string {
  return Deno.stdout.isTerminal() && !Deno.noColor
    ? `\x1b[${colour}m${text}\x1b[0m`
    : text;
}

/** What `bench` prints. */

import { printable, quote } from "../../_text.ts";
import { formatCount } from "../../security/units.ts";
import type { Style } from "../style.ts";
import { type Cell, table } from "../table.ts";
import { shorten, wrap } from "../text_width.ts";
import type { Ratio, Summary } from "./measure.ts";
import type { SideName } from "./side_names.ts";
import { SIDE_TITLES } from "./sides.ts";

/** What one side took. */
export interface SideFigures {
  /** Which side. */
  readonly name: SideName;
  /** How many calls make up a sample. */
  readonly calls: number;
  /** Milliseconds of a call. */
  readonly call: Summary;
  /** How many times as long as the first side a call takes. */
  readonly ratio: Ratio;
  /** Milliseconds from the module's bytes to the first result. */
  readonly first: Summary;
}

/** What was found. */
export interface BenchFigures {
  /** What it gave, as JSON. */
  readonly result: string;
  /** How often each side was measured. */
  readonly rounds: number;
  /** The sides, the one that others are compared with first. */
  readonly sides: readonly SideFigures[];
  /** Sides that are not there, and why. */
  readonly skipped: readonly {
    readonly name: SideName;
    readonly reason: string;
  }[];
  /** Sides whose result was another. */
  readonly disagreeing: readonly SideName[];
}

/** What was found of an export. */
export interface ExportFigures extends BenchFigures {
  /** Path or URL of the module, as given. */
  readonly module: string;
  /** The export. */
  readonly export: string;
}

/** Longest result that is shown, in columns. */
const MAX_RESULT = 60;

/**
 * Writes figures for people.
 *
 * @param figures What was found.
 * @param style How it looks.
 * @param width Columns of the terminal, if there is one.
 * @returns Lines.
 */
export function benchText(
  figures: ExportFigures,
  style: Style,
  width: number | undefined,
): string {
  const { sides, rounds, skipped, disagreeing } = figures;
  const [base] = sides;
  const rows: Cell[][] = sides.map((side) => [
    SIDE_TITLES[side.name],
    timeText(side.call.median),
    `${timeText(side.call.low)} – ${timeText(side.call.high)}`,
    side === base ? "1" : { text: times(side.ratio.median), paint: style.code },
    timeText(side.first.median),
  ]);
  const head = ["", "a call", "half within", "ratio", "first result"];
  const result = shorten(printable(figures.result), MAX_RESULT);
  const notes = [
    `Medians of ${rounds} rounds, in which the sides take turns; a ratio is ` +
    "the median of those of each round.",
    ...skipped.map(({ name, reason }) =>
      `Left out: ${SIDE_TITLES[name]}: ${printable(reason)}`
    ),
    ...disagreeing.map((name) => `${SIDE_TITLES[name]} gave another result.`),
  ];
  return [
    style.title(`${quote(figures.export)} of ${printable(figures.module)}`),
    `result: ${result}`,
    "",
    ...table(rows, { width, head, right: [1, 2, 3, 4] }),
    "",
    ...notes.flatMap((note) => wrap(note, width ?? Infinity)).map(style.faint),
  ].map((line) => `${line}\n`).join("");
}

function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(2) : formatCount(Math.round(ratio));
}

/** A time in the unit that suits it, with three digits. */
function timeText(ms: number): string {
  if (ms < 1e-3) return `${(ms * 1e6).toPrecision(3)} ns`;
  if (ms < 1) return `${digits(ms * 1e3)} µs`;
  return ms < 1e3 ? `${digits(ms)} ms` : `${digits(ms / 1e3)} s`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/**
 * Tables that fit their terminal.
 *
 * @module
 */

import type { Paint } from "./style.ts";
import { pad, textWidth, wrap } from "./text_width.ts";

/** A cell: its text, and what that looks like. */
export type Cell = string | { readonly text: string; readonly paint: Paint };

/** Options of {@linkcode table}. */
export interface TableOptions {
  /**
   * Columns of the terminal; where there is none, no cell is broken.
   *
   * @default {Infinity}
   */
  width?: number | undefined;
  /**
   * Spaces before each line.
   *
   * @default {0}
   */
  indent?: number;
  /** Titles of the columns, over a rule. */
  head?: readonly string[];
  /**
   * Columns that are set to the right, as numbers are.
   *
   * @default {[]}
   */
  right?: readonly number[];
}

/** Spaces between columns. */
const GAP = 2;
/** No column is made narrower, unless it was. */
const MIN_WIDTH = 8;

/**
 * Lays rows out in columns. Where they are too wide, the widest column breaks
 * its texts.
 *
 * @param rows The cells; printable text.
 * @param options The room that there is.
 * @returns Lines.
 */
export function table(
  rows: readonly (readonly Cell[])[],
  { width = Infinity, indent = 0, head, right = [] }: TableOptions = {},
): readonly string[] {
  const all = head === undefined ? rows : [head, ...rows];
  const widths = fitted(naturalWidths(all), width - indent);
  const margin = " ".repeat(indent);
  const lines = all.map((cells) =>
    rowLines(cells, widths, right).map((line) => margin + line)
  );
  if (head !== undefined) {
    const total = widths.reduce((sum, each) => sum + each + GAP, -GAP);
    lines.splice(1, 0, [margin + "─".repeat(Math.max(0, total))]);
  }
  return lines.flat();
}

function naturalWidths(rows: readonly (readonly Cell[])[]): number[] {
  const widths: number[] = [];
  for (const cells of rows) {
    for (const [column, cell] of cells.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, textWidth(textOf(cell)));
    }
  }
  return widths;
}

/** Takes room from the widest column until all of them fit. */
function fitted(widths: number[], room: number): readonly number[] {
  let excess = widths.reduce((sum, each) => sum + each + GAP, -GAP) - room;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= MIN_WIDTH) break;
    const [, second = 0] = widths.toSorted((a, b) => b - a);
    const cut = Math.min(
      excess,
      Math.max(1, width - Math.max(second, MIN_WIDTH)),
    );
    widths[widest] = width - cut;
    excess -= cut;
  }
  return widths;
}

function rowLines(
  cells: readonly Cell[],
  widths: readonly number[],
  right: readonly number[],
): readonly string[] {
  const texts = cells.map((cell, column) =>
    wrap(textOf(cell), widths[column] ?? Infinity)
  );
  const height = Math.max(1, ...texts.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => {
    const last = texts.findLastIndex((each) => (each[line] ?? "") !== "");
    return cells.slice(0, last + 1).map((cell, column) => {
      const text = texts[column]?.[line] ?? "";
      const isLast = column === last && !right.includes(column);
      const side = right.includes(column) ? "left" : "right";
      const padded = isLast ? text : pad(text, widths[column] ?? 0, side);
      return typeof cell === "string" ? padded : cell.paint(padded);
    }).join(" ".repeat(GAP));
  });
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

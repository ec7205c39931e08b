/** What was generated, in words and as data. */

import { printable } from "../../_text.ts";
import { shellQuote } from "../../security/policy_file/explain.ts";
import { formatSize } from "../../security/units.ts";
import type { ProjectChange } from "../../templates/mod.ts";
import type { Paint, Style } from "../style.ts";
import { type Cell, table } from "../table.ts";

/** What became of a project, or would. */
export interface Outcome {
  /** Name of the template. */
  readonly template: string;
  /** The project's folder. */
  readonly directory: string;
  /** What became of each file. */
  readonly changes: readonly ProjectChange[];
  /** What to do next. */
  readonly next: readonly string[];
  /** Whether nothing was written. */
  readonly isDry: boolean;
}

/**
 * An outcome as plain data. The texts are there if nothing was written: nobody
 * could read them otherwise.
 *
 * @param outcome What was generated.
 * @returns An object whose keys are always the same.
 */
export function outcomeJson(
  { template, directory, changes, next, isDry }: Outcome,
): unknown {
  return {
    template,
    directory,
    written: !isDry,
    files: changes.map(({ path, kind, text }) => ({
      path,
      kind,
      ...(isDry ? { text } : {}),
    })),
    next,
  };
}

/**
 * An outcome in words.
 *
 * @param outcome What was generated.
 * @param style How it looks.
 * @returns Lines.
 */
export function outcomeText(
  { template, directory, changes, next, isDry }: Outcome,
  style: Style,
): string {
  const written = changes.filter(({ kind }) => kind !== "same");
  const verb = isDry ? "would write" : "wrote";
  const count = written.length === 1 ? "1 file" : `${written.length} files`;
  const place = printable(directory);
  const title = `${verb} ${count} of ${template} to ${place}`;
  const rows = changes.map((change) => rowOf(change, style));
  const steps = isDry ? [] : stepsOf(directory, next);
  return [
    `${style.title(title)}`,
    ...table(rows, { indent: 2, right: [2] }),
    ...(steps.length === 0 ? [] : ["", style.title("next:")]),
    ...steps.map((step) => `  ${style.code(printable(step))}`),
  ].map((line) => `${line}\n`).join("");
}

function rowOf(
  { path, kind, text }: ProjectChange,
  style: Style,
): readonly Cell[] {
  const paints: Readonly<Record<ProjectChange["kind"], Paint>> = {
    new: style.good,
    changed: style.notice,
    same: style.faint,
  };
  const bytes = new TextEncoder().encode(text).length;
  return [{ text: kind, paint: paints[kind] }, path, formatSize(bytes)];
}

function stepsOf(directory: string, next: readonly string[]): string[] {
  const isHere = /^\.?\/*$/.test(directory);
  // what begins with a hyphen would be an option
  const place = directory.startsWith("-") ? `./${directory}` : directory;
  return [...(isHere ? [] : [`cd ${shellQuote(place)}`]), ...next];
}

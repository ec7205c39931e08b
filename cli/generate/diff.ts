/** What writing a project would change, as a unified diff. */

import { printable } from "../../_text.ts";
import type { ProjectChange } from "../../templates/mod.ts";
import type { Paint, Style } from "../style.ts";

/** Lines around a change. */
const CONTEXT = 3;
/** Lines that may differ; of more, the time to find out which grows fast. */
const MAX_EDITS = 4_000;

/**
 * Writes changes as `diff -u` does, with control characters escaped.
 *
 * @param changes What would become of each file.
 * @param style How lines look.
 * @returns Text; empty, if nothing would change.
 */
export async function diffText(
  changes: readonly ProjectChange[],
  style: Style,
): Promise<string> {
  const lines: string[] = [];
  for (const change of changes) {
    if (change.kind !== "same") lines.push(...await linesOf(change, style));
  }
  return lines.map((line) => `${line}\n`).join("");
}

async function linesOf(
  { path, kind, text, before }: ProjectChange,
  style: Style,
): Promise<readonly string[]> {
  if (kind === "changed" && before === undefined) {
    return [`Files a/${path} and b/${path} differ, in what cannot be shown`];
  }
  const { structuredPatch } = await import("diff");
  const options = { context: CONTEXT, maxEditLength: MAX_EDITS };
  const patch = structuredPatch("", "", before ?? "", text, "", "", options);
  const old = kind === "new" ? "/dev/null" : `a/${path}`;
  const title = [style.title(`--- ${old}`), style.title(`+++ b/${path}`)];
  if (patch === undefined) {
    return [...title, `Over ${MAX_EDITS} lines differ; all are replaced`];
  }
  return [
    ...title,
    ...patch.hunks.flatMap((
      { oldStart, oldLines, newStart, newLines, lines },
    ) => [
      style.code(
        `@@ -${rangeText(oldStart, oldLines)} +${
          rangeText(newStart, newLines)
        } @@`,
      ),
      ...lines.map((line) => lineText(line, style)),
    ]),
  ];
}

/** Of no lines, the one before is named. */
function rangeText(start: number, count: number): string {
  const from = count === 0 ? Math.max(0, start - 1) : start;
  return count === 1 ? String(from) : `${from},${count}`;
}

function lineText(line: string, style: Style): string {
  const paints: Readonly<Record<string, Paint>> = {
    "+": style.good,
    "-": style.bad,
  };
  const mark = line.charAt(0);
  const text = mark + line.slice(1).split("\t").map(printable).join("\t");
  return paints[mark]?.(text) ?? text;
}

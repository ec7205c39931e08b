/**
 * Writes docs/performance.md anew, out of what `deno task bench` has found. The
 * task `docs:performance` does both.
 *
 * @module
 */

import type { PerformanceFigures } from "./_figures.ts";
import { performancePage } from "./_performance.ts";

/** The page that is written. */
export const PAGE: URL = new URL("../../docs/performance.md", import.meta.url);

const FIGURES = new URL("../../bench/performance.json", import.meta.url);

/** The figures that are committed. */
export async function readFigures(): Promise<PerformanceFigures> {
  return JSON.parse(await Deno.readTextFile(FIGURES));
}

if (import.meta.main) {
  await Deno.writeTextFile(PAGE, performancePage(await readFigures()));
}

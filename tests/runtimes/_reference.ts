/**
 * Writes the generated parts of docs/runtimes.md: what each runtime offers, out
 * of the code, and what it costs, out of the figures of a benchmark.
 *
 * @module
 */

import { OWN_LIMITS } from "../../_check_options.ts";
import { FEATURES } from "../../runtime/v8/features.ts";
import type { RuntimeFeatures } from "../../runtime/types.ts";
import {
  PINNED_VERSIONS,
  WASMTIME_VERSION,
} from "../../runtime/wasmtime/checksums.ts";
import { KNOWN_VERSIONS } from "../../runtime/wasmtime/engine.ts";
import { LIMIT_NAMES, type LimitName } from "../../security/limits.ts";
import { type Place, SOME_NUMBER } from "./_places.ts";

/** The names of the generated parts, as their markers have them. */
export type PartName = "versions" | "features" | "costs";

/**
 * The page with a part written anew.
 *
 * @param page The page.
 * @param name Which part.
 * @param text What is to stand there.
 * @returns The page with it.
 * @throws {Error} If the page has no such part.
 */
export function withPart(page: string, name: PartName, text: string): string {
  const { start, end } = partOf(page, name);
  return `${page.slice(0, start)}\n\n${text}\n\n${page.slice(end)}`;
}

/**
 * What stands in a part of the page.
 *
 * @param page The page.
 * @param name Which part.
 * @returns Its text, without the space around it.
 * @throws {Error} If the page has no such part.
 */
export function readPart(page: string, name: PartName): string {
  const { start, end } = partOf(page, name);
  return page.slice(start, end).trim();
}

function partOf(page: string, name: PartName): { start: number; end: number } {
  const [from, to] = [`<!-- ${name}: generated -->`, `<!-- ${name}: end -->`];
  const start = page.indexOf(from) + from.length;
  const end = page.indexOf(to, start);
  if (start < from.length || end < 0) {
    throw new Error(`Cannot write the page: it has no "${from}" and "${to}"`);
  }
  return { start, end };
}

/** Which versions of Wasmtime can be used, and which be installed. */
export function versionsPart(): string {
  const others = Object.keys(PINNED_VERSIONS)
    .filter((version) => version !== WASMTIME_VERSION);
  const more = others.length === 0 ? "" : ` (or ${others.join(", ")}, by name)`;
  return `Usable are Wasmtime ${
    KNOWN_VERSIONS.join(", ")
  }; ${WASMTIME_VERSION} is what is installed${more}. A library of another ` +
    "version is refused: its structures may be laid out differently.";
}

/** What every runtime offers, and what it does not protect from. */
export function featuresPart(places: readonly Place[]): string {
  const all = places.map(({ features }) => features);
  const head = places.map(({ runtime, isolation }) =>
    `\`${runtime}\`, ${isolation}`
  );
  return [
    aligned([
      ["", ...head],
      ...ABILITIES.map(([title, has]) => [
        title,
        ...all.map((features) => yesOrNo(has(features))),
      ]),
      ...FEATURES.map((name) => [
        `proposal \`${name}\``,
        ...all.map(({ wasm }) => yesOrNo(wasm.includes(name))),
      ]),
      ...[...LIMIT_NAMES, "stack" as const].map((name) => [
        name === "stack" ? name : `\`${name}\``,
        ...all.map((features) => enforcedBy(features, name)),
      ]),
    ]),
    "What is not protected:",
    places.flatMap(({ unprotected }, index) => [
      `- ${head[index]}`,
      ...unprotected.map((sentence) => `  - ${sentence}`),
    ]).join("\n"),
  ].join("\n\n");
}

const ABILITIES:
  readonly (readonly [string, (features: RuntimeFeatures) => boolean])[] = [
    ["`call`, and functions of the host", ({ calls }) => calls],
    ["`callSync`", ({ sync }) => sync],
    ["functions of the host that give promises", (each) => each.async],
    ["modules linked with each other", ({ linked }) => linked],
    ["WASIX", ({ wasix }) => wasix],
  ];

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}

function enforcedBy(
  { limits }: RuntimeFeatures,
  name: LimitName | "stack",
): string {
  const known = { ...limits, ...OWN_LIMITS };
  const { level, by } = known[name] ?? { level: "none", by: "" };
  if (level === "none") return name === "stack" ? "–" : "refused";
  const sentence = by.replaceAll(String(SOME_NUMBER), "…");
  return level === "soft" ? `softly: ${sentence}` : sentence;
}

/** A table as a formatter writes it, the first row at its head. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const lines = rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0))
  );
  const rule = widths.map((width) => "-".repeat(width));
  return [...lines.slice(0, 1), rule, ...lines.slice(1)]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * What `backends` prints.
 *
 * @module
 */

import { printable } from "../_text.ts";
import type { EnforcementLevel, RuntimeFeatures } from "../runtime/types.ts";
import type { FoundLibrary } from "../runtime/wasmtime/find.ts";
import type { Style } from "./style.ts";
import { type Cell, table } from "./table.ts";
import { pad } from "./text_width.ts";

/** An engine, whether or not it can be used. */
export interface Backend {
  /** Its registered name. */
  readonly name: string;
  /** Whether it can be used here. */
  readonly available: boolean;
  /** Its version, if it is known. */
  readonly version: string | null;
  /** Where its library was found, if it has one. */
  readonly library: FoundLibrary | null;
  /** What it offers. */
  readonly features: RuntimeFeatures | null;
  /** Why it cannot be used, and how to get it. */
  readonly error:
    | { readonly reason: string; readonly suggestion: string }
    | null;
}

/** How a library was found, in words. */
const FOUND_BY: Readonly<Record<FoundLibrary["foundBy"], string>> = Object
  .freeze({
    option: "as given",
    environment: "by the environment",
    cache: "in the cache",
    system: "where the system has libraries",
  });

/** A label, and what it is of. */
type Row = readonly [string, Cell];

/**
 * Writes engines for people.
 *
 * @param backends The engines.
 * @param style How they look.
 * @param width Columns of the terminal, if there is one.
 * @returns Lines.
 */
export function backendsText(
  backends: readonly Backend[],
  style: Style,
  width: number | undefined,
): string {
  const all = backends.map((backend) => rowsOf(backend, style));
  const label = Math.max(0, ...all.flat().map(([name]) => name.length));
  return all.map(([title, ...rest]) => {
    const rows: Cell[][] = rest.map(([name, text]) => [pad(name, label), text]);
    if (title !== undefined) {
      const [name, state] = title;
      rows.unshift([{ text: pad(name, label), paint: style.title }, state]);
    }
    return table(rows, { width }).map((line) => `${line}\n`).join("");
  }).join("\n");
}

function rowsOf(backend: Backend, style: Style): readonly Row[] {
  const { name, available, version, library, features, error } = backend;
  const state: Cell = available
    ? { text: "available", paint: style.good }
    : { text: "not available", paint: style.bad };
  return [
    [name, state],
    ...(version === null ? [] : [["version", printable(version)] as const]),
    ...(library === null ? [] : [
      [
        "library",
        printable(`${library.path} (${FOUND_BY[library.foundBy]})`),
      ] as const,
    ]),
    ...(features === null ? [] : featureRows(features)),
    ...(error === null ? [] : [["because", printable(error.reason)] as const]),
    ...(error === null || error.suggestion === ""
      ? []
      : [["to get it", printable(error.suggestion)] as const]),
  ];
}

function featureRows(features: RuntimeFeatures): readonly Row[] {
  const { wasm, isolations, limits } = features;
  const abilities = (["calls", "sync", "async", "linked", "wasix"] as const)
    .filter((name) => features[name]);
  const held = (wanted: EnforcementLevel) =>
    Object.entries(limits).filter(([, { level }]) => level === wanted)
      .map(([name]) => name).toSorted();
  const soft = held("soft");
  return [
    ["isolations", isolations.join(", ")],
    ["offers", abilities.join(", ") || "WASI commands"],
    ["features", wasm.toSorted().join(", ")],
    ["limits", held("hard").join(", ") || "none"],
    ...(soft.length === 0 ? [] : [["soft limits", soft.join(", ")] as const]),
  ];
}

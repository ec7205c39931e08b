/**
 * What `backends` prints.
 *
 * @module
 */

import { printable } from "../_text.ts";
import type { EnforcementLevel, RuntimeFeatures } from "../runtime/types.ts";
import type { FoundLibrary } from "../runtime/wasmtime/find.ts";

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

/** What is narrow enough for any terminal. */
const WIDTH = 80;
const LABEL = 12;

/** How a library was found, in words. */
const FOUND_BY: Readonly<Record<FoundLibrary["foundBy"], string>> = Object
  .freeze({
    option: "as given",
    environment: "by the environment",
    cache: "in the cache",
    system: "where the system has libraries",
  });

/**
 * Writes engines for people.
 *
 * @param backends The engines.
 * @returns Lines of at most 80 characters, as far as words let it.
 */
export function backendsText(backends: readonly Backend[]): string {
  return backends.map((backend) => `${linesOf(backend).join("\n")}\n`)
    .join("\n");
}

function linesOf(backend: Backend): string[] {
  const { name, available, version, library, features, error } = backend;
  return [
    ...row(name, available ? "available" : "not available"),
    ...(version === null ? [] : row("version", version)),
    ...(library === null
      ? []
      : row("library", `${library.path} (${FOUND_BY[library.foundBy]})`)),
    ...(features === null ? [] : featureLines(features)),
    ...(error === null ? [] : row("because", error.reason)),
    ...(error === null || error.suggestion === ""
      ? []
      : row("to get it", error.suggestion)),
  ];
}

function featureLines(features: RuntimeFeatures): string[] {
  const { wasm, isolations, limits } = features;
  const abilities = (["calls", "sync", "async", "linked", "wasix"] as const)
    .filter((name) => features[name]);
  const held = (wanted: EnforcementLevel) =>
    Object.entries(limits).filter(([, { level }]) => level === wanted)
      .map(([name]) => name).toSorted();
  const soft = held("soft");
  return [
    ...row("isolations", isolations.join(", ")),
    ...row("offers", abilities.join(", ") || "WASI commands"),
    ...row("features", wasm.toSorted().join(", ")),
    ...row("limits", held("hard").join(", ") || "none"),
    ...(soft.length === 0 ? [] : row("soft limits", soft.join(", "))),
  ];
}

/** A label, and text that goes on beneath itself. */
function row(label: string, text: string): string[] {
  const lines: string[] = [];
  let line = label.padEnd(LABEL);
  // what is quoted as a command stays on one line, to be copied
  for (const word of printable(text).match(/(?:`[^`]*`|[^ ])+/g) ?? []) {
    const isFirst = line.length === LABEL;
    if (!isFirst && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(LABEL) + word;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line];
}

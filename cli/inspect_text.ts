/**
 * What `inspect` prints.
 *
 * @module
 */

import { printable, quote } from "../_text.ts";
import type {
  GuestAbi,
  MemorySize,
  ModuleExport,
  ModuleImport,
} from "../runtime/types.ts";
import { PAGE_BYTES } from "../runtime/v8/link.ts";
import type { Description, Examination } from "./examine.ts";
import { abiOf, signatureText } from "./exports.ts";
import { canAllow } from "./limits.ts";
import { errorJson, hintOf, isWasi } from "./report.ts";
import { formatCount, formatSize } from "../security/units.ts";

/** What was inspected, and how its exports would be called. */
export interface Inspection extends Examination {
  /** Path or URL, as given. */
  readonly source: string;
  /** Names of the guest's memory functions. */
  readonly abi: GuestAbi;
}

/**
 * Writes an inspection as plain data.
 *
 * @param inspection What was learnt.
 * @returns An object whose keys are always the same.
 */
export function inspectionJson(inspection: Inspection): unknown {
  const { source, byteLength, failure, module, missingFeatures } = inspection;
  return {
    source,
    byteLength,
    accepted: failure === undefined,
    error: failure === undefined ? null : errorJson(failure),
    missingFeatures: missingFeatures.map((name) => ({
      name,
      canBeAllowed: canAllow(name),
    })),
    module: module === undefined ? null : {
      complete: module.complete,
      features: module.features,
      hasStart: module.hasStart,
      memories: module.memories.map(memoryJson),
      imports: module.imports.map((each) => ({
        ...each,
        canBeGranted: canGrant(each),
      })),
      exports: module.exports.map((each) => ({
        ...each,
        ...abiField(inspection, each),
      })),
    },
  };
}

function memoryJson({ minPages, maxPages }: MemorySize): unknown {
  return {
    minPages,
    maxPages: maxPages ?? null,
    minBytes: minPages * PAGE_BYTES,
    maxBytes: maxPages === undefined ? null : maxPages * PAGE_BYTES,
  };
}

function abiField(
  { module, abi }: Inspection,
  { signature }: ModuleExport,
): { readonly abi?: string } {
  if (module === undefined || signature === undefined) return {};
  return { abi: abiOf(module.exports, signature, abi) };
}

/**
 * Writes an inspection for people.
 *
 * @param inspection What was learnt.
 * @returns Lines.
 */
export function inspectionText(inspection: Inspection): string {
  const { source, byteLength, module } = inspection;
  const lines = [
    row("module", quote(source)),
    row("size", `${formatSize(byteLength)} (${formatCount(byteLength)} bytes)`),
    ...verdictLines(inspection),
    ...(module === undefined
      ? ["", "nothing of it could be read"]
      : moduleLines(inspection, module)),
  ];
  return `${lines.join("\n")}\n`;
}

function row(label: string, value: string): string {
  return `${label.padEnd(10)}${value}`;
}

function verdictLines({ failure, missingFeatures }: Inspection): string[] {
  const lines: string[] = [];
  if (failure === undefined) lines.push(row("verdict", "accepted"));
  else {
    lines.push(row("verdict", "refused"));
    lines.push(row("because", printable(failure.message)));
    const hint = hintOf(failure);
    if (hint !== undefined) lines.push(row("hint", hint));
  }
  if (missingFeatures.length > 0) {
    const names = missingFeatures.map((name) =>
      canAllow(name) ? `--allow-feature ${name}` : `${name} (cannot be allowed)`
    );
    lines.push(row("needs", names.join(", ")));
  }
  return lines;
}

function moduleLines(
  inspection: Inspection,
  { features, complete, hasStart, memories, imports, exports }: Description,
): string[] {
  const scope = complete ? "" : " (of the declarations; the code is not known)";
  return [
    row("features", `${features.join(", ") || "none"}${scope}`),
    row("start", hasStart ? "a start function" : "no start function"),
    ...memories.map((memory) => row("memory", memoryText(memory))),
    "",
    importTitle(imports),
    ...table(imports.map((each) => [
      each.kind,
      `${quote(each.module)}.${quote(each.name)}`,
      each.signature === undefined ? "" : signatureText(each.signature),
      canGrant(each) ? "" : "cannot be granted",
    ])),
    "",
    `exports: ${exports.length || "none"}`,
    ...table(exports.map((each) => [
      each.kind,
      quote(each.name),
      each.signature === undefined ? "" : signatureText(each.signature),
      abiField(inspection, each).abi ?? "",
    ])),
  ];
}

/** Whether a host could grant an import: functions of numbers, and constants. */
function canGrant({ kind, signature }: ModuleImport): boolean {
  if (signature === undefined) return kind === "global";
  return ![...signature.params, ...signature.results].includes("other");
}

function importTitle(imports: Description["imports"]): string {
  if (imports.length === 0) return "imports: none";
  const note = imports.some(isWasi)
    ? "of a WASI program, which run grants by its flags"
    : "which a host program must grant";
  return `imports: ${imports.length}, ${note}`;
}

function memoryText({ minPages, maxPages }: MemorySize): string {
  const max = maxPages === undefined
    ? "no maximum"
    : `at most ${formatSize(maxPages * PAGE_BYTES)}`;
  return `${formatSize(minPages * PAGE_BYTES)}, ${max}`;
}

/** Aligns columns, which two spaces part. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const cells of rows) {
    cells.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  return rows.map((cells) =>
    `  ${
      cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")
    }`
      .trimEnd()
  );
}

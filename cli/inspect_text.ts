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
import type { Style } from "./style.ts";
import { type Cell, table } from "./table.ts";
import { pad } from "./text_width.ts";
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

/** How an inspection is printed. */
export interface InspectionLook {
  /** How text looks. */
  readonly style: Style;
  /** Columns of the terminal, if there is one. */
  readonly width: number | undefined;
}

/**
 * Writes an inspection for people.
 *
 * @param inspection What was learnt.
 * @param look How it looks.
 * @returns Lines.
 */
export function inspectionText(
  inspection: Inspection,
  { style, width }: InspectionLook,
): string {
  const { source, byteLength, module } = inspection;
  const size = `${formatSize(byteLength)} (${formatCount(byteLength)} bytes)`;
  const rows: readonly Row[] = [
    ["module", quote(source)],
    ["size", size],
    ...verdictRows(inspection, style),
    ...(module === undefined ? [] : moduleRows(module)),
  ];
  const labelled = rows.map(([label, value]) => [pad(label, LABEL), value]);
  const head = table(labelled, { width });
  const rest = module === undefined
    ? ["", "nothing of it could be read"]
    : linkLines(inspection, module, { style, width });
  return [...head, ...rest].map((line) => `${line}\n`).join("");
}

/** A label, and what it is of. */
type Row = readonly [string, Cell];

/** The longest label, whether or not it is there: `features`. */
const LABEL = 8;

function verdictRows(
  { failure, missingFeatures }: Inspection,
  style: Style,
): readonly Row[] {
  const rows: Row[] = [];
  if (failure === undefined) {
    rows.push(["verdict", { text: "accepted", paint: style.good }]);
  } else {
    rows.push(["verdict", { text: "refused", paint: style.bad }]);
    rows.push(["because", printable(failure.message)]);
    const hint = hintOf(failure);
    if (hint !== undefined) rows.push(["hint", hint]);
  }
  if (missingFeatures.length > 0) {
    const names = missingFeatures.map((name) =>
      canAllow(name) ? `--allow-feature ${name}` : `${name} (cannot be allowed)`
    );
    rows.push(["needs", names.join(", ")]);
  }
  return rows;
}

function moduleRows(
  { features, complete, hasStart, memories }: Description,
): readonly Row[] {
  const scope = complete ? "" : " (of the declarations; the code is not known)";
  return [
    ["features", `${features.join(", ") || "none"}${scope}`],
    ["start", hasStart ? "a start function" : "no start function"],
    ...memories.map((memory): Row => ["memory", memoryText(memory)]),
  ];
}

/** What it imports and exports. */
function linkLines(
  inspection: Inspection,
  { imports, exports }: Description,
  { style, width }: InspectionLook,
): readonly string[] {
  const options = { width, indent: 2 };
  const ungranted = { text: "cannot be granted", paint: style.notice };
  return [
    "",
    style.title(importTitle(imports)),
    ...table(
      imports.map((each) => [
        each.kind,
        `${quote(each.module)}.${quote(each.name)}`,
        each.signature === undefined ? "" : signatureText(each.signature),
        canGrant(each) ? "" : ungranted,
      ]),
      options,
    ),
    "",
    style.title(`exports: ${exports.length || "none"}`),
    ...table(
      exports.map((each) => [
        each.kind,
        { text: quote(each.name), paint: style.code },
        each.signature === undefined ? "" : signatureText(each.signature),
        abiField(inspection, each).abi ?? "",
      ]),
      options,
    ),
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

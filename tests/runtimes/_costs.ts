/**
 * Writes what each runtime costs out of the figures of `deno task bench`.
 *
 * @module
 */

import type { Machine, RuntimeFigures } from "../../bench/runtimes.ts";
import { pairName } from "../../bench/runtimes_kernels.ts";
import { type Findings, SIDES } from "../../bench/runtimes_sides.ts";
import { aligned } from "./_reference.ts";

/** A column: what it is called, and what it is called in figures. */
interface Column {
  readonly title: string;
  /** Its name among the sides, for work in the calling thread. */
  readonly side?: string;
  /** Its name as a runtime, for commands. */
  readonly runtime?: string;
}

const COLUMNS: readonly Column[] = [
  { title: "`v8`", side: SIDES.v8, runtime: "v8" },
  { title: "`wasmtime`", side: SIDES.wasmtime, runtime: "wasmtime" },
  { title: "`wasmer`", runtime: "wasmer" },
  { title: "V8, bare", side: SIDES.raw },
  { title: "Wasmtime from Python", side: SIDES.peer },
];

/** What each runtime costs. */
export function costsPart(figures: RuntimeFigures): string {
  const { kernels, calls, cold, commands } = figures;
  return [
    introduction(figures.machine),
    aligned([
      ["", ...COLUMNS.map(({ title }) => title)],
      [
        `${kernels.rows.length} programs that compute, × bare V8`,
        ...COLUMNS.map(({ side }) =>
          side === SIDES.raw
            ? "1"
            : kernels.means[pairName(side ?? "", SIDES.raw)]?.toFixed(2) ?? NONE
        ),
      ],
      sideRow("`callSync` of two numbers, ns", calls.call, 1e6),
      sideRow("`call` of two numbers, awaited, ns", calls.call, 1e6, AWAITED),
      sideRow("a function of the host, ns", calls.hostCall, 1e6),
      sideRow("an instance made and disposed, µs", calls.cycle, 1e3),
      ...Object.entries(cold).flatMap((
        [name, { unseen, compiled, stored }],
      ) => [
        sideRow(`first result of ${name}, ms`, unseen, 1),
        sideRow("the same, seen before, ms", compiled, 1),
        ...(stored === undefined
          ? []
          : [sideRow("the same, from the cache on disk, ms", stored, 1)]),
      ]),
      placeRow("a WASI command, inline, ms", commands.warm, "inline"),
      placeRow("the same, in a process, ms", commands.warm, "process"),
      placeRow("with making its sandbox, inline, ms", commands.cold, "inline"),
      placeRow("the same, in a process, ms", commands.cold, "process"),
    ]),
  ].join("\n\n");
}

const NONE = "–";
const AWAITED = ", awaited";

function introduction({ target, cores, ...versions }: Machine): string {
  const { deno, v8, wasmtime } = versions;
  const engines = [
    `Deno ${deno}`,
    `V8 ${v8}`,
    ...(wasmtime === undefined ? [] : [`Wasmtime ${wasmtime}`]),
  ];
  return `Medians of \`deno task bench runtimes\` on ${target}, ${cores} cores, ` +
    `${
      engines.join(", ")
    }. Wasmtime from Python is its own binding, with the ` +
    "same library and the same settings, in a process of its own.";
}

function sideRow(
  title: string,
  findings: Findings,
  perMs: number,
  suffix = "",
): readonly string[] {
  return row(title, findings, perMs, ({ side }) => side && `${side}${suffix}`);
}

function placeRow(
  title: string,
  findings: Findings,
  isolation: "inline" | "process",
): readonly string[] {
  return row(
    title,
    findings,
    1,
    ({ runtime }) => runtime && `${runtime}, ${isolation}`,
  );
}

function row(
  title: string,
  findings: Findings,
  perMs: number,
  nameOf: (column: Column) => string | undefined,
): readonly string[] {
  return [
    title,
    ...COLUMNS.map((column) => {
      const found = findings[nameOf(column) ?? ""];
      return found === undefined ? NONE : short(found.ms.median * perMs);
    }),
  ];
}

/** Two or three digits that count, with a comma at thousands. */
function short(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

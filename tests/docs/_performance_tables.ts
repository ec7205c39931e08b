/** The tables of docs/performance.md, out of figures. */

import { geomean } from "../../bench/measure.ts";
import { aligned } from "../runtimes/_reference.ts";
import type { ByName, PerformanceFigures } from "./_figures.ts";

/** A benchmark of streams that is not quick sends this much. */
const STREAMED_BYTES = 10 * 1024 ** 3;
const STREAMED_BYTES_QUICK = 512 * 1024 ** 2;

/** What limits cost guests that compute. */
export function computing({ kernels: { rows } }: PerformanceFigures): string {
  const columns = ["deadline", "fuel", "both"].map((name, index) => {
    const ratios = rows.map(({ ratios }) => ratios[index]?.median ?? NaN);
    return { name, mean: geomean(ratios), worst: Math.max(...ratios) };
  });
  return aligned([
    ["limits", `geometric mean of ${rows.length}`, "worst"],
    ...columns.map((
      { name, mean, worst },
    ) => [name, times(mean), times(worst)]),
  ]);
}

/** What a call of numbers takes. */
export function calls({ calls: { numbers } }: PerformanceFigures): string {
  const bare = numbers.raw?.median ?? NaN;
  return aligned([
    ["call", "ns", "more than bare, ns"],
    ...Object.entries(numbers).map(([name, { median }]) => [
      name === "raw" ? "bare" : name,
      short(median),
      name === "raw" ? "" : short(median - bare),
    ]),
  ]);
}

/** What messages take. */
export function messages({ calls }: PerformanceFigures): string {
  return aligned([
    ["message", "× by hand"],
    ...Object.entries(calls.messages).map(([name, { median }]) => [
      name,
      times(median),
    ]),
  ]);
}

/** How long a first result takes. */
export function cold({ cold: { rows } }: PerformanceFigures): string {
  return aligned([
    ["module", "bare", "ours", "bare, seen before", "ours, seen before"],
    ...Object.entries(rows).map(([name, all]) => [
      name,
      ...all.map(({ median }) => short(median)),
    ]),
  ]);
}

/** What it takes once in a process. */
export function firstUse({ cold: { firstUse } }: PerformanceFigures): string {
  return aligned([
    ["once in a process", "load, ms", "first result, ms"],
    ...firstUse.map(({ name, loadMs, useMs }) => [
      name === "raw" ? "bare" : name,
      short(loadMs.median),
      short(useMs.median),
    ]),
  ]);
}

/** By how much deadlines are passed. */
export function deadlines({ deadline: { rows } }: PerformanceFigures): string {
  return aligned([
    ["guest", "late by", "at worst"],
    ...rows.map(({ guest, overshoot: { median, max } }) => [
      guest,
      short(median),
      short(max),
    ]),
  ]);
}

/** What functions of the host take. */
export function hostCalls(figures: PerformanceFigures): string {
  return aligned([
    ["a call of the host", "µs"],
    ...Object.entries(figures["host-calls"]).map(([name, { median }]) => [
      name === "raw import" ? "bare import" : name,
      short(median),
    ]),
  ]);
}

/** Large messages, and streams: two tables. */
export function bulk({ bulk, streams, quick }: PerformanceFigures): string {
  const bytes = quick ? STREAMED_BYTES_QUICK : STREAMED_BYTES;
  const bases: ByName<string> = {
    inline: "plain copy in and out",
    process: "bare pipe",
  };
  return [
    aligned([
      ["1 MiB and back", "MB/s", "× its base"],
      ...Object.entries(bulk).map(([name, { median }]) => [
        name,
        short(median),
        bases[name] === undefined
          ? ""
          : times(median / (bulk[bases[name]]?.median ?? NaN)),
      ]),
    ]),
    aligned([
      [`${bytes / 1024 ** 3} GiB through`, "MB/s", "memory, + MiB"],
      ...Object.entries(streams).map(([name, { seconds, growth }]) => [
        name,
        short(bytes / 1e6 / seconds),
        (growth / 1024 ** 2).toFixed(1),
      ]),
    ]),
  ].join("\n\n");
}

/** What processes take. */
export function processes({ process }: PerformanceFigures): string {
  const { ready: { figures, ratios }, call, kill } = process;
  return aligned([
    ["process", "ms", "× empty file"],
    ...figures.map(({ name, ms }, index) => [
      name,
      short(ms.median),
      times(ratios[index]?.median ?? NaN),
    ]),
    ["a call in a warm process", short(call.median), ""],
    ["the end after the deadline", short(kill.median), ""],
  ]);
}

/** What runs of a program take. */
export function tools({ tools }: PerformanceFigures): string {
  return aligned([
    ["run, input", "ms", "× native"],
    ...Object.entries(tools).map(([name, { ms, ratio }]) => [
      name,
      short(ms.median),
      times(ratio.median),
    ]),
  ]);
}

/** What web servers answer. */
export function servers(
  { http: { sockets, calls } }: PerformanceFigures,
): string {
  const rows = Object.keys(calls).filter((name) => name.startsWith("fetch: "));
  return aligned([
    ["server", "requests/s", "× bare", "without sockets, µs"],
    ...rows.map((row) => {
      const name = row.slice("fetch: ".length);
      const found = sockets[name];
      return [
        name,
        found === undefined ? NONE : short(found.rate),
        found === undefined ? NONE : times(found.bare),
        short(calls[row] ?? NaN),
      ];
    }),
  ]);
}

const NONE = "–";

function times(ratio: number): string {
  return ratio.toFixed(ratio < 0.1 ? 3 : 2);
}

/** Two or three digits that count, with a comma at thousands. */
function short(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

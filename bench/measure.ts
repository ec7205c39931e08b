/**
 * How benchmarks measure and print: sides in turn, medians, tables.
 *
 * @module
 */

export {
  interleave,
  type InterleaveOptions,
  type Ratio,
  ratio,
  type Samples,
  type Side,
  summarize,
  type Summary,
} from "../cli/bench/measure.ts";

/** Options of a benchmark. */
export interface RunOptions {
  /** Whether few rounds will do. */
  readonly quick: boolean;
}

/** What a benchmark found, for `--json`. */
export type Figures = Readonly<Record<string, unknown>>;

/** What figures depend on. */
export interface Machine {
  /** Operating system and architecture. */
  readonly target: string;
  /** How many cores. */
  readonly cores: number;
  /** Version of Deno. */
  readonly deno: string;
  /** Version of V8. */
  readonly v8: string;
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    target: `${Deno.build.os} ${Deno.build.arch}`,
    cores: navigator.hardwareConcurrency,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
  };
}

/** A benchmark by name. */
export interface Benchmark {
  /** What it is called on the command line. */
  readonly name: string;
  /** What is compared, and what would be good. */
  readonly about: string;
  /** Runs it and prints what it finds. */
  run(options: RunOptions): Promise<Figures>;
}

/** The geometric mean. */
export function geomean(values: readonly number[]): number {
  const sum = values.reduce((logs, value) => logs + Math.log(value), 0);
  return Math.exp(sum / values.length);
}

/**
 * Lays rows out in columns: the first to the left, numbers to the right.
 *
 * @param head Titles of the columns.
 * @param rows Their cells.
 * @returns The table.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    widths.map((width, column) => {
      const cell = cells[column] ?? "";
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("──");
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/**
 * Says how a figure compares to the target that is set for it.
 *
 * @param value The figure.
 * @param target Its target.
 * @param atLeast Whether the target is a lower bound.
 * @returns Such as `"≤ 1.08: met"`.
 */
export function target(value: number, target: number, atLeast = false): string {
  const met = atLeast ? value >= target : value <= target;
  return `${atLeast ? "≥" : "≤"} ${target}: ${met ? "met" : "MISSED"}`;
}

/** Bytes with a custom section at their end that no others have. */
export function unique(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const mark = crypto.getRandomValues(new Uint8Array(8));
  // section 0 of ten bytes: a name of one letter, then the mark
  const section = [0, 2 + mark.length, 1, 0x75, ...mark];
  const marked = new Uint8Array(bytes.length + section.length);
  marked.set(bytes);
  marked.set(section, bytes.length);
  return marked;
}

/** Prints what a benchmark has to say. */
export function print(text: string): void {
  // deno-lint-ignore no-console -- printing is what a benchmark is for
  console.log(text);
}

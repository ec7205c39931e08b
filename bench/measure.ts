/**
 * How benchmarks measure and print: sides in turn, medians, tables.
 *
 * @module
 */

/** Options of a benchmark. */
export interface RunOptions {
  /** Whether few rounds will do. */
  readonly quick: boolean;
}

/** What a benchmark found, for `--json`. */
export type Figures = Readonly<Record<string, unknown>>;

/** A benchmark by name. */
export interface Benchmark {
  /** What it is called on the command line. */
  readonly name: string;
  /** What is compared, and what would be good. */
  readonly about: string;
  /** Runs it and prints what it finds. */
  run(options: RunOptions): Promise<Figures>;
}

/** One of the things that are compared. */
export interface Side {
  /** Its name. */
  readonly name: string;
  /** Does the work once. */
  run(): unknown;
}

/** Options of {@linkcode interleave}. */
export interface InterleaveOptions {
  /** How often each side is measured. */
  readonly rounds: number;
  /**
   * How often each side runs before that.
   *
   * @default {3}
   */
  readonly warmup?: number;
}

/** Times of one side, in milliseconds, one for each round. */
export type Samples = readonly number[];

/**
 * Runs sides in turn, each round in another order, so that what disturbs the
 * machine disturbs all of them.
 *
 * @param sides What to run; what gives a promise is awaited.
 * @param options How often.
 * @returns The times, by the side's place in `sides`.
 */
export async function interleave(
  sides: readonly Side[],
  { rounds, warmup = 3 }: InterleaveOptions,
): Promise<readonly Samples[]> {
  const times: number[][] = sides.map(() => []);
  for (let round = 0; round < warmup + rounds; round++) {
    for (let turn = 0; turn < sides.length; turn++) {
      const step = round % 2 === 0 ? turn : sides.length - 1 - turn;
      const index = (step + (round >> 1)) % sides.length;
      const start = performance.now();
      const result = sides[index]?.run();
      if (result instanceof Promise) await result;
      const time = performance.now() - start;
      if (round >= warmup) times[index]?.push(time);
    }
  }
  return times;
}

/** The middle of some numbers, and where half of them lie. */
export interface Summary {
  /** The median. */
  readonly median: number;
  /** A quarter is less. */
  readonly low: number;
  /** A quarter is more. */
  readonly high: number;
  /** The least. */
  readonly min: number;
  /** The most. */
  readonly max: number;
}

/**
 * Sums numbers up.
 *
 * @param values At least one number.
 * @returns Median, quartiles and extremes.
 */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => {
    const place = part * (sorted.length - 1);
    const below = sorted[Math.floor(place)] ?? NaN;
    const above = sorted[Math.ceil(place)] ?? NaN;
    return below + (above - below) * (place % 1);
  };
  return {
    median: at(0.5),
    low: at(0.25),
    high: at(0.75),
    min: at(0),
    max: at(1),
  };
}

/** How many times as long one side takes. */
export interface Ratio extends Summary {
  /** Ratio of the shortest times, which noise disturbs least. */
  readonly ofMinima: number;
}

/**
 * Compares two sides round by round.
 *
 * @param side Times of the one.
 * @param base Times of the other, measured in the same rounds.
 * @returns Median of the ratios of all rounds, and their spread.
 */
export function ratio(side: Samples, base: Samples): Ratio {
  const ratios = side.map((time, round) => time / (base[round] ?? NaN));
  return {
    ...summarize(ratios),
    ofMinima: Math.min(...side) / Math.min(...base),
  };
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
 * Says how a figure compares to the bar that is set for it.
 *
 * @param value The figure.
 * @param bar Its bar.
 * @param atLeast Whether the bar is a lower bound.
 * @returns Such as `"≤ 1.08: met"`.
 */
export function bar(value: number, bar: number, atLeast = false): string {
  const met = atLeast ? value >= bar : value <= bar;
  return `${atLeast ? "≥" : "≤"} ${bar}: ${met ? "met" : "MISSED"}`;
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

/** How benchmarks measure: sides in turn, medians, ratios round by round. */

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
  /**
   * Told after each round.
   *
   * @param done The part of all rounds that is done, from 0 to 1.
   */
  readonly onRound?: (done: number) => void;
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
  { rounds, warmup = 3, onRound }: InterleaveOptions,
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
    onRound?.((round + 1) / (warmup + rounds));
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

/** What `bench/performance.json` holds: the figures of `deno task bench`. */

import type { Machine, Summary } from "../../bench/measure.ts";

/** Figures by what they are of. */
export type ByName<T> = Readonly<Record<string, T>>;

/** A figure of the machine's first use in a process. */
export interface FirstUse {
  /** Which side. */
  readonly name: string;
  /** Loading its modules, in milliseconds. */
  readonly loadMs: Summary;
  /** From there to the first result, in milliseconds. */
  readonly useMs: Summary;
}

/** What an HTTP server answers in a second, and the same against others. */
export interface Rate {
  /** Requests a second. */
  readonly rate: number;
  /** The same, by that of a bare handler. */
  readonly bare: number;
}

/** The figures that docs/performance.md is written out of. */
export interface PerformanceFigures {
  /** Where it ran. */
  readonly machine: Machine;
  /** Whether few rounds were enough. */
  readonly quick: boolean;
  readonly kernels: {
    readonly rows: readonly {
      readonly kernel: string;
      /** With a deadline, with fuel, with both. */
      readonly ratios: readonly Summary[];
    }[];
  };
  readonly calls: {
    readonly numbers: ByName<Summary>;
    readonly messages: ByName<Summary>;
  };
  readonly cold: {
    /** Bare and ours, never seen; bare and ours, seen before. */
    readonly rows: ByName<readonly Summary[]>;
    readonly firstUse: readonly FirstUse[];
  };
  readonly deadline: {
    readonly rows: readonly {
      readonly guest: string;
      readonly overshoot: Summary;
    }[];
  };
  readonly process: {
    readonly ready: {
      readonly figures: readonly {
        readonly name: string;
        readonly ms: Summary;
      }[];
      readonly ratios: readonly Summary[];
    };
    readonly call: Summary;
    readonly kill: Summary;
  };
  readonly "host-calls": ByName<Summary>;
  /** Megabytes a second. */
  readonly bulk: ByName<Summary>;
  readonly streams: ByName<
    { readonly seconds: number; readonly growth: number }
  >;
  readonly tools: ByName<{ readonly ms: Summary; readonly ratio: Summary }>;
  readonly http: {
    readonly sockets: ByName<Rate>;
    /** Microseconds. */
    readonly calls: ByName<number>;
  };
}

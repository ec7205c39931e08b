/** The sides that `bench` compares, by name. */

/** Names of the sides, in the order of the table. */
export const SIDE_NAMES = [
  "raw",
  "sync",
  "inline",
  "process",
  "wasmtime",
] as const;

/** Name of a side. */
export type SideName = (typeof SIDE_NAMES)[number];

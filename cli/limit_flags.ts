/**
 * The flags that set limits.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { reasonOf } from "../_text.ts";
import { type LimitName, resolveLimits } from "../security/limits.ts";
import {
  formatCount,
  formatDuration,
  formatSize,
  parseCount,
  parseDuration,
  parseSize,
} from "../security/units.ts";

/** How the amounts of one kind are written. */
export interface Unit {
  /** What the help calls it. */
  readonly name: string;
  /** Reads an amount. */
  readonly parse: (text: string) => number;
  /** Writes an amount. */
  readonly format: (amount: number) => string;
}

const SIZE: Unit = { name: "size", parse: parseSize, format: formatSize };
const COUNT: Unit = { name: "count", parse: parseCount, format: formatCount };
const DURATION: Unit = {
  name: "duration",
  parse: parseDuration,
  format: formatDuration,
};

/** The names of the flags that set limits, among cliffy's options. */
type LimitKey =
  | "memory"
  | "tables"
  | "timeout"
  | "fuel"
  | "message"
  | "moduleSize"
  | "functionSize"
  | "cpu"
  | "stack"
  | "openFiles"
  | "written"
  | "fileEntries"
  | "stdinSize"
  | "stdoutSize"
  | "stderrSize"
  | "hostCalls";

/** The values of the flags that set limits, in plain units. */
export type LimitValues = Readonly<Partial<Record<LimitKey, number>>>;

/** A flag that sets a limit. */
export interface LimitFlag {
  /** The flag. */
  readonly flag: `--${string}`;
  /** The flag's name among cliffy's options. */
  readonly key: LimitKey;
  /** How its value is written. */
  readonly unit: Unit;
  /** What the help says. */
  readonly description: string;
}

/** Limits that a single run on the command line has no use for. */
type WithoutFlag =
  | "streamBytes"
  | "messages"
  | "instances"
  | "networkRequests"
  | "networkBytes";

const LIMIT_FLAGS: Readonly<
  Record<Exclude<LimitName, WithoutFlag>, LimitFlag>
> = Object.freeze({
  memoryBytes: {
    flag: "--memory",
    key: "memory",
    unit: SIZE,
    description: "Most linear memory.",
  },
  tableElements: {
    flag: "--tables",
    key: "tables",
    unit: COUNT,
    description: "Most elements of all tables together.",
  },
  timeoutMs: {
    flag: "--timeout",
    key: "timeout",
    unit: DURATION,
    description: "Longest time of the call.",
  },
  fuel: {
    flag: "--fuel",
    key: "fuel",
    unit: COUNT,
    description: "Most fuel, about one for each instruction (not counted).",
  },
  messageBytes: {
    flag: "--message",
    key: "message",
    unit: SIZE,
    description: "Longest request and longest reply.",
  },
  moduleBytes: {
    flag: "--module-size",
    key: "moduleSize",
    unit: SIZE,
    description: "Longest module.",
  },
  functionBytes: {
    flag: "--function-size",
    key: "functionSize",
    unit: SIZE,
    description: "Longest function of the module.",
  },
  cpuMs: {
    flag: "--cpu",
    key: "cpu",
    unit: DURATION,
    description: "Most CPU time, in a process only (not limited).",
  },
  stackBytes: {
    flag: "--stack",
    key: "stack",
    unit: SIZE,
    description: "The guest's stack, in a process only.",
  },
  openFiles: {
    flag: "--open-files",
    key: "openFiles",
    unit: COUNT,
    description: "Most files open at a time.",
  },
  writtenBytes: {
    flag: "--written",
    key: "written",
    unit: SIZE,
    description: "Most bytes written to files.",
  },
  fileEntries: {
    flag: "--file-entries",
    key: "fileEntries",
    unit: COUNT,
    description: "Most files, directories and links made.",
  },
  stdinBytes: {
    flag: "--stdin-size",
    key: "stdinSize",
    unit: SIZE,
    description: "Most bytes read from the standard input.",
  },
  stdoutBytes: {
    flag: "--stdout-size",
    key: "stdoutSize",
    unit: SIZE,
    description: "Most bytes written to the standard output.",
  },
  stderrBytes: {
    flag: "--stderr-size",
    key: "stderrSize",
    unit: SIZE,
    description: "Most bytes written to the standard error.",
  },
  hostCalls: {
    flag: "--host-calls",
    key: "hostCalls",
    unit: COUNT,
    description: "Most calls of host functions, WASI's too (not limited).",
  },
});

/** Each limit, and the flag that sets it. */
export const LIMITS: readonly (readonly [LimitName, LimitFlag])[] = Object
  .freeze(Object.entries(LIMIT_FLAGS) as [LimitName, LimitFlag][]);

/**
 * The flag that sets a limit.
 *
 * @param limit Name of the limit, or of another bound.
 * @returns The flag; undefined if there is none.
 */
export function flagOf(
  limit: string,
): LimitFlag | undefined {
  return LIMITS.find(([name]) => name === limit)?.[1];
}

/**
 * Parses the value of a flag that sets a limit, as cliffy asks for it.
 *
 * @param argument The flag, and what was written.
 * @returns The amount.
 * @throws {ValidationError} If it is none, or out of range.
 */
export function limitValue(
  { name, value }: { readonly name: string; readonly value: string },
): number {
  const found = LIMITS.find(([, { flag }]) => flag === name);
  if (found === undefined) throw new TypeError(`${name} sets no limit`);
  const [limit, { unit }] = found;
  try {
    const amount = unit.parse(value);
    resolveLimits({ [limit]: amount });
    return amount;
  } catch (cause) {
    throw new ValidationError(`Option "${name}": ${reasonOf(cause)}`, {
      cause,
    });
  }
}

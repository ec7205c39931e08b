/** The limits of a policy file, and how their amounts are written. */

import type { JsonSchema } from "../json_schema.ts";
import {
  LIMIT_TABLE,
  type LimitEntry,
  type LimitUnit,
} from "../limit_table.ts";
import { DEFAULT_LIMITS, LIMIT_NAMES, type LimitName } from "../limits.ts";
import {
  formatCount,
  formatDuration,
  formatSize,
  parseCount,
  parseDuration,
  parseSize,
  writeDuration,
  writeSize,
} from "../units.ts";

/** How a call without a deadline is written. */
export const UNLIMITED = "unlimited";

interface Notation {
  readonly parse: (text: string) => number;
  readonly write: (amount: number) => string | number;
  readonly format: (amount: number) => string;
  /** What to call an amount, with an example. */
  readonly name: string;
  /** What is written, roughly; the exact rules are those of `parse`. */
  readonly pattern: string;
}

const NUMBER = "[0-9]+(_[0-9]+)*(\\.[0-9]+)?(e[0-9]{1,2})?";

const NOTATIONS: Readonly<Record<LimitUnit, Notation>> = Object.freeze({
  bytes: {
    parse: parseSize,
    write: writeSize,
    format: formatSize,
    name: "a size such as 64MiB",
    pattern: `^${NUMBER} ?(B|[kKMG]B|[KMG]iB)?$`,
  },
  milliseconds: {
    parse: parseDuration,
    write: writeDuration,
    format: formatDuration,
    name: "a time such as 500ms or 2s",
    pattern: `^${NUMBER} ?(ms|s|m|min|h)$`,
  },
  count: {
    parse: parseCount,
    write: (amount: number) => amount,
    format: formatCount,
    name: "a count such as 1000 or 10M",
    pattern: `^${NUMBER} ?[kMG]?$`,
  },
});

/** What may be written for a limit. */
export function expectedOf(name: LimitName): string {
  const { unit, min, max } = LIMIT_TABLE[name];
  const { format, name: amount } = NOTATIONS[unit];
  const most = max === Number.MAX_SAFE_INTEGER
    ? ""
    : `, from ${format(min)} to ${format(max)}`;
  return `${amount}${most}`;
}

/** Reads what is written for a limit, undefined if it does not mean anything. */
export function readLimit(
  name: LimitName,
  written: unknown,
): number | undefined {
  const { unit, min, max } = LIMIT_TABLE[name];
  if (name === "timeoutMs" && written === UNLIMITED) return Infinity;
  const amount = typeof written === "string"
    ? parsed(NOTATIONS[unit], written)
    : written;
  return Number.isSafeInteger(amount) && typeof amount === "number" &&
      amount >= min && amount <= max
    ? amount
    : undefined;
}

function parsed({ parse }: Notation, text: string): number | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** Writes a limit so that it is read as the same. */
export function writeLimit(name: LimitName, amount: number): string | number {
  if (amount === Infinity) return UNLIMITED;
  return NOTATIONS[LIMIT_TABLE[name].unit].write(amount);
}

/** Writes a limit for people. */
export function formatLimit(name: LimitName, amount: number): string {
  if (amount === Infinity) return UNLIMITED;
  return NOTATIONS[LIMIT_TABLE[name].unit].format(amount);
}

/** The schema of the limits. */
export function limitsSchema(): JsonSchema {
  return {
    description: "What a guest may use at the most. What is left out has its " +
      "default.",
    type: "object",
    properties: Object.fromEntries(
      LIMIT_NAMES.map((name) => [name, limitSchema(name)]),
    ),
    additionalProperties: false,
  };
}

function limitSchema(name: LimitName): JsonSchema {
  const { description, unit, min, max }: LimitEntry = LIMIT_TABLE[name];
  const { pattern } = NOTATIONS[unit];
  const standard = DEFAULT_LIMITS[name];
  return {
    description: `${description} ${unitText(unit)}`,
    oneOf: [
      { type: "integer", minimum: min, maximum: max },
      { type: "string", pattern },
      ...(name === "timeoutMs" ? [{ const: UNLIMITED }] : []),
    ],
    ...(standard === undefined ? {} : { default: writeLimit(name, standard) }),
  };
}

function unitText(unit: LimitUnit): string {
  const { name } = NOTATIONS[unit];
  return unit === "count"
    ? `A number, or ${name}.`
    : `A number of ${unit}, or ${name}.`;
}

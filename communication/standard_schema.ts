/**
 * Standard Schema: how Zod, Valibot, ArkType and others offer a schema, so
 * that no library has to be chosen here. See https://standardschema.dev.
 *
 * @module
 */

import { printable } from "../_text.ts";
import type { MaybePromise } from "./types.ts";

/**
 * A schema of any library that follows Standard Schema 1. This is the part of
 * its interface that is used here.
 *
 * @typeParam Input What the schema takes.
 * @typeParam Output What it gives.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What the library offers. */
  readonly "~standard": StandardSchemaProps<Input, Output>;
}

/**
 * What stands under `~standard`.
 *
 * @typeParam Input What the schema takes.
 * @typeParam Output What it gives.
 */
export interface StandardSchemaProps<Input = unknown, Output = Input> {
  /** Version of the interface. */
  readonly version: 1;
  /** Name of the library. */
  readonly vendor: string;
  /** Looks at a value. */
  readonly validate: (value: unknown) => MaybePromise<StandardResult<Output>>;
  /** Types only; nothing is there when the program runs. */
  readonly types?:
    | { readonly input: Input; readonly output: Output }
    | undefined;
}

/** What a schema says of a value: it is one, or what is wrong with it. */
export type StandardResult<T> =
  | {
    /** The value, as the schema gives it. */
    readonly value: T;
    /** Nothing is wrong. */
    readonly issues?: undefined;
  }
  | {
    /** What is wrong. */
    readonly issues: readonly StandardIssue[];
  };

/** One thing that is wrong with a value. */
export interface StandardIssue {
  /** What is wrong, in words. */
  readonly message: string;
  /** Where within the value. */
  readonly path?:
    | readonly (PropertyKey | { readonly key: PropertyKey })[]
    | undefined;
}

/** How many issues a message tells of. */
const MAX_ISSUES = 3;
/** Longest text of one issue, in UTF-16 units: libraries quote the value. */
const MAX_ISSUE = 200;

/**
 * Holds a value against a schema.
 *
 * @example Usage
 * ```ts
 * import {
 *   type StandardSchemaV1,
 *   validate,
 * } from "@wasm-sandbox/core/communication";
 * import { assertEquals } from "@std/assert";
 *
 * const port: StandardSchemaV1<number> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate: (value) =>
 *       Number.isInteger(value)
 *         ? { value: value as number }
 *         : { issues: [{ message: "must be an integer" }] },
 *   },
 * };
 * assertEquals(await validate(port, 443), { value: 443 });
 * ```
 *
 * @typeParam T What the schema gives.
 * @param schema A schema of any library that follows Standard Schema.
 * @param value Any value.
 * @returns The value or what is wrong with it; a promise of that if the schema
 * is asynchronous.
 * @throws {TypeError} If `schema` is none.
 */
export function validate<T>(
  schema: StandardSchemaV1<unknown, T>,
  value: unknown,
): MaybePromise<StandardResult<T>> {
  checkSchema(schema);
  return schema["~standard"].validate(value);
}

/**
 * Refuses what is no schema.
 *
 * @param schema Any value.
 * @throws {TypeError} If it is not one.
 */
export function checkSchema(
  schema: unknown,
): asserts schema is StandardSchemaV1 {
  const props = (schema as Partial<StandardSchemaV1> | null | undefined)
    ?.["~standard"];
  if (props?.version === 1 && typeof props.validate === "function") return;
  throw new TypeError(
    "Cannot use the schema: it does not follow Standard Schema 1 " +
      "(see https://standardschema.dev)",
  );
}

/**
 * Puts issues into words. They may quote the value, which may be a guest's:
 * the text is printable, and short.
 *
 * @param issues What a schema found.
 * @returns A line.
 */
export function describeIssues(issues: readonly StandardIssue[]): string {
  const lines = issues.slice(0, MAX_ISSUES).map(describe);
  const more = issues.length - lines.length;
  return lines.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function describe({ message, path = [] }: StandardIssue): string {
  const where = path.map((part) =>
    String(typeof part === "object" ? part.key : part)
  ).join(".");
  const text = where === "" ? message : `${where}: ${message}`;
  const cut = text.length > MAX_ISSUE ? `${text.slice(0, MAX_ISSUE)}…` : text;
  return printable(cut);
}

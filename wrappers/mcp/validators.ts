/** Validators of schemas. */

import type { Ajv, ErrorObject, Options, ValidateFunction } from "ajv";
import { printable, reasonOf } from "../../_text.ts";
import { FORMATS } from "./formats.ts";
import { isObject } from "./names.ts";
import { Patterns, TooCostly } from "./patterns.ts";
import { type GuardedSchema, guardSchema } from "./schema_guard.ts";

/** Most checks of all values in a message: half a second, about. */
const MAX_CHECKS = 1e7;

/** Characters that are walked through in the time of a check. */
const WALKED = 20;

/** Characters that are compared in the time of a check. */
const COMPARED = 1_000;

/** Tells what is wrong with a value; undefined, if nothing is. */
export type Validator = (value: unknown) => string | undefined;

/**
 * Compiles a schema.
 *
 * @param given The schema.
 * @returns Its validator, and the schema as it is shown to clients.
 * @throws {TypeError} If it does not compile; says where.
 */
export async function compileSchema(
  given: unknown,
): Promise<{ readonly validate: Validator; readonly schema: GuardedSchema }> {
  const schema = guardSchema(given);
  const patterns = await Patterns.compile(schema.patterns);
  const check = await compiled(schema, patterns);
  return {
    schema,
    validate: (value) => problemOf(value, { schema, check, patterns }),
  };
}

interface Compiled {
  readonly schema: GuardedSchema;
  readonly check: ValidateFunction;
  readonly patterns: Patterns;
}

function problemOf(
  value: unknown,
  { schema, check, patterns }: Compiled,
): string | undefined {
  if (checksOf(value, schema) > MAX_CHECKS) return "too large to be checked";
  patterns.begin();
  try {
    if (check(value)) return undefined;
  } catch (error) {
    if (error instanceof TooCostly) return "too large to be checked";
    throw error;
  }
  const [first] = check.errors ?? [];
  return first === undefined ? "not what it must be" : textOf(first);
}

/** What is wrong, with a place that the peer may have named. */
function textOf({ instancePath, message, params }: ErrorObject): string {
  const name = params.additionalProperty ?? params.unevaluatedProperty;
  const which = typeof name === "string" ? `: ${JSON.stringify(name)}` : "";
  const text = printable(
    `${instancePath === "" ? "" : `${instancePath} `}${message}${which}`,
  );
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** What it takes to check a value, at the most. */
function checksOf(
  value: unknown,
  { checks, walks, comparesItems }: GuardedSchema,
): number {
  const { values, longest, characters } = measure(value);
  const compared = comparesItems
    ? longest * (values + characters / COMPARED)
    : 0;
  return values * checks + compared + characters * walks / WALKED;
}

/** What there is of values. */
interface Measure {
  readonly values: number;
  /** Length of the longest list. */
  readonly longest: number;
  /** Length of all texts and names. */
  readonly characters: number;
}

function measure(value: unknown): Measure {
  let values = 0;
  let longest = 0;
  let characters = 0;
  const waiting = [value];
  while (waiting.length > 0) {
    const each = waiting.pop();
    values++;
    if (typeof each === "string") characters += each.length;
    if (typeof each !== "object" || each === null) continue;
    if (Array.isArray(each)) longest = Math.max(longest, each.length);
    else for (const name of Object.keys(each)) characters += name.length;
    for (const part of Object.values(each)) waiting.push(part);
  }
  return { values, longest, characters };
}

async function compiled(
  { schema, draft }: GuardedSchema,
  patterns: Patterns,
): Promise<ValidateFunction> {
  const { $id: _id, $schema: _draft, ...rest } = schema;
  // what describes schemas has expressions of its own, which nobody chose
  const about = await newAjv(draft, {});
  if (about.validateSchema(rest) !== true) {
    const [first] = about.errors ?? [];
    throw new TypeError(`#${first === undefined ? "" : textOf(first)}`);
  }
  const regExp = (pattern: string) => patterns.get(pattern);
  const ajv = await newAjv(draft, {
    validateSchema: false,
    ownProperties: true,
    formats: { ...FORMATS },
    // ajv wants to know how it would be written in a file, which we do not do
    code: { regExp: Object.assign(regExp, { code: "pattern" }) },
  });
  try {
    return ajv.compile(rest);
  } catch (cause) {
    throw new TypeError(reasonOf(cause), { cause });
  }
}

async function newAjv(
  draft: GuardedSchema["draft"],
  given: Options,
): Promise<Ajv> {
  const options: Options = { strict: false, logger: false, ...given };
  return draft === "7"
    ? new (await import("ajv")).Ajv(options)
    : new (await import("ajv/dist/2020.js")).Ajv2020(options);
}

/** Whether a schema is of objects, as those of tools must be. */
export function isObjectSchema(schema: unknown): boolean {
  return isObject(schema) && Object.hasOwn(schema, "type") &&
    schema.type === "object";
}

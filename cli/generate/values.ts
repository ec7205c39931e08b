/** Values of a template's config, as flags and answers give them. */

import type { JsonSchema } from "../../security/json_schema.ts";
import { dataOf, nodeOf } from "../../security/policy_file/nodes.ts";
import type { Finding } from "../../security/policy_file/problems.ts";
import { validate } from "../../security/policy_file/validate.ts";
import { withAmounts } from "../../wrappers/manifest/convert.ts";
import type { Setting } from "./settings.ts";

/**
 * Puts settings into one config, each as its schema types it. A setting that is
 * given several times makes a list, where the schema wants one.
 *
 * @param settings What was typed.
 * @param schema The template's schema.
 * @returns The config.
 */
export function configOf(
  settings: readonly Setting[],
  schema: JsonSchema,
): Record<string, unknown> {
  const config: Record<string, unknown> = Object.create(null);
  for (const { path, text } of settings) {
    put(config, path, text, schema);
  }
  return config;
}

function put(
  config: Record<string, unknown>,
  [name = "", ...rest]: readonly string[],
  text: string,
  schema: JsonSchema | undefined,
): void {
  const own = propertyOf(schema, name);
  if (rest.length > 0) {
    const inner = tableOf(config[name]);
    config[name] = inner;
    put(inner, rest, text, own);
  } else if (own?.type === "array" && !text.startsWith("[")) {
    const before = Array.isArray(config[name]) ? config[name] : [];
    config[name] = [...before, typed(text, own.items ?? {})];
  } else config[name] = typed(text, own ?? {});
}

function tableOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : Object.create(null);
}

/**
 * The schema of a property.
 *
 * @param schema Schema of the whole.
 * @param name Name of the property.
 * @returns Its schema, if it has one.
 */
export function propertyOf(
  schema: JsonSchema | undefined,
  name: string,
): JsonSchema | undefined {
  const { properties = {}, additionalProperties } = schema ?? {};
  if (Object.hasOwn(properties, name)) return properties[name];
  return additionalProperties === false ? undefined : additionalProperties;
}

/**
 * Reads a typed text as the value that its schema asks for. What is none stays
 * what it looks like, for the check to say so.
 *
 * @param text What was typed.
 * @param schema Schema of the value.
 * @returns The value.
 */
export function typed(text: string, schema: JsonSchema): unknown {
  let nearest: unknown = text;
  for (const value of readings(text)) {
    const node = withAmounts(nodeOf(value), schema);
    if (validate(node, schema, []).length === 0) return dataOf(node);
    // a number that is too large is a number all the same
    if (typeof value === "number" && isNumeric(schema)) nearest = value;
  }
  return nearest;
}

function isNumeric({ type }: JsonSchema): boolean {
  return type === "integer" || type === "number";
}

/** What a text may mean, as text first: a name may well be `12`. */
function* readings(text: string): Iterable<unknown> {
  yield text;
  try {
    yield JSON.parse(text);
  } catch {
    // it is a text alone
  }
}

/**
 * What is wrong with one typed text.
 *
 * @param text What was typed.
 * @param schema Schema of the value.
 * @returns The first problem, if there is one.
 */
export function problemOf(
  text: string,
  schema: JsonSchema,
): Finding | undefined {
  return validate(nodeOf(typed(text, schema)), schema, [])[0];
}

/**
 * A config with another over it: tables are merged, all else is replaced.
 *
 * @param base What lies beneath.
 * @param over What lies above.
 * @returns Both.
 */
export function merged(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = Object.assign(
    Object.create(null),
    base,
  );
  for (const [name, value] of Object.entries(over)) {
    const before = result[name];
    result[name] = isTable(before) && isTable(value)
      ? merged(before, value)
      : value;
  }
  return result;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

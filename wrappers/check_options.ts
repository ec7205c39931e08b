/**
 * Checks the options of a wrapper, all of them at once.
 *
 * @module
 */

import type { JsonSchema } from "../security/json_schema.ts";
import { nodeOf, type PolicyNode } from "../security/policy_file/nodes.ts";
import { type Finding, pathText } from "../security/policy_file/problems.ts";
import { isOpaque, validate } from "../security/policy_file/validate.ts";

/** How deep a schema looks where one of several will do. */
const MAX_CHOICE_DEPTH = 4;

/**
 * Checks options against their schema. What the schema gives a format is checked
 * by whoever reads it, as a sandbox does with its module, policy and limits; but
 * what is called `onX` must be a function.
 *
 * @example Usage
 * ```ts
 * import { checkWrapperOptions } from "@wasm-sandbox/core/wrappers";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(
 *   () =>
 *     checkWrapperOptions("my_wrapper", { retires: "yes" }, {
 *       type: "object",
 *       properties: { retries: { type: "integer", minimum: 0 } },
 *       additionalProperties: false,
 *     }),
 *   TypeError,
 *   'Cannot create my_wrapper: retires is not known, expected one of retries (did you mean "retries"?)',
 * );
 * ```
 *
 * @param what What is to be made, for the message.
 * @param options What the caller gave.
 * @param schema What it must be.
 * @throws {TypeError} That lists everything that is wrong.
 */
export function checkWrapperOptions(
  what: string,
  options: object,
  schema: JsonSchema,
): void {
  checkOptions(`Cannot create ${what}`, options, schema);
}

/**
 * The same, for whatever else has a schema.
 *
 * @param problem What the message begins with.
 * @param options What the caller gave.
 * @param schema What it must be.
 * @throws {TypeError} That lists everything that is wrong.
 */
export function checkOptions(
  problem: string,
  options: object,
  schema: JsonSchema,
): void {
  const findings = isTable(options)
    ? [
      ...validate(described({ ...options }, schema), schema, []),
      ...noFunctions(options, schema),
    ]
    : validate(nodeOf(options), schema, []);
  if (findings.length === 0) return;
  throw new TypeError(`${problem}: ${findings.map(textOf).join("; ")}`);
}

/** Whether it is what a caller would give: an object of any class, no list. */
function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What only code can give may be anything; a callback is a function. */
function noFunctions(options: object, schema: JsonSchema): readonly Finding[] {
  return Object.entries(schema.properties ?? {})
    .filter(([name, { format }]) => format === "code" && /^on[A-Z]/.test(name))
    .map(([name]) => [name, (options as Record<string, unknown>)[name]])
    .filter(([, value]) => value !== undefined && typeof value !== "function")
    .map(([name, value]) => ({
      path: [String(name)],
      problem: `is of type ${value === null ? "null" : typeof value}`,
      expected: "a function",
    }));
}

/**
 * The options as far as the schema describes them: what only code can give may
 * hold itself, and have getters that are nobody's business.
 */
function described(value: unknown, schema?: JsonSchema | false): PolicyNode {
  if (!schema || isOpaque(schema)) return nodeOf(null);
  if (schema.oneOf !== undefined) return nodeOf(cut(value, MAX_CHOICE_DEPTH));
  const { properties = {}, additionalProperties, items } = schema;
  if (Array.isArray(value)) {
    return {
      kind: "list",
      offset: 0,
      items: value.map((item) => described(item, items)),
    };
  }
  if (!isPlain(value)) return nodeOf(value);
  const entries = Object.entries(value).filter(([, it]) => it !== undefined);
  return {
    kind: "map",
    offset: 0,
    entries: new Map(entries.map(([name, it]) => {
      const own = Object.hasOwn(properties, name)
        ? properties[name]
        : additionalProperties;
      return [name, { offset: 0, node: described(it, own) }];
    })),
  };
}

/** The same, no deeper than any schema looks. */
function cut(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) {
    return depth === 0 ? [] : value.map((item) => cut(item, depth - 1));
  }
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    depth === 0
      ? []
      : Object.entries(value).map(([name, it]) => [name, cut(it, depth - 1)]),
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function textOf(
  { path = [], problem, expected, hint, isWhole = false }: Finding,
): string {
  const subject = path.length === 0 ? "what is given" : pathText(path);
  const wanted = isWhole ? "" : `, expected ${expected}`;
  return `${subject} ${problem}${wanted}${
    hint === undefined ? "" : ` (${hint})`
  }`;
}

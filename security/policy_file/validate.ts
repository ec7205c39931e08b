/** Checks a piece of a policy file against its schema. */

import { nearest, quote } from "../../_text.ts";
import type { JsonSchema } from "../json_schema.ts";
import { parseSize } from "../units.ts";
import type { ListNode, MapNode, PolicyNode, ScalarNode } from "./nodes.ts";
import { type Finding, MAX_PROBLEMS, type Path } from "./problems.ts";

/** What the switches of older versions of YAML stand for. */
const SWITCHES: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["y", true],
  ["on", true],
  ["false", false],
  ["no", false],
  ["n", false],
  ["off", false],
]);

/** Formats that are checked where they are read. */
const OPAQUE: ReadonlySet<JsonSchema["format"]> = new Set([
  "module",
  "policy",
  "limits",
  "code",
]);

/** Whether whoever reads it checks it. */
export function isOpaque({ format }: JsonSchema): boolean {
  return OPAQUE.has(format);
}

/** Tells what is wrong with a piece; nothing, if it is as its schema says. */
export function validate(
  node: PolicyNode,
  schema: JsonSchema,
  path: Path,
): readonly Finding[] {
  if (isOpaque(schema)) return [];
  if (schema.oneOf !== undefined) return validateOneOf(node, schema, path);
  if (schema.type === "object") {
    return node.kind === "map"
      ? validateMap(node, schema, path)
      : [wrong(node, schema, path)];
  }
  if (schema.type === "array") {
    return node.kind === "list"
      ? validateList(node, schema, path)
      : [wrong(node, schema, path)];
  }
  return isValue(node, schema) ? [] : [wrong(node, schema, path)];
}

/** The problems of the alternative that was most likely meant. */
function validateOneOf(
  node: PolicyNode,
  schema: JsonSchema,
  path: Path,
): readonly Finding[] {
  const tried = (schema.oneOf ?? []).map((each) => ({
    isKind: isOpaque(each) || kindOf(each) === node.kind,
    findings: validate(node, each, path),
  }));
  const sameKind = tried.filter(({ isKind }) => isKind);
  if (sameKind.length === 0) return [wrong(node, schema, path)];
  sameKind.sort((a, b) => a.findings.length - b.findings.length);
  const [best, second] = sameKind;
  if (best === undefined || best.findings.length === 0) return [];
  return node.kind === "scalar" && second !== undefined
    ? [wrong(node, schema, path)]
    : best.findings;
}

function kindOf({ type }: JsonSchema): PolicyNode["kind"] {
  return type === "object" ? "map" : type === "array" ? "list" : "scalar";
}

function validateMap(
  node: MapNode,
  { properties = {}, additionalProperties, required = [] }: JsonSchema,
  path: Path,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const name of required) {
    if (!node.entries.has(name)) {
      findings.push(missing(node, properties[name], [...path, name]));
    }
  }
  for (const [name, entry] of node.entries) {
    if (findings.length >= MAX_PROBLEMS) break;
    const schema = Object.hasOwn(properties, name)
      ? properties[name]
      : additionalProperties;
    if (schema === false) {
      const known = Object.keys(properties);
      findings.push(unknownName(entry.offset, name, known, path));
    } else if (schema !== undefined) {
      findings.push(...validate(entry.node, schema, [...path, name]));
    }
  }
  return findings;
}

function validateList(
  node: ListNode,
  { items, minItems = 0 }: JsonSchema,
  path: Path,
): readonly Finding[] {
  if (node.items.length < minItems) {
    const expected = minItems === 1 ? "an item" : `${minItems} items`;
    return [{ offset: node.offset, path, problem: "is too short", expected }];
  }
  const findings: Finding[] = [];
  if (items === undefined) return findings;
  for (const [index, item] of node.items.entries()) {
    if (findings.length >= MAX_PROBLEMS) break;
    findings.push(...validate(item, items, [...path, index]));
  }
  return findings;
}

function isValue(node: PolicyNode, schema: JsonSchema): boolean {
  if (node.kind !== "scalar") return isAny(schema);
  const { value } = node;
  if (schema.const !== undefined && value !== schema.const) return false;
  if (
    schema.enum !== undefined && !schema.enum.some((each) => each === value)
  ) {
    return false;
  }
  switch (schema.type) {
    case "string":
      return typeof value === "string" &&
        value.length >= (schema.minLength ?? 0) &&
        (schema.pattern === undefined ||
          new RegExp(schema.pattern, "u").test(value));
    case "integer":
    case "number":
      return typeof value === "number" &&
        (schema.type === "number" || Number.isInteger(value)) &&
        value >= (schema.minimum ?? -Infinity) &&
        value <= (schema.maximum ?? Infinity);
    case "boolean":
      return typeof value === "boolean";
    default:
      return true;
  }
}

function isAny({ type, const: only, enum: choices }: JsonSchema): boolean {
  return type === undefined && only === undefined && choices === undefined;
}

/** A problem with a name that must be there. */
export function missing(
  node: PolicyNode,
  schema: JsonSchema | undefined,
  path: Path,
): Finding {
  return {
    offset: node.offset,
    path,
    problem: "is missing",
    expected: schema === undefined ? "a value" : expectedBy(schema),
  };
}

/** A problem with a name that must not be there. */
export function unknownName(
  offset: number,
  name: string,
  known: readonly string[],
  path: Path,
): Finding {
  const suggestion = nearest(name, known);
  return {
    offset,
    path: [...path, name],
    problem: "is not known",
    expected: known.length === 0 ? "nothing" : `one of ${known.join(", ")}`,
    ...(suggestion === undefined
      ? {}
      : { hint: `did you mean ${quote(suggestion)}?` }),
  };
}

/** A problem with a value. */
export function wrong(
  node: PolicyNode,
  schema: JsonSchema,
  path: Path,
): Finding {
  const expected = expectedBy(schema);
  // quotes tell that it is text, unless nothing in quotes was expected
  const kind = isText(node) && !/["]|text/.test(expected) ? "the text " : "";
  return {
    offset: node.offset,
    path,
    problem: `is ${kind}${textOf(node)}`,
    expected,
    hint: hintFor(node, schema),
  };
}

function isText(node: PolicyNode): boolean {
  return node.kind === "scalar" && typeof node.value === "string";
}

/** What a piece is, in a word or as it is written. */
export function textOf(node: PolicyNode): string {
  if (node.kind === "map") return "an object";
  if (node.kind === "list") return "a list";
  const { value, plain, foreign } = node;
  if (foreign !== undefined) return foreign;
  if (value === null) return plain === "" ? "empty" : "null";
  if (typeof value === "string") return quote(value);
  return typeof value === "number" && plain !== String(value)
    ? `the number ${value}, written ${plain}`
    : String(value);
}

/** What a schema asks for, in words. */
function expectedBy(schema: JsonSchema): string {
  const { oneOf, const: only, enum: choices, type } = schema;
  if (oneOf !== undefined) return alternatives(oneOf.map(expectedBy));
  if (only !== undefined) return JSON.stringify(only);
  if (choices !== undefined) {
    return alternatives(choices.map((each) => JSON.stringify(each)));
  }
  switch (type) {
    case "object":
      return "an object";
    case "array":
      return "a list";
    case "boolean":
      return "true or false";
    case "string":
      return schema.pattern !== undefined
        ? `text that matches ${schema.pattern}`
        : (schema.minLength ?? 0) > 0
        ? "text that is not empty"
        : "text";
    case "integer":
    case "number":
      return (type === "integer" ? "a whole number" : "a number") +
        rangeText(schema);
    default:
      return "a value";
  }
}

function rangeText({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) {
    return ` from ${minimum} to ${maximum}`;
  }
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}

function alternatives(choices: readonly string[]): string {
  const unique = [...new Set(choices)];
  const last = unique.pop() ?? "";
  return unique.length === 0 ? last : `${unique.join(", ")} or ${last}`;
}

function hintFor(node: PolicyNode, schema: JsonSchema): string | undefined {
  if (node.kind !== "scalar") return undefined;
  const schemas = schema.oneOf ?? [schema];
  if (typeof node.value === "string") {
    const meant = schemas.map((each) => meantBy(node, each));
    return meant.find((each) => each !== undefined);
  }
  const isText = schemas.some(({ type }) => type === "string");
  return isText && node.plain !== undefined && node.value !== null
    ? `put it in quotes: "${node.plain}"`
    : undefined;
}

function meantBy(
  { value }: ScalarNode,
  { type, const: only, enum: choices = [] }: JsonSchema,
): string | undefined {
  const text = String(value);
  const words = [...choices, ...(only === undefined ? [] : [only])];
  const meant = type === "boolean" || typeof only === "boolean"
    ? SWITCHES.get(text.toLowerCase())
    : type === "integer"
    ? sizeOf(text)
    : suggestion(text, words.map(String));
  return meant === undefined
    ? undefined
    : `did you mean ${
      typeof only === "number" ? meant : JSON.stringify(meant)
    }?`;
}

function sizeOf(text: string): number | undefined {
  try {
    return parseSize(text);
  } catch {
    return undefined;
  }
}

/** The word that is near, or whose initials were written: `rw`. */
function suggestion(
  text: string,
  known: readonly string[],
): string | undefined {
  return nearest(text, known) ??
    known.find((each) =>
      each.split(/[-_]/).map((word) => word.charAt(0)).join("") === text
    );
}

/**
 * Writes the reference of manifests, in docs/wrappers.md, out of the schemas of
 * the kinds of wrappers.
 *
 * @module
 */

import type { JsonSchema } from "../../security/json_schema.ts";
import {
  REFERENCE_START,
  table,
} from "../../security/policy_file/reference.ts";
import { GUEST_PROPERTIES } from "../guest_options.ts";
import type { WrapperFactory } from "../mod.ts";
import { manifestSchema } from "./schema.ts";

export { REFERENCE_START };

/** How deep the objects within objects are listed. */
const MAX_DEPTH = 3;

/**
 * Writes the part of the reference that lists every name.
 *
 * @param wrappers The kinds of wrappers.
 * @returns Markdown.
 */
export async function manifestReference(
  wrappers: WrapperFactory,
): Promise<string> {
  const { properties = {} } = await manifestSchema(wrappers);
  const { $schema: _, version = {}, ...kinds } = properties;
  const sections = Object.entries(kinds);
  const [, any = {}] = sections.find(([, each]) => hasGuest(each)) ?? [];
  return [
    REFERENCE_START,
    "## The file",
    table({ properties: { version, ...kinds }, required: ["version"] }),
    "## What every guest has",
    "Wherever there is a guest: what runs, and under which bounds. `limits` and " +
    "the items of `policy` are those of [policy files](policy.md).",
    table({ properties: pick(any, isGuestName) }),
    ...sections.flatMap(([name, schema]) => [
      `## \`${name}\``,
      ...(schema.description === undefined ? [] : [schema.description]),
      ...parts(schema, name, MAX_DEPTH),
    ]),
  ].join("\n\n") + "\n";
}

/** A table of an object, and of each of the objects within. */
function parts(
  schema: JsonSchema,
  path: string,
  depth: number,
): readonly string[] {
  if (depth === 0) return [];
  const isGuest = hasGuest(schema);
  const own = pick(schema, (name) => !isGuest || !isGuestName(name));
  const required = schema.required ?? [];
  const inner = Object.entries(own).flatMap(([name, each]) =>
    objectsOf(each, `${path}.${name}`).flatMap(([place, object]) => [
      `### \`${place}\``,
      ...parts(object, place, depth - 1),
    ])
  );
  return [
    ...(isGuest ? ["Has a guest, and besides:"] : []),
    ...(Object.keys(own).length === 0
      ? ["Nothing."]
      : [table({ properties: own, required })]),
    ...inner,
  ];
}

/** The objects that a value may be or hold, and what they are called. */
function objectsOf(
  schema: JsonSchema,
  path: string,
): readonly (readonly [string, JsonSchema])[] {
  const { properties, additionalProperties, items, oneOf = [] } = schema;
  return [
    ...(properties === undefined ? [] : [[path, schema] as const]),
    ...(additionalProperties
      ? objectsOf(additionalProperties, `${path}.*`)
      : []),
    ...(items === undefined ? [] : objectsOf(items, `${path}[]`)),
    ...oneOf.flatMap((each) => objectsOf(each, path)),
  ];
}

function hasGuest({ properties = {} }: JsonSchema): boolean {
  return ["module", "isolation", "policy"].every((name) =>
    Object.hasOwn(properties, name)
  );
}

function isGuestName(name: string): boolean {
  return Object.hasOwn(GUEST_PROPERTIES, name);
}

function pick(
  { properties = {} }: JsonSchema,
  keep: (name: string) => boolean,
): Record<string, JsonSchema> {
  const kept = Object.entries(properties).filter(([name]) => keep(name));
  return Object.fromEntries(kept);
}

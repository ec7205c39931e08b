/**
 * Writes the reference of policy files, docs/policy.md, out of their schema.
 *
 * @module
 */

import { CapabilityKinds } from "../kinds.ts";
import type { JsonSchema } from "../json_schema.ts";
import type { CapabilityKind } from "../types.ts";
import { policySchema } from "./schema.ts";

/** What stands before the part that is generated. */
export const REFERENCE_START =
  "<!-- From here on generated from the schema. -->";

/**
 * Writes the part of the reference that lists every name.
 *
 * @param kinds The kinds of capabilities; the built-in ones, if left out.
 * @returns Markdown.
 */
export function policyReference(
  kinds: CapabilityKinds = new CapabilityKinds(),
): string {
  const { properties = {} } = policySchema(kinds);
  const { limits = {}, ...others } = properties;
  return [
    REFERENCE_START,
    "## The file",
    table({ properties: { ...others, limits }, required: ["version"] }),
    "## Limits",
    "What is left out has its default; without a default it is not limited, but " +
    "for `stackBytes`: then the stack is V8's own, of some 984 KiB.",
    table(limits),
    "## Capabilities",
    ...[...kinds].flatMap(kindSection),
  ].join("\n\n") + "\n";
}

function kindSection(kind: CapabilityKind): readonly string[] {
  const { type, schema, notProtected } = kind;
  return [
    `### \`${type}\``,
    ...(schema.description === undefined ? [] : [schema.description]),
    ...sections(schema),
    ...(notProtected.length === 0 ? [] : [
      "What it does not protect against:",
      notProtected.map((sentence) => `- ${sentence}`).join("\n"),
    ]),
  ];
}

/** A table of an object's names, and tables of the objects in its lists. */
function sections(schema: JsonSchema): readonly string[] {
  const { properties = {} } = schema;
  const lists = Object.entries(properties).flatMap(([name, { items }]) =>
    (items?.oneOf ?? (items === undefined ? [] : [items]))
      .filter(({ type }) => type === "object")
      .map((item) => [name, item] as const)
  );
  return [
    table(schema),
    ...lists.flatMap(([name, item]) => [
      `An item of \`${name}\`${
        item.description === undefined ? "" : `. ${item.description}`
      }`.replace(/\.$/, "") + ":",
      table(item),
    ]),
  ];
}

/** Writes a table of the names that a schema knows. */
export function table({ properties = {}, required = [] }: JsonSchema): string {
  const rows = Object.entries(properties).map(([name, schema]) => [
    `\`${name}\``,
    typeText(schema),
    required.includes(name)
      ? "required"
      : schema.default === undefined
      ? ""
      : `\`${JSON.stringify(schema.default)}\``,
    schema.description ?? "",
  ]);
  return aligned([["name", "value", "default", "what it is"], ...rows]);
}

/** Writes a table as a formatter does, the first row at its head. */
function aligned(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((each) => each.map((it) => it.replaceAll("|", "\\|")));
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...cells.map((each) => each[column]?.length ?? 0))
  );
  const lines = cells.map((each) =>
    each.map((cell, column) => cell.padEnd(widths[column] ?? 0))
  );
  const rule = widths.map((width) => "-".repeat(width));
  return [...lines.slice(0, 1), rule, ...lines.slice(1)]
    .map((each) => `| ${each.join(" | ")} |`).join("\n");
}

function typeText(schema: JsonSchema): string {
  const { type, const: only, enum: choices, oneOf, items } = schema;
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (choices !== undefined) {
    return choices.map((each) => `\`${JSON.stringify(each)}\``).join(", ");
  }
  if (oneOf !== undefined) {
    return [...new Set(oneOf.map(typeText))].join(" or ");
  }
  switch (type) {
    case "array":
      return items === undefined ? "list" : `list of ${typeText(items)}`;
    case "string":
      return "text";
    case "integer":
      return `whole number${rangeText(schema)}`;
    default:
      return type ?? "any";
  }
}

function rangeText({ minimum = 0, maximum }: JsonSchema): string {
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
    ? ` from ${minimum}`
    : ` from ${minimum} to ${maximum}`;
}

/** The reference of the templates, out of their schemas. */

import {
  REFERENCE_START,
  table,
} from "../../security/policy_file/reference.ts";
import type { JsonSchema } from "../../security/json_schema.ts";
import { TemplateFactory, type TemplateRenderer } from "../../templates/mod.ts";

/** The page that ends in it. */
export const PAGE: URL = new URL("../../docs/templates.md", import.meta.url);

/** Where the generated part of the page starts. */
export { REFERENCE_START };

/**
 * Writes the part of the page that lists every template.
 *
 * @returns Markdown.
 */
export async function templateReference(): Promise<string> {
  const templates = new TemplateFactory();
  const sections: string[] = [];
  for (const name of templates) {
    sections.push(...await sectionOf(await templates.create(name)));
  }
  return `${[REFERENCE_START, ...sections].join("\n\n")}\n`;
}

async function sectionOf(template: TemplateRenderer): Promise<string[]> {
  const { name, description, schema } = template;
  const parts = [`## \`${name}\``, description, table(schema)];
  for (const [key, { properties }] of objectsOf(schema)) {
    parts.push(`\`${key}\` has:`, table(properties ? { properties } : {}));
  }
  return [...parts, ...await filesOf(template)];
}

function objectsOf({ properties = {} }: JsonSchema): [string, JsonSchema][] {
  return Object.entries(properties)
    .filter(([, each]) => each.properties !== undefined);
}

/** The files, or those for each language of the guests. */
async function filesOf(template: TemplateRenderer): Promise<string[]> {
  const { language } = template.schema.properties ?? {};
  if (language?.enum === undefined) return [await linesOf(template, {})];
  const lists: string[] = [];
  for (const each of language.enum) {
    const [needs = ""] = template.next?.({ language: each }) ?? [];
    lists.push(`In \`${each}\`. ${needs.replace(/\.$/, "")}.`);
    lists.push(await linesOf(template, { language: each }));
  }
  return lists;
}

async function linesOf(
  template: TemplateRenderer,
  config: Readonly<Record<string, unknown>>,
): Promise<string> {
  const paths = [...(await template.render(config)).keys()];
  return `Files: ${paths.map((path) => `\`${path}\``).join(", ")}.`;
}

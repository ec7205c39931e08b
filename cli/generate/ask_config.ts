/** What is not given, asked for at a terminal. */

import { ValidationError } from "@cliffy/command";
import { nearest, printable, quote } from "../../_text.ts";
import type { JsonSchema } from "../../security/json_schema.ts";
import type { TemplateFactory } from "../../templates/mod.ts";
import type { TemplateConfig } from "../../templates/types.ts";
import type { CliHost } from "../host.ts";
import { ask } from "../questions.ts";
import { styleOf } from "../style.ts";
import { table } from "../table.ts";
import { problemOf, typed } from "./values.ts";

/** A template, as a list shows it. */
export interface Entry {
  /** Its name. */
  readonly name: string;
  /** What it makes. */
  readonly description: string;
}

/**
 * All templates, as a list shows them.
 *
 * @param templates The templates.
 * @returns Names and descriptions.
 */
export async function entriesOf(
  templates: TemplateFactory,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const name of templates) {
    const { description } = await templates.create(name);
    entries.push({ name, description });
  }
  return entries;
}

/**
 * Asks which template to take.
 *
 * @param host Whom to ask.
 * @param templates The templates.
 * @returns The name of one.
 */
export async function askTemplate(
  host: CliHost,
  templates: TemplateFactory,
): Promise<string> {
  const entries = await entriesOf(templates);
  const style = styleOf(host, "stderr");
  const rows = entries.map(({ name, description }, index) => [
    String(index + 1),
    { text: printable(name), paint: style.code },
    printable(description),
  ]);
  const lines = table(rows, { width: host.columns(), indent: 2, right: [0] });
  await host.stderr(`${lines.join("\n")}\n`);
  const names = entries.map(({ name }) => name);
  return await ask(host, {
    label: "template (number or name)",
    read: (text) => templateOf(text, names),
  });
}

function templateOf(text: string, names: readonly string[]): string {
  const found = /^\d+$/.test(text)
    ? names[Number(text) - 1]
    : names.find((name) => name === text.replaceAll("-", "_"));
  if (found !== undefined) return found;
  const near = nearest(text, names);
  const hint = near === undefined ? "" : ` (did you mean ${quote(near)}?)`;
  throw new ValidationError(`There is no template ${quote(text)}${hint}`);
}

/**
 * Asks for values that a config lacks.
 *
 * @param host Whom to ask.
 * @param schema The template's schema.
 * @param config What there is.
 * @param all Whether what has a default is asked for, too.
 * @returns What was answered.
 */
export async function askConfig(
  host: CliHost,
  { properties = {}, required = [] }: JsonSchema,
  config: TemplateConfig,
  all: boolean,
): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(properties)) {
    if (Object.hasOwn(config, name) || !isOnALine(schema)) continue;
    const isWanted = all && schema.default !== undefined;
    if (!required.includes(name) && !isWanted) continue;
    answers[name] = await ask(host, {
      label: labelOf(name, schema),
      about: schema.description,
      standard: schema.default === undefined
        ? undefined
        : String(schema.default),
      read: (text) => valueOf(text, schema),
    });
  }
  return answers;
}

function labelOf(name: string, { type, enum: choices }: JsonSchema): string {
  const all = type === "boolean" ? ["true", "false"] : choices;
  return all === undefined ? name : `${name} (${all.join(", ")})`;
}

function isOnALine({ type, oneOf, format }: JsonSchema): boolean {
  return type !== "object" && type !== "array" && oneOf === undefined &&
    format !== "code" && format !== "policy" && format !== "limits";
}

function valueOf(text: string, schema: JsonSchema): unknown {
  const finding = problemOf(text, schema);
  if (finding === undefined) return typed(text, schema);
  const { problem, expected, hint } = finding;
  throw new ValidationError(
    `it ${problem}, expected ${expected}${
      hint === undefined ? "" : ` (${hint})`
    }`,
  );
}

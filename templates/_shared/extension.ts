/** What the templates of extension points share. */

import type { JsonSchema } from "../../security/json_schema.ts";
import { HandlebarsTemplate } from "../handlebars_template.ts";
import { pascal } from "../names.ts";
import { isSafePath } from "../paths.ts";
import type { TemplateConfig } from "../types.ts";
import DENO_JSON from "./extension/deno.json.hbs" with { type: "text" };
import README from "./extension/README.md.hbs" with { type: "text" };
import { LINK_PROPERTY, projectImports } from "./imports.ts";

/** What a template of an extension point is made from. */
export interface ExtensionOptions {
  /** Name of the extension point, in snake case. */
  readonly name: string;
  /** What it makes, in a sentence. */
  readonly description: string;
  /** What an extension is called if nobody says. */
  readonly example: string;
  /** What an extension does if nobody says. */
  readonly purpose: string;
  /** Names of the package's own. */
  readonly taken: readonly string[];
  /** The extension: one file. */
  readonly source: string;
  /** Its conformance test. */
  readonly test: string;
  /** The file that registers it and shows it at work. */
  readonly main: string;
  /** Permissions that the main file needs. */
  readonly startFlags?: readonly string[];
  /** Permissions that the test needs. */
  readonly testFlags?: readonly string[];
  /** The line that registers it, where there is a project already. */
  readonly registration: (name: string) => string;
  /** What else is inserted. */
  readonly derive?: (config: TemplateConfig) => TemplateConfig;
  /** What to look after, as the page of the project says it. */
  readonly steps: readonly string[];
}

/**
 * Makes the template of an extension point: the extension in one file, its
 * conformance test, and a project around both, unless there is one.
 *
 * @param options What differs between extension points.
 * @returns The template.
 */
export function extensionTemplate(
  options: ExtensionOptions,
): HandlebarsTemplate {
  const { name, description, main } = options;
  return new HandlebarsTemplate({
    name,
    description,
    schema: schemaOf(options),
    files: {
      "deno.json": project(DENO_JSON),
      "main.ts": project(main),
      "{{identifier name}}.ts": options.source,
      "{{identifier name}}_test.ts": options.test,
      "README.md": project(README),
    },
    derive: (config) => ({
      name: freeName(config, options),
      ...projectImports(config),
      ...options.derive?.(config),
      point: name,
      steps: options.steps,
      tasks: {
        start: commandOf("run", options.startFlags, "main.ts"),
        test: commandOf("test", options.testFlags),
      },
    }),
    next: (config) => nextSteps(config, options),
  });
}

function schemaOf({ example, purpose }: ExtensionOptions): JsonSchema {
  return {
    type: "object",
    properties: {
      name: {
        description: "The name that it is registered under, in snake case.",
        type: "string",
        pattern: "^[a-z][a-z0-9_]{0,39}$",
        default: example,
      },
      description: {
        description: "What it does, in a sentence.",
        type: "string",
        minLength: 1,
        default: purpose,
      },
      into: {
        description: "Whether there is a project already: the extension and " +
          "its test are all that is written.",
        type: "boolean",
        default: false,
      },
      link: LINK_PROPERTY,
    },
    additionalProperties: false,
  };
}

/** A name that no built-in one has, and that files can have. */
function freeName(
  { name }: TemplateConfig,
  { name: point, taken }: ExtensionOptions,
): unknown {
  if (!isSafePath(`${name}.ts`)) {
    throw new TypeError(
      `name is "${name}", which Windows keeps for a device (take another)`,
    );
  }
  // "custom_" would make the same class of it
  const own = taken.find((each) => pascal(each) === pascal(String(name)));
  if (own === undefined) return name;
  throw new TypeError(
    `name is "${name}", and "${own}" is a ${point} of the package's own ` +
      "(take another)",
  );
}

/** A file that is written only where there is no project yet. */
function project(text: string): string {
  return `{{#unless into}}${text}{{/unless}}`;
}

function commandOf(
  subcommand: string,
  flags: readonly string[] = [],
  ...files: readonly string[]
): string {
  return ["deno", subcommand, ...flags, ...files].join(" ");
}

function nextSteps(
  { name, into }: TemplateConfig,
  { registration, testFlags }: ExtensionOptions,
): readonly string[] {
  if (into !== true) return ["deno task test", "deno task start"];
  return [
    `Register it: ${registration(String(name))}`,
    commandOf("test", testFlags, `${name}_test.ts`),
  ];
}

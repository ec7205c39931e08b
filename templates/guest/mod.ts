/**
 * The template `guest`: a guest in one of six languages.
 *
 * @module
 */

import {
  checkoutUrl,
  LINK_PROPERTY,
  projectImports,
} from "../_shared/imports.ts";
import { HandlebarsTemplate } from "../handlebars_template.ts";
import type { TemplateConfig } from "../types.ts";
import DENO_JSON from "./deno.json.hbs" with { type: "text" };
import { GUEST_LANGUAGES, type GuestLanguage } from "./languages.ts";
import MAIN from "./main.ts.hbs" with { type: "text" };
import README from "./README.md.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A guest in one of six languages, with a test that calls it in a sandbox. */
export const GUEST_TEMPLATE: HandlebarsTemplate = new HandlebarsTemplate({
  name: "guest",
  description:
    "A guest in a language of your choice, with a test that calls it.",
  schema: {
    type: "object",
    properties: {
      name: {
        description: "What it is called: any text.",
        type: "string",
        minLength: 1,
        default: "greeter",
      },
      language: {
        description: "What it is written in.",
        enum: Object.keys(GUEST_LANGUAGES),
        default: "assemblyscript",
      },
      greeting: {
        description: "What it greets with: any text.",
        type: "string",
        default: "Hello",
      },
      link: LINK_PROPERTY,
    },
    additionalProperties: false,
  },
  files: {
    "deno.json": DENO_JSON,
    "main.ts": MAIN,
    "guest_test.ts": TEST,
    ...languageFiles(),
    "README.md": README,
  },
  derive: valuesOf,
  next: ({ language }) => [
    `It takes ${languageOf(language).needs}`,
    "deno task test",
    "deno task start",
  ],
});

/** The files of all languages; of those that are not chosen nothing is left. */
function languageFiles(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(GUEST_LANGUAGES).flatMap(([name, { files }]) =>
      Object.entries(files).map(([path, text]) => [
        path,
        `{{#if (eq language "${name}")}}${text}{{/if}}`,
      ])
    ),
  );
}

function valuesOf(config: TemplateConfig): TemplateConfig {
  const { greeting, language, link } = config;
  const { title, needs, build, policy } = languageOf(language);
  // within a string of JSON, which a guest puts together without a library
  const inside = JSON.stringify(greeting).slice(1, -1);
  return {
    ...projectImports(config, ["@std/assert"]),
    title,
    needs,
    build,
    policy: policy ?? null,
    before: `{"greeting":"${inside}, `,
    interpreter: interpreterOf(link),
  };
}

function languageOf(language: unknown): GuestLanguage {
  const found = GUEST_LANGUAGES[String(language)];
  if (found !== undefined) return found;
  throw new TypeError(`language is ${language}, which is none of those known`);
}

/** A checkout has the interpreter; others put it beside the project. */
function interpreterOf(link: unknown): string {
  if (typeof link !== "string") return "quickjs.wasm";
  return new URL("examples/apps/quickjs/quickjs.wasm", checkoutUrl(link)).href;
}

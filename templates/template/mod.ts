/**
 * The template `template`: a template of one's own.
 *
 * @module
 */

import { extensionTemplate } from "../_shared/extension.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import { constant } from "../names.ts";
import MAIN from "./main.ts.hbs" with { type: "text" };
import SOURCE from "./source.ts.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A template of one's own. */
export const TEMPLATE_TEMPLATE: HandlebarsTemplate = extensionTemplate({
  name: "template",
  description: "A template of your own, with its conformance test.",
  example: "greeting",
  purpose: "writes a program that greets.",
  taken: [
    "capability",
    "channel",
    "cli_tool",
    "generic",
    "guest",
    "http_server",
    "mcp_server",
    "plugin",
    "runtime",
    "template",
    "wrapper",
  ],
  source: SOURCE,
  test: TEST,
  main: MAIN,
  // Babel, which looks at what is rendered, asks for the environment
  startFlags: ["--allow-env", "--allow-read"],
  // the suite writes a folder, and runs deno check there
  testFlags: ["-A"],
  registration: (name) =>
    `templates.register("${name}", () => ${constant(name)}_TEMPLATE)`,
  derive: ({ description }) => ({ sentence: sentence(String(description)) }),
  steps: [
    "Give each value a property with a description, and a pattern if it becomes a name.",
    "Let what is rendered pass its own tests: somebody sees it first.",
    "Render odd texts: the suite puts them in the place of each text of a config.",
  ],
});

/** The description as a template gives it: a whole sentence on one line. */
function sentence(text: string): string {
  const line = text.replace(/[\s\p{C}]+/gu, " ").trim();
  const start = /^[\p{Ll}\p{Lu}]/u.test(line) ? line : `It: ${line}`;
  const whole = start.charAt(0).toUpperCase() + start.slice(1);
  return /\.$/.test(whole) ? whole : `${whole}.`;
}

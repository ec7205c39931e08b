/**
 * The template `wrapper`: a wrapper of one's own.
 *
 * @module
 */

import { extensionTemplate } from "../_shared/extension.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import { constant } from "../names.ts";
import MAIN from "./main.ts.hbs" with { type: "text" };
import SOURCE from "./source.ts.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A wrapper of one's own. */
export const WRAPPER_TEMPLATE: HandlebarsTemplate = extensionTemplate({
  name: "wrapper",
  description: "A wrapper of your own, with its conformance test.",
  example: "oracle",
  taken: ["cli_tool", "custom", "mcp_server", "http_server", "plugin"],
  purpose: "answers questions by asking a guest.",
  source: SOURCE,
  test: TEST,
  main: MAIN,
  startFlags: ["--allow-read"],
  // the suite measures what is left behind, processes and sockets included
  testFlags: ["-A"],
  registration: (name) =>
    `wrappers.register("${name}", () => ${constant(name)}_WRAPPER)`,
  steps: [
    "Give it the shape that its users know, in the place of ask.",
    "Bound what users send before the guest sees it, and check what it answers.",
    "Print nothing, listen to nothing and start nothing before you are asked to.",
  ],
});

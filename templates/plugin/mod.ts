/**
 * The template `plugin`: a host of plugins, with a first one.
 *
 * @module
 */

import { applicationTemplate, JSON_LIBRARIES } from "../_shared/application.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import GUEST from "./guest.ts.hbs" with { type: "text" };
import MAIN from "./main.ts.hbs" with { type: "text" };
import README from "./README.md.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A host of plugins, with a first one. */
export const PLUGIN_TEMPLATE: HandlebarsTemplate = applicationTemplate({
  name: "plugin",
  description: "A host of plugins in sandboxes, with a first one.",
  example: "text-tools",
  module: "a plugin that exports transform",
  limits: { memoryBytes: 16 * 2 ** 20, timeoutMs: 1_000 },
  main: MAIN,
  test: TEST,
  readme: README,
  guest: {
    source: GUEST,
    libraries: JSON_LIBRARIES,
    name: "capitals",
    folder: "plugins/",
  },
});

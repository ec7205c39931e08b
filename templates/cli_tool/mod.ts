/**
 * The template `cli_tool`: a command that is a program for WASI.
 *
 * @module
 */

import { applicationTemplate } from "../_shared/application.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import GUEST from "./guest.ts.hbs" with { type: "text" };
import MAIN from "./main.ts.hbs" with { type: "text" };
import README from "./README.md.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };
import WASI from "./wasi.ts.hbs" with { type: "text" };

/** A command that is a program for WASI. */
export const CLI_TOOL_TEMPLATE: HandlebarsTemplate = applicationTemplate({
  name: "cli_tool",
  description: "A command that is a program for WASI, in a sandbox.",
  example: "count-words",
  module: "a program for WASI",
  limits: { memoryBytes: 64 * 2 ** 20, timeoutMs: 10_000 },
  main: MAIN,
  test: TEST,
  readme: README,
  guest: {
    source: GUEST,
    libraries: { "wasi.ts": WASI },
    flags: ["--exportStart _start"],
  },
  derive: ({ name }) => ({
    usage: `usage: ${name} < TEXT\nCounts the words of a text.\n`,
  }),
});

/**
 * The template `http_server`: a web server whose requests a guest answers.
 *
 * @module
 */

import { applicationTemplate } from "../_shared/application.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import GUEST from "./guest.ts.hbs" with { type: "text" };
import MAIN from "./main.ts.hbs" with { type: "text" };
import README from "./README.md.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A web server whose requests a guest answers. */
export const HTTP_SERVER_TEMPLATE: HandlebarsTemplate = applicationTemplate({
  name: "http_server",
  description: "A web server whose requests a guest answers, in a sandbox.",
  example: "word-counter",
  module: "a guest that exports handle, or of a WASI program",
  limits: { memoryBytes: 16 * 2 ** 20, timeoutMs: 1_000 },
  properties: {
    port: {
      description: "Port that it listens at, on this machine.",
      type: "integer",
      minimum: 1,
      maximum: 65_535,
      default: 8_000,
    },
  },
  main: MAIN,
  test: TEST,
  readme: README,
  guest: { source: GUEST },
  startFlags: ({ port }) => [`--allow-net=127.0.0.1:${port}`],
  derive: ({ name }) => ({
    usage: `${name}: POST a text, and its words are counted.\n`,
  }),
});

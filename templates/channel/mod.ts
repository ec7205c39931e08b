/**
 * The template `channel`: a channel of one's own.
 *
 * @module
 */

import { extensionTemplate } from "../_shared/extension.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import { pascal } from "../names.ts";
import MAIN from "./main.ts.hbs" with { type: "text" };
import SOURCE from "./source.ts.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A channel of one's own. */
export const CHANNEL_TEMPLATE: HandlebarsTemplate = extensionTemplate({
  name: "channel",
  description: "A channel of your own, with its conformance test.",
  example: "mailbox",
  taken: ["memory", "rpc"],
  purpose: "carries messages between a host and its guests.",
  source: SOURCE,
  test: TEST,
  main: MAIN,
  registration: (name) =>
    `channels.register("${name}", (options) => new ${
      pascal(name)
    }Channel(options))`,
  steps: [
    "Let the messages travel where you need them: each direction is a Lane.",
    "Keep the bounds. A channel that takes everything lets a guest fill the memory.",
    "Give the channel to Sandbox.create, as its option channel.",
  ],
});

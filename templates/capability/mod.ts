/**
 * The template `capability`: a kind of capability of one's own.
 *
 * @module
 */

import { extensionTemplate } from "../_shared/extension.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import { constant } from "../names.ts";
import MAIN from "./main.ts.hbs" with { type: "text" };
import SOURCE from "./source.ts.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A kind of capability of one's own. */
export const CAPABILITY_TEMPLATE: HandlebarsTemplate = extensionTemplate({
  name: "capability",
  description: "A kind of capability of your own, with its conformance test.",
  example: "printers",
  taken: [
    "filesystem",
    "network",
    "environment",
    "clock",
    "random",
    "process",
    "stdio",
    "host_functions",
    "custom_access",
  ],
  purpose: "grants printers by name.",
  source: SOURCE,
  test: TEST,
  main: MAIN,
  registration: (name) =>
    `new CapabilityKinds().register(${
      constant(name)
    }_KIND), as capabilityKinds ` +
    "of the sandbox",
  derive: ({ name }) => ({ operation: `${name}.use` }),
  steps: [
    "Say in notProtected what a grant does not keep a guest from.",
    "Compare exactly, or by whole segments: resource1 must not cover resource10.",
    "Ask before you act: a host function names the capability that it needs.",
  ],
});

/**
 * The template `generic`: an application around one function of a guest.
 *
 * @module
 */

import { applicationTemplate, JSON_LIBRARIES } from "../_shared/application.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import GUEST from "./guest.ts.hbs" with { type: "text" };
import MAIN from "./main.ts.hbs" with { type: "text" };
import README from "./README.md.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** What a guest exports anyway. */
const EXPORTS: readonly unknown[] = [
  "memory",
  "wasm_sandbox_abi_1",
  "wasm_sandbox_alloc",
  "wasm_sandbox_free",
];

/** An application around one function of a guest. */
export const GENERIC_TEMPLATE: HandlebarsTemplate = applicationTemplate({
  name: "generic",
  description: "An application around one function of a guest, in a sandbox.",
  example: "capitals",
  module: "a guest that exports the entry point",
  limits: { memoryBytes: 16 * 2 ** 20, timeoutMs: 1_000 },
  properties: {
    entryPoint: {
      description: "Name of the function that answers.",
      type: "string",
      pattern: "^[A-Za-z][A-Za-z0-9_]{0,39}$",
      default: "process",
    },
  },
  main: MAIN,
  test: TEST,
  readme: README,
  guest: { source: GUEST, libraries: JSON_LIBRARIES },
  derive: ({ entryPoint }) => {
    if (!EXPORTS.includes(entryPoint)) return {};
    throw new TypeError(
      `entryPoint is "${entryPoint}", which guests export anyway (take another)`,
    );
  },
});

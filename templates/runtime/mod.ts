/**
 * The template `runtime`: a runtime of one's own.
 *
 * @module
 */

import { extensionTemplate } from "../_shared/extension.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import { pascal } from "../names.ts";
import MAIN from "./main.ts.hbs" with { type: "text" };
import SOURCE from "./source.ts.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** A runtime of one's own. */
export const RUNTIME_TEMPLATE: HandlebarsTemplate = extensionTemplate({
  name: "runtime",
  description: "A runtime of your own, with its conformance test.",
  example: "engine",
  purpose: "compiles and runs modules.",
  taken: ["auto", "v8", "wasmtime", "wasmer"],
  source: SOURCE,
  test: TEST,
  main: MAIN,
  // the suite looks at files, processes and memory
  testFlags: ["-A"],
  registration: (name) =>
    `runtimes.register("${name}", () => ${pascal(name)}Runtime.open())`,
  steps: [
    "Claim in features what holds against a hostile guest, and nothing else.",
    "Find what engines share in the entry runtime-authors of the package.",
    "See examples of the package for a whole interpreter.",
  ],
});

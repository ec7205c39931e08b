/**
 * Writes the generated part of docs/templates.md anew:
 * `deno task deno run -A tests/templates/update_docs.ts`.
 *
 * @module
 */

import { PAGE, REFERENCE_START, templateReference } from "./_reference.ts";

if (import.meta.main) {
  const [intro = ""] = (await Deno.readTextFile(PAGE)).split(REFERENCE_START);
  await Deno.writeTextFile(PAGE, intro + await templateReference());
}

/**
 * Writes docs/cli.md anew out of the commands: `deno task docs:cli`.
 *
 * @module
 */

import { describeAll } from "../../cli/main.ts";
import { referencePage } from "./_reference.ts";

/** The page that is written. */
export const PAGE: URL = new URL("../../docs/cli.md", import.meta.url);

if (import.meta.main) {
  await Deno.writeTextFile(PAGE, referencePage(describeAll()));
  const format = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", PAGE.pathname],
  });
  await format.output();
}

/**
 * Writes docs/manifest.schema.json and the generated part of docs/wrappers.md
 * anew: `deno task deno run -A tests/wrappers/update_docs.ts`.
 *
 * @module
 */

import { manifestSchema } from "../../wrappers/manifest/mod.ts";
import {
  manifestReference,
  REFERENCE_START,
} from "../../wrappers/manifest/reference.ts";
import { WrapperFactory } from "../../wrappers/mod.ts";

if (import.meta.main) {
  const wrappers = new WrapperFactory();
  const docs = new URL("../../docs/", import.meta.url);
  const page = new URL("wrappers.md", docs);
  const [intro = ""] = (await Deno.readTextFile(page)).split(REFERENCE_START);
  await Deno.writeTextFile(page, intro + await manifestReference(wrappers));
  await Deno.writeTextFile(
    new URL("manifest.schema.json", docs),
    `${JSON.stringify(await manifestSchema(wrappers), null, 2)}\n`,
  );
}

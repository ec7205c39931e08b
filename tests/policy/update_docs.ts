/**
 * Writes docs/policy.schema.json and the generated part of docs/policy.md anew:
 * `deno task deno run -A tests/policy/update_docs.ts`.
 *
 * @module
 */

import { policySchema } from "../../security/policy_file/mod.ts";
import {
  policyReference,
  REFERENCE_START,
} from "../../security/policy_file/reference.ts";

if (import.meta.main) {
  const docs = new URL("../../docs/", import.meta.url);
  const page = new URL("policy.md", docs);
  const [intro = ""] = (await Deno.readTextFile(page)).split(REFERENCE_START);
  await Deno.writeTextFile(page, intro + policyReference());
  await Deno.writeTextFile(
    new URL("policy.schema.json", docs),
    `${JSON.stringify(policySchema(), null, 2)}\n`,
  );
}

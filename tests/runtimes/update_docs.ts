/**
 * Writes the generated parts of docs/runtimes.md anew: `deno task docs:runtimes`.
 * What runtimes cost is what `deno task bench --json bench/runtimes.json
 * runtimes` has found.
 *
 * @module
 */

import type { RuntimeFigures } from "../../bench/runtimes.ts";
import { costsPart } from "./_costs.ts";
import { builtInPlaces } from "./_places.ts";
import {
  featuresPart,
  type PartName,
  versionsPart,
  withPart,
} from "./_reference.ts";

/** The page that is written. */
export const PAGE: URL = new URL("../../docs/runtimes.md", import.meta.url);

const FIGURES = new URL("../../bench/runtimes.json", import.meta.url);

/** The figures that are committed. */
async function readFigures(): Promise<RuntimeFigures> {
  const { runtimes }: { runtimes: RuntimeFigures } = JSON.parse(
    await Deno.readTextFile(FIGURES),
  );
  return runtimes;
}

/** Each generated part, as it has to be. */
export async function generatedParts(): Promise<
  Readonly<Record<PartName, string>>
> {
  return {
    versions: versionsPart(),
    features: featuresPart(await builtInPlaces()),
    costs: costsPart(await readFigures()),
  };
}

if (import.meta.main) {
  let page = await Deno.readTextFile(PAGE);
  for (const [name, text] of Object.entries(await generatedParts())) {
    page = withPart(page, name as PartName, text);
  }
  await Deno.writeTextFile(PAGE, page);
}

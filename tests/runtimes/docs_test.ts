import { assertEquals } from "@std/assert";
import { RuntimeFactory } from "../../runtime/mod.ts";
import { builtInPlaces } from "./_places.ts";
import { type PartName, readPart } from "./_reference.ts";
import { generatedParts, PAGE } from "./update_docs.ts";

Deno.test("docs/runtimes.md has what the code and the figures say", async () => {
  const page = await Deno.readTextFile(PAGE);
  for (const [name, text] of Object.entries(await generatedParts())) {
    // if they differ: deno task docs:runtimes
    assertEquals(readPart(page, name as PartName), text, name);
  }
});

Deno.test("builtInPlaces() has every runtime that is built in", async () => {
  const runtimes = (await builtInPlaces()).map(({ runtime }) => runtime);
  assertEquals(new Set(runtimes), new Set(new RuntimeFactory()));
});

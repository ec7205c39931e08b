import { assertEquals } from "@std/assert";
import { PAGE, REFERENCE_START, templateReference } from "./_reference.ts";

Deno.test("docs/templates.md ends in what the templates take", async () => {
  // tests/templates/update_docs.ts writes it anew
  const text = await Deno.readTextFile(PAGE);
  assertEquals(
    text.slice(text.indexOf(REFERENCE_START)),
    await templateReference(),
  );
});

import { assert, assertEquals } from "@std/assert";
import {
  anchorsOf,
  documents,
  linksOf,
  problemOf,
  readDocument,
} from "./_links.ts";

Deno.test("every link between documents leads somewhere", async () => {
  const problems: string[] = [];
  for (const from of await documents()) {
    for (const target of linksOf(await readDocument(from))) {
      const problem = await problemOf(from, target);
      if (problem !== undefined) problems.push(problem);
    }
  }
  assertEquals(problems, []);
});

Deno.test("README.md names every document", async () => {
  const linked = new Set(linksOf(await readDocument("README.md")));
  const missing = (await documents()).filter((path) =>
    path.startsWith("docs/") && !linked.has(path)
  );
  assertEquals(missing, []);
});

Deno.test("problemOf() finds links that lead nowhere", async () => {
  assert(await problemOf("README.md", "docs/no-such-page.md"));
  assert(await problemOf("docs/faq.md", "limits.md#no-such-heading"));
  assertEquals(await problemOf("docs/faq.md", "limits.md#fuel"), undefined);
});

Deno.test("linksOf() and anchorsOf() read documents, and no code", () => {
  const text = "# A `b`, c\n[x](y.md) `[no](no.md)` [z](https://z)\n" +
    "```sh\n# [no](no.md)\n```\n";
  assertEquals(linksOf(text), ["y.md"]);
  assertEquals([...anchorsOf(text)], ["a-b-c"]);
});

import { assert, assertEquals } from "@std/assert";
import { BENCHMARKS, performancePage } from "./_performance.ts";
import { PAGE, readFigures } from "./update_docs.ts";

Deno.test("docs/performance.md is what its figures give", async () => {
  // if they differ: deno task docs:performance
  const page = await Deno.readTextFile(PAGE);
  assertEquals(page, performancePage(await readFigures()));
});

Deno.test("performancePage() shows the figures that it gets", async () => {
  const figures = await readFigures();
  const { call } = figures.process;
  const changed = {
    ...figures,
    process: { ...figures.process, call: { ...call, median: 987 } },
  };
  const page = performancePage(changed);
  assert(/a call in a warm process +\| 987 /.test(page), page);
});

Deno.test("the task measures what the page shows", async () => {
  const { tasks }: { tasks: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  const [, names] = /performance\.json ([a-z -]+?) &&/
    .exec(tasks["docs:performance"] ?? "") ?? [];
  assertEquals(names?.split(" "), [...BENCHMARKS]);
  const figures: object = await readFigures();
  for (const name of BENCHMARKS) assert(name in figures, name);
});

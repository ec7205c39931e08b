import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { GENERIC_TEMPLATE } from "../../templates/generic/mod.ts";
import { testTemplate } from "../../testing/mod.ts";
import { ODD_NAME, TEST_AS_IT_IS } from "./_applications.ts";
import { Folder } from "./_generated.ts";

testTemplate("generic", GENERIC_TEMPLATE, {
  configs: [
    { name: "app", entryPoint: "answer", limits: { memoryBytes: 100_000 } },
    { name: "app", entryPoint: "answer", module: "/srv/guest.wasm" },
  ],
});

Deno.test("generic runs as generated, whatever its names are", async () => {
  await using folder = await Folder.make();
  await folder.generate("generic", { name: ODD_NAME });
  const tested = await folder.test("generic");
  assertStringIncludes(tested, "2 passed");
  // names of the library's own, of AssemblyScript, of the file
  await Promise.all(["json", "load", "answer"].map(async (entryPoint) => {
    await folder.generate("generic", { entryPoint }, entryPoint);
    await folder.deno(["task", "build"], entryPoint);
    const flags = ["run", "--allow-read=.", "main.ts", "it's"];
    await using run = folder.start(flags, entryPoint);
    assertEquals(await run.ended(), { code: 0, text: "IT'S\n" });
  }));
});

Deno.test("generic asks a module that there is", async () => {
  await using folder = await Folder.make();
  const module = await Deno.realPath("examples/guests/rust/slugify.wasm");
  await folder.generate("generic", { module, entryPoint: "slugify" });
  const tested = await folder.deno(TEST_AS_IT_IS, "generic");
  assertStringIncludes(tested, "1 passed");
});

Deno.test("generic refuses entry points that cannot be", async () => {
  for (
    const entryPoint of ["memory", "wasm_sandbox_alloc", "class", "a b", ""]
  ) {
    await assertRejects(
      () => GENERIC_TEMPLATE.render({ entryPoint }),
      TypeError,
      `Cannot render generic`,
    );
  }
});

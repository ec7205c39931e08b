import { assertEquals, assertStringIncludes } from "@std/assert";
import { PLUGIN_TEMPLATE } from "../../templates/plugin/mod.ts";
import { testTemplate } from "../../testing/mod.ts";
import { ODD_NAME, TEST_AS_IT_IS } from "./_applications.ts";
import { Folder } from "./_generated.ts";

testTemplate("plugin", PLUGIN_TEMPLATE, {
  configs: [
    { name: "host", limits: { timeoutMs: 100 } },
    { name: "host", module: "/srv/plugin.wasm" },
  ],
});

Deno.test("plugin runs as generated, whatever its name is", async () => {
  await using folder = await Folder.make();
  await folder.generate("plugin", { name: ODD_NAME });
  const tested = await folder.test("plugin");
  assertStringIncludes(tested, "3 passed");

  const run = ["run", "--allow-read=.", "main.ts", "it's"];
  await using host = folder.start(run, "plugin");
  const text = `capitals 1.0.0, serving\n  "IT'S"\n`;
  assertEquals(await host.ended(), { code: 0, text });

  // a plugin that is none is told of, and the others serve
  await Deno.writeTextFile(`${folder.path}/plugin/plugins/bad.wasm`, "bad");
  await using other = folder.start(run, "plugin");
  const { code, text: both } = await other.ended();
  assertEquals(code, 0);
  assertStringIncludes(both, "bad of no version, failed: Cannot");
  assertStringIncludes(both, text);

  // so does a module that there is
  const module = `${folder.path}/plugin/plugins/capitals.wasm`;
  await folder.generate("plugin", { module }, "given");
  const given = await folder.deno(TEST_AS_IT_IS, "given");
  assertStringIncludes(given, "1 passed");
});

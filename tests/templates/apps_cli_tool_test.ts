import { assertEquals, assertStringIncludes } from "@std/assert";
import { CLI_TOOL_TEMPLATE } from "../../templates/cli_tool/mod.ts";
import { testTemplate } from "../../testing/mod.ts";
import { ODD_NAME, TEST_AS_IT_IS } from "./_applications.ts";
import { Folder } from "./_generated.ts";

testTemplate("cli_tool", CLI_TOOL_TEMPLATE, {
  configs: [
    { name: "tool", limits: { timeoutMs: 2_000 } },
    { name: "tool", module: "/srv/tool.wasm" },
  ],
});

Deno.test("cli_tool runs as generated, whatever its name is", async () => {
  await using folder = await Folder.make();
  await folder.generate("cli_tool", { name: ODD_NAME });
  assertStringIncludes(
    await folder.test("cli_tool"),
    "3 passed",
  );
  const flags = ["run", "--allow-read=.", "main.ts"];
  await using tool = folder.start(flags, "cli_tool", "to be or not");
  assertEquals(await tool.ended(), { code: 0, text: "4\n" });
  await using help = folder.start([...flags, "--help"], "cli_tool");
  const usage = `usage: ${ODD_NAME} < TEXT\nCounts the words of a text.\n`;
  assertEquals(await help.ended(), { code: 0, text: usage });
  await using wrong = folder.start([...flags, "wrong"], "cli_tool");
  assertEquals(await wrong.ended(), { code: 2, text: "" });
  assertEquals(await wrong.errors, usage);
});

Deno.test("cli_tool says why a run was stopped", async () => {
  await using folder = await Folder.make();
  await folder.generate("cli_tool", { name: "it", limits: { timeoutMs: 1 } });
  await folder.deno(["task", "build"], "cli_tool");
  const flags = ["run", "--allow-read=.", "main.ts"];
  const input = "word ".repeat(4_000_000);
  await using tool = folder.start(flags, "cli_tool", input);
  assertEquals(await tool.ended(), { code: 1, text: "" });
  assertStringIncludes(await tool.errors, "it: Cannot");
});

Deno.test("cli_tool runs a module that there is", async () => {
  await using folder = await Folder.make();
  const module = await Deno.realPath("examples/apps/c/mdtext.wasm");
  await folder.generate("cli_tool", { module, name: ODD_NAME });
  assertStringIncludes(
    await folder.deno(TEST_AS_IT_IS, "cli_tool"),
    "1 passed",
  );
});

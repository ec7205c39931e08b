import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TemplateFactory, writeProject } from "../../templates/mod.ts";
import { ODD_NAME } from "./_applications.ts";
import { Folder } from "./_generated.ts";

const TEMPLATES = [
  "http_server",
  "cli_tool",
  "mcp_server",
  "plugin",
  "generic",
];

/** Each with a guest of its own, and with a module that there is. */
const CONFIGS = TEMPLATES.flatMap((template) => [
  { template, config: {} },
  { template, config: { module: "./some/where.wasm" } },
  { template, config: { module: "https://example.com/a.wasm" } },
]);

Deno.test("applications are formatted and clean", async () => {
  await using folder = await Folder.make();
  for (const [index, { template, config }] of CONFIGS.entries()) {
    const files = await new TemplateFactory().render(template, config);
    await writeProject(files, `${folder.path}/${index}`);
    await folder.deno(["fmt", "--check"], `${index}`);
    await folder.deno(["lint"], `${index}`);
  }
});

Deno.test("applications type-check, whatever they are called", async () => {
  await using folder = await Folder.make();
  const name = ODD_NAME.replace("\u2028", "");
  for (const [index, { template, config }] of CONFIGS.entries()) {
    await folder.generate(template, { name, ...config }, `${index}`);
  }
  // the one that imports most
  const own = TEMPLATES.indexOf("mcp_server") * 3;
  const scripts = CONFIGS.map((_, index) => `${index}/main_test.ts`);
  await folder.deno(["check", `--config=${own}/deno.json`, ...scripts]);
});

Deno.test("applications have the same files", async () => {
  for (const { template, config } of CONFIGS) {
    const files = await new TemplateFactory().render(template, config);
    const names = [...files.keys()].filter((path) => !path.includes("/"));
    assertEquals(names, [
      "deno.json",
      "policy.yaml",
      "main.ts",
      "main_test.ts",
      ...("module" in config ? [] : [".gitignore"]),
      "README.md",
    ]);
    const { imports, tasks } = JSON.parse(files.get("deno.json") ?? "");
    assert(imports["@wasm-sandbox/core"].startsWith("jsr:"));
    assertEquals("build" in tasks, !("module" in config));
  }
});

Deno.test("applications carry the library of the guest ABI as it is", async () => {
  const library = await Deno.readTextFile(
    "communication/guest/assemblyscript/wasm_sandbox.ts",
  );
  for (const template of TEMPLATES.filter((name) => name !== "cli_tool")) {
    const files = await new TemplateFactory().render(template, {});
    assertEquals(files.get("assembly/wasm_sandbox.ts"), library);
  }
});

Deno.test("applications write limits as people do", async () => {
  for (
    const [memoryBytes, memory, timeoutMs, timeout] of [
      [65_536, "64KiB", 1, "1ms"],
      [16 * 2 ** 20, "16MiB", 1_500, "1500ms"],
      [2 ** 32, "4GiB", 1_000, "1s"],
      [100_001, "100001", 90_000, "90s"],
    ] as const
  ) {
    const limits = { memoryBytes, timeoutMs };
    const files = await new TemplateFactory().render("generic", { limits });
    const policy = files.get("policy.yaml") ?? "";
    assertStringIncludes(policy, `memoryBytes: "${memory}"`);
    assertStringIncludes(policy, `timeoutMs: "${timeout}"`);
  }
});

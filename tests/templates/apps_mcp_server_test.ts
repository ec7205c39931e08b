import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MCP_SERVER_TEMPLATE } from "../../templates/mcp_server/mod.ts";
import { testTemplate } from "../../testing/mod.ts";
import { ODD_NAME, TEST_AS_IT_IS } from "./_applications.ts";
import { Folder } from "./_generated.ts";

/** The same, without what MCP refuses in a title. */
const ODD_TITLE = ODD_NAME.replace("\u2028", "");

const MESSAGES = [
  {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    },
  },
  { jsonrpc: "2.0", method: "notifications/initialized" },
  {
    jsonrpc: "2.0",
    id: 2,
    method: "tools/call",
    params: { name: "json", arguments: { text: "to be" } },
  },
];

testTemplate("mcp_server", MCP_SERVER_TEMPLATE, {
  configs: [
    { name: "server", tools: ["one", "two"], limits: { timeoutMs: 100 } },
    { name: "server", module: "/srv/guest.wasm" },
  ],
});

Deno.test("mcp_server serves as generated, whatever its names are", async () => {
  await using folder = await Folder.make();
  // names of the guest's own, and of AssemblyScript
  const tools = ["json", "count_words", "load", "memory"];
  await folder.generate("mcp_server", { name: ODD_TITLE, tools });
  const tested = await folder.test("mcp_server");
  assertStringIncludes(tested, "3 passed");

  const input = MESSAGES.map((each) => `${JSON.stringify(each)}\n`).join("");
  await using server = folder.start(["task", "start"], "mcp_server", input);
  const { code, text } = await server.ended();
  const [first, second] = text.trim().split("\n").map((line) =>
    JSON.parse(line).result
  );
  assertEquals(code, 0);
  assertEquals(first.serverInfo.title, ODD_TITLE);
  assertEquals(second.structuredContent, { words: 2 });
});

/** Tells which programs may be run. */
const ASK = `
  const ask = (command) => Deno.permissions.querySync({ name: "run", command });
  console.log(ask(Deno.execPath()).state, ask("/bin/sh").state);
`;

Deno.test("mcp_server may run Deno, and not everything", async () => {
  await using folder = await Folder.make();
  await folder.generate("mcp_server");
  const path = `${folder.path}/mcp_server/deno.json`;
  const config = JSON.parse(await Deno.readTextFile(path));
  const { start } = config.tasks;
  config.tasks.ask = start.replace(/^.*&& /, "").replace("main.ts", "ask.ts");
  await Deno.writeTextFile(path, JSON.stringify(config));
  await Deno.writeTextFile(`${folder.path}/mcp_server/ask.ts`, ASK);
  const shown = await folder.deno(["task", "ask"], "mcp_server");
  assertStringIncludes(shown, "granted prompt");
});

Deno.test("mcp_server serves a module that there is", async () => {
  await using folder = await Folder.make();
  const module = await Deno.realPath("tests/mcp_server/guests/fixtures.wasm");
  await folder.generate("mcp_server", { module });
  const tested = await folder.deno(TEST_AS_IT_IS, "mcp_server");
  assertStringIncludes(tested, "1 passed");
});

Deno.test("mcp_server refuses what no server could have", async () => {
  for (
    const [config, reason] of [
      [{ name: "a\u202eb" }, "name holds U+202E, which nobody sees"],
      [{ name: "a".repeat(257) }, "name is longer than 256 characters"],
      [{ tools: ["a", "a"] }, "tools has a name twice"],
      [{ tools: ["a"], module: "a.wasm" }, "leave out module"],
      [{ tools: ["a b"] }, "tools[0]"],
      [{ tools: [] }, "tools"],
      [{ tools: ["class"] }, "class"],
    ] as const
  ) {
    await assertRejects(
      () => MCP_SERVER_TEMPLATE.render(config),
      TypeError,
      reason,
    );
  }
});

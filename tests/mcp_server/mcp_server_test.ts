import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { SandboxError } from "../../errors.ts";
import { openManifest } from "../../wrappers/manifest/mod.ts";
import { McpServer } from "../../wrappers/mcp_server.ts";
import {
  ANYTHING,
  call,
  FIXTURES,
  HOSTILE,
  hostileTools,
  inMemory,
  serverOf,
  textOf,
} from "./_peers.ts";

const WORDFREQ = "examples/programs/rust/wordfreq.wasm";

Deno.test("create() asks guests what they offer", async () => {
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
  });
  const { tools, resources, resourceTemplates, prompts } = server.list();
  assertEquals(tools.length, 15);
  assertEquals(resources[0], "test://static-text");
  assertEquals(resourceTemplates, ["test://template/{id}/data"]);
  assertEquals(prompts.length, 4);
  await using peer = await inMemory(server);
  assertEquals((await peer.client.listTools()).tools.length, 15);
  assertEquals((await peer.client.listResources()).resources.length, 3);
  assertEquals((await peer.client.listPrompts()).prompts.length, 4);
});

Deno.test("create() tells everything that is wrong with the options", async () => {
  await assertRejects(
    () =>
      serverOf({
        tools: {
          "no name": { module: HOSTILE, handler: "echo" },
          both: { module: HOSTILE, handler: "echo", command: {} },
          none: { module: HOSTILE },
          nobody: { handler: "echo" },
          lost: { guest: "lost", handler: "echo" },
        },
        resources: {
          "x://a": { name: "a" },
          "x://b": { name: "b", text: "x", module: HOSTILE },
        },
      }),
    TypeError,
    'tools["both"] needs one of handler and command; ' +
      'tools["none"] needs one of handler and command; ' +
      'tools["nobody"] needs a module, or a guest; ' +
      'tools["lost"].guest is "lost", which guests has not; ' +
      'resources["x://b"] is read by nobody, and needs no guest',
  );
  await assertRejects(
    () => serverOf({ tols: {} } as never),
    TypeError,
    "tols is not known, expected one of",
  );
  await assertRejects(
    () =>
      serverOf({
        tools: {
          "no name": { module: HOSTILE, handler: "echo" },
          typo: { module: HOSTILE, handler: "echoo" },
          schema: {
            module: HOSTILE,
            handler: "echo",
            inputSchema: { type: "object", properties: { a: { type: "tex" } } },
          },
        },
      }),
    TypeError,
    'tools["no name"] is no name (1 to 128 of A-Z a-z 0-9 _ . / -); ' +
      'tools["typo"].handler is "echoo", which the module does not export ' +
      '(did you mean "echo"?); tools["schema"].inputSchema does not compile: ' +
      "#/properties/a/type must be equal to one of the allowed values",
  );
});

Deno.test("tools/call checks arguments before the guest sees them", async () => {
  await using server = await serverOf({
    tools: {
      echo: {
        module: HOSTILE,
        handler: "echo",
        inputSchema: {
          type: "object",
          properties: { n: { type: "integer" } },
          required: ["n"],
          additionalProperties: false,
        },
      },
    },
  });
  await using peer = await inMemory(server);
  assertEquals(textOf(await call(peer, "echo", { n: 1 })), '{"n":1}');
  const wrong = await call(peer, "echo", { n: "1" });
  assertEquals(wrong.isError, true);
  assertEquals(
    textOf(wrong),
    "The arguments of echo are not valid: /n must be integer",
  );
  const missing = await call(peer, "echo", {});
  assertStringIncludes(textOf(missing), "required property 'n'");
  // two were not the guest's
  assertEquals(server.stats().failures, 2);
});

Deno.test("tools/call gives structured content by an output schema", async () => {
  const outputSchema = {
    type: "object",
    properties: { n: { type: "number" } },
    required: ["n"],
  };
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE, describe: false } },
    tools: hostileTools(["right_shape", "wrong_shape"], { outputSchema }),
  });
  await using peer = await inMemory(server);
  const right = await peer.client.callTool({ name: "right_shape" });
  assertEquals(right.structuredContent, { n: 1 });
  const wrong = await call(peer, "wrong_shape");
  assertEquals(
    textOf(wrong),
    "The tool wrong_shape failed: its reply is not what it must be: " +
      "outputSchema: /n must be number",
  );
});

Deno.test("tools/call runs a program", async () => {
  await using server = await serverOf({
    tools: {
      words: {
        module: WORDFREQ,
        policy: [{ type: "process" }, { type: "stdio" }, {
          type: "environment",
          variables: {},
        }, { type: "random" }] as never,
        command: { stdin: "{text}" },
        inputSchema: {
          type: "object",
          properties: { text: { type: "string" } },
        },
      },
    },
  });
  await using peer = await inMemory(server);
  const result = await call(peer, "words", { text: "to be or not to be" });
  assertEquals(JSON.parse(textOf(result)).words, 6);
});

Deno.test("an unknown tool, resource or prompt is an error of the protocol", async () => {
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
  });
  await using peer = await inMemory(server);
  const { client } = peer;
  const tool = await assertRejects(() => call(peer, "absent"), Error);
  assertEquals((tool as Error & { code: number }).code, -32602);
  assertEquals(tool.message, 'MCP error -32602: Unknown tool: "absent"');
  for (const name of ["__proto__", "constructor", "toString"]) {
    await assertRejects(() => call(peer, name), Error, "Unknown tool");
  }
  const resource = await assertRejects(
    () => client.readResource({ uri: "test://absent" }),
    Error,
  );
  assertEquals((resource as Error & { code: number }).code, -32002);
  await assertRejects(
    () => client.getPrompt({ name: "absent" }),
    Error,
    "Unknown prompt",
  );
  await assertRejects(
    () =>
      client.getPrompt({
        name: "test_prompt_with_arguments",
        arguments: { arg1: "x" },
      }),
    Error,
    'Missing argument of test_prompt_with_arguments: "arg2"',
  );
});

Deno.test("lists come in pages", async () => {
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
    pageSize: 4,
  });
  await using peer = await inMemory(server);
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await peer.client.listTools(
      cursor === undefined ? {} : { cursor },
    );
    assert(page.tools.length <= 4);
    names.push(...page.tools.map(({ name }) => name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  assertEquals(names, server.list().tools.map(({ name }) => name));
  for (const wrong of ["x", btoa("from:3"), btoa("from:400"), "=".repeat(99)]) {
    await assertRejects(
      () => peer.client.listTools({ cursor: wrong }),
      Error,
      "Invalid cursor",
    );
  }
});

Deno.test("resources, prompts and completions come from the guest", async () => {
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
    resources: {
      "notes://fixed": {
        name: "fixed",
        text: "as it is",
        mimeType: "text/plain",
      },
    },
  });
  await using peer = await inMemory(server);
  const { client } = peer;
  assertEquals(await client.readResource({ uri: "notes://fixed" }), {
    contents: [{
      uri: "notes://fixed",
      mimeType: "text/plain",
      text: "as it is",
    }],
  });
  const uri = "test://template/a%20b/data";
  const { contents } = await client.readResource({ uri });
  assertEquals(contents, [{
    uri,
    mimeType: "application/json",
    text: '{"id":"a b","templateTest":true}',
  }]);
  const { messages } = await client.getPrompt({
    name: "test_prompt_with_arguments",
    arguments: { arg1: "a", arg2: "b" },
  });
  assertEquals(messages, [{
    role: "user",
    content: {
      type: "text",
      text: "Prompt with arguments: arg1='a', arg2='b'",
    },
  }]);
  const { completion } = await client.complete({
    ref: { type: "ref/resource", uri: "test://template/{id}/data" },
    argument: { name: "id", value: "p" },
  });
  assertEquals(completion.values, ["paris", "park", "party"]);
});

Deno.test("a guest tells of progress, and writes the log at the level set", async () => {
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
  });
  await using peer = await inMemory(server);
  const { client } = peer;
  const steps: unknown[] = [];
  await client.callTool({ name: "test_tool_with_progress" }, undefined, {
    onprogress: (step) => steps.push(step),
  });
  assertEquals(steps, [
    { progress: 0, total: 100, message: "begun" },
    { progress: 50, total: 100 },
    { progress: 100, total: 100 },
  ]);
  const lines: unknown[] = [];
  client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    ({ params }) => void lines.push(params.data),
  );
  await call(peer, "test_tool_with_logging");
  assertEquals(lines.length, 3);
  await client.setLoggingLevel("warning");
  await call(peer, "test_tool_with_logging");
  assertEquals(lines.length, 3);
});

Deno.test("a guest tells those who subscribed of what has changed", async () => {
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
  });
  await using one = await inMemory(server);
  await using other = await inMemory(server);
  const told: string[] = [];
  for (const [name, { client }] of Object.entries({ one, other })) {
    client.setNotificationHandler(
      ResourceUpdatedNotificationSchema,
      ({ params }) => void told.push(`${name} ${params.uri}`),
    );
  }
  const uri = "test://watched-resource";
  await one.client.subscribeResource({ uri });
  await call(other, "touch");
  assertEquals(told, [`one ${uri}`]);
  await one.client.unsubscribeResource({ uri });
  await call(other, "touch");
  assertEquals(told.length, 1);
  await assertRejects(
    () => one.client.subscribeResource({ uri: "test://absent" }),
    Error,
    "Resource not found",
  );
});

Deno.test("a guest asks the client only for what its options name", async () => {
  await using server = await serverOf({
    guests: {
      hostile: { module: HOSTILE },
      asking: { module: HOSTILE, clientRequests: ["sampling"] },
    },
    tools: {
      plain: { guest: "hostile", handler: "ask", inputSchema: ANYTHING },
      asking: { guest: "asking", handler: "ask", inputSchema: ANYTHING },
    },
  });
  await using peer = await inMemory(server);
  const input = { messages: [], maxTokens: 1 };
  const ask = (name: string, which: string, given: unknown) =>
    call(peer, name, { function: which, input: given }).then(textOf);
  assertStringIncludes(
    await ask("plain", "mcp.sample", input),
    "clientRequests does not name sampling",
  );
  assertStringIncludes(
    await ask("asking", "mcp.elicit", input),
    "clientRequests does not name elicitation",
  );
  assertStringIncludes(
    await ask("asking", "mcp.sample", input),
    "the client offers no sampling",
  );
  assertStringIncludes(
    await ask("plain", "mcp.notify_resource_updated", { uri: "x://y" }),
    "this guest has no such resource",
  );
  assertStringIncludes(
    await ask("plain", "mcp.progress", { progress: "x" }),
    "progress is no number",
  );
  assertStringIncludes(
    await ask("plain", "mcp.log", { level: "loud", data: 1 }),
    "level is none of",
  );
});

Deno.test("a guest asks a person only what can be seen", async () => {
  await using server = await serverOf({
    tools: {
      asking: {
        module: HOSTILE,
        handler: "ask",
        inputSchema: ANYTHING,
        clientRequests: ["elicitation"],
      },
    },
  });
  await using peer = await inMemory(server, { elicitation: {} });
  const asked: unknown[] = [];
  peer.client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    asked.push(params);
    return { action: "decline" };
  });
  const ask = (input: object) =>
    call(peer, "asking", { function: "mcp.elicit", input }).then(textOf);
  const property = (title: string) => ({
    type: "object",
    properties: { a: { type: "string", title } },
  });
  const hidden = "Fine\u{e0041}\u{202e}";
  for (
    const input of [
      { message: hidden, requestedSchema: property("A") },
      { message: "Well?", requestedSchema: property(hidden) },
      { message: "Well?\u001b[2J", requestedSchema: property("A") },
    ]
  ) assertStringIncludes(await ask(input), "which nobody sees");
  assertEquals(asked, []);
  // what is between client and server is none of the guest's
  const _meta = { "io.modelcontextprotocol/related-task": { taskId: "1" } };
  const form = { message: "Well?", requestedSchema: property("A") };
  await ask({ ...form, _meta, task: { ttl: 1 } });
  assertEquals(asked, [form]);
});

Deno.test("instances are fresh for each call, unless they are to be reused", async () => {
  await using server = await serverOf({
    tools: {
      fresh: { module: HOSTILE, handler: "remember" },
      reused: {
        module: HOSTILE,
        handler: "remember",
        instance: "reuse",
        isolation: "inline",
        maxConcurrentCalls: 1,
      },
    },
  });
  await using peer = await inMemory(server);
  assertEquals(textOf(await call(peer, "fresh")), "1");
  assertEquals(textOf(await call(peer, "fresh")), "1");
  assertEquals(textOf(await call(peer, "reused")), "1");
  assertEquals(textOf(await call(peer, "reused")), "2");
});

Deno.test("[Symbol.asyncDispose]() ends everything, twice as once", async () => {
  const server = await serverOf({
    tools: { echo: { module: HOSTILE, handler: "echo" } },
  });
  const peer = await inMemory(server);
  const service = server.serve({ port: 0 });
  await server[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await service.finished;
  await assertRejects(() => call(peer, "echo"), Error);
  const error = await assertRejects(
    () => server.connect({} as never),
    SandboxError,
  );
  assertEquals(error.code, "disposed");
  await peer[Symbol.asyncDispose]();
});

Deno.test("openManifest() makes a server", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.copyFile(HOSTILE, `${directory}/hostile.wasm`);
  await Deno.writeTextFile(
    `${directory}/mcp.yaml`,
    `version: 1
mcp_server:
  name: manifest
  version: "1.0"
  sessionIdleMs: 2m
  maxRequestBytes: 64KiB
  guests:
    hostile: { module: ./hostile.wasm, describe: describe_echo, limits: { timeoutMs: 1s } }
  tools:
    mine:
      guest: hostile
      handler: echo
      inputSchema: { type: object, properties: { a: { type: string, pattern: "^[a-z]+$" } } }
  resources:
    "notes://one": { name: one, text: hello }
`,
  );
  await using server = await openManifest(`${directory}/mcp.yaml`);
  assert(server instanceof McpServer);
  assertEquals(server.list().tools.map(({ name }) => name), ["mine", "echo"]);
  await using peer = await inMemory(server);
  assertEquals(textOf(await call(peer, "mine", { a: "x" })), '{"a":"x"}');
  assertEquals((await call(peer, "mine", { a: "X" })).isError, true);
  await Deno.remove(directory, { recursive: true });
});

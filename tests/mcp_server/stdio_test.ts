import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Client } from "@modelcontextprotocol/sdk/client";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { childrenOf, isRunning, until } from "../process/_process.ts";
import {
  call,
  HOSTILE,
  hostileTools,
  INITIALIZE,
  serverOf,
  textOf,
  ticksOf,
} from "./_peers.ts";

const ARGS = [
  "run",
  "-A",
  "tests/npm_only/task.ts",
  "run",
  "-A",
  "tests/mcp_server/serve_stdio.ts",
  "tests/mcp_server/guests/mcp.yaml",
];

/** All processes below one. */
function familyOf(pid: number): readonly number[] {
  const children = childrenOf(pid);
  return [...children, ...children.flatMap(familyOf)];
}

Deno.test("serveStdio() answers a client that has started it", async () => {
  const transport = new StdioClientTransport({
    command: Deno.execPath(),
    args: ARGS,
    env: { ...Deno.env.toObject() },
  });
  const client = new Client({ name: "test", version: "1.0.0" }, {
    capabilities: { sampling: {} },
  });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    role: "assistant",
    content: { type: "text", text: "four" },
    model: "none",
  }));
  await client.connect(transport);
  const pid = transport.pid ?? 0;
  const peer = { client, [Symbol.asyncDispose]: () => client.close() };
  assertEquals(textOf(await call(peer, "echo", { n: 1 })), '{"n":1}');
  assertEquals(
    textOf(await call(peer, "test_sampling", { prompt: "2 + 2?" })),
    "LLM response: four",
  );

  const controller = new AbortController();
  const spinning = client.callTool({ name: "spin" }, undefined, {
    signal: controller.signal,
  });
  const used = async () => {
    const family = familyOf(pid);
    const sum = () =>
      family.filter(isRunning).reduce((all, each) => all + ticksOf(each), 0);
    const before = sum();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return sum() - before;
  };
  await new Promise((resolve) => setTimeout(resolve, 300));
  const busy = await used();
  assert(busy >= 10, `the guest uses only ${busy} ticks`);
  controller.abort("enough");
  await assertRejects(() => spinning);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const idle = await used();
  assert(idle < busy / 2, `${idle} ticks are used after ${busy}`);

  const family = familyOf(pid);
  await client.close();
  await until(() => !family.some(isRunning));
  // the SDK's transport leaves a timer of two seconds
  await new Promise((resolve) => setTimeout(resolve, 2_100));
});

/** A server on two streams of this process. */
async function piped(maxRequestBytes = 4_096) {
  const server = await serverOf({
    guests: { hostile: { module: HOSTILE, limits: { timeoutMs: 500 } } },
    tools: hostileTools(["echo", "spin"]),
    maxRequestBytes,
  });
  const toServer = new TransformStream<Uint8Array, Uint8Array>();
  const fromServer = new TransformStream<Uint8Array, Uint8Array>();
  const connection = await server.serveStdio({
    readable: toServer.readable,
    writable: fromServer.writable,
  });
  const writer = toServer.writable.getWriter();
  const lines = fromServer.readable.pipeThrough(new TextDecoderStream())
    .getReader();
  let rest = "";
  return {
    server,
    connection,
    writer,
    send: (text: string) => writer.write(new TextEncoder().encode(text)),
    next: async () => {
      while (!rest.includes("\n")) {
        const { done, value } = await lines.read();
        if (done) throw new Error("the stream has ended");
        rest += value;
      }
      const end = rest.indexOf("\n");
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return JSON.parse(line);
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await lines.cancel();
      await writer.abort().catch(() => {});
    },
  };
}

const PING = JSON.stringify({ jsonrpc: "2.0", id: 9, method: "ping" });

Deno.test("serveStdio() answers after lines that are no messages", async () => {
  await using pipe = await piped();
  await pipe.send(`${JSON.stringify(INITIALIZE)}\n`);
  assertEquals((await pipe.next()).result.serverInfo.name, "test");
  const lines: readonly (readonly [string, number])[] = [
    ["no JSON", -32700],
    ["[".repeat(4_000), -32700],
    [`[${PING}]`, -32600],
    ['{"jsonrpc":"2.0"}', -32600],
    ["null", -32600],
  ];
  for (const [line, code] of lines) {
    await pipe.send(`${line}\n`);
    assertEquals((await pipe.next()).error.code, code, line);
  }
  await pipe.writer.write(new Uint8Array([0xff, 0xfe, 0x0a]));
  assertEquals((await pipe.next()).error.code, -32700);
  await pipe.send(`\r\n\n${PING}\n`);
  assertEquals(await pipe.next(), { jsonrpc: "2.0", id: 9, result: {} });
});

Deno.test("serveStdio() keeps no more of a line than it may have", async () => {
  await using pipe = await piped();
  const before = Deno.memoryUsage().rss;
  // without the end of a line
  for (let count = 0; count < 200; count++) {
    await pipe.send("x".repeat(1 << 20));
  }
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 100 * 2 ** 20, `${grown} bytes were kept of 200 MiB`);
  await pipe.send(`\n${PING}\n`);
  const { error } = await pipe.next();
  assertStringIncludes(error.message, "longer than 4096 bytes");
  assertEquals((await pipe.next()).id, 9);
});

Deno.test("serveStdio() answers what was asked before the end", async () => {
  await using pipe = await piped();
  await pipe.send(`${JSON.stringify(INITIALIZE)}\n`);
  await pipe.next();
  const spin = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "spin" },
  };
  await pipe.send(`${JSON.stringify(spin)}\n`);
  const closing = pipe.writer.close();
  assertEquals((await pipe.next()).result.isError, true);
  await pipe.connection.closed;
  await closing;
});

Deno.test("serveStdio() reads nothing from a client that does not read", async () => {
  const server = await serverOf({ maxUnreadBytes: 16_384 });
  let sent = 0;
  const readable = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent++;
      controller.enqueue(new TextEncoder().encode(`${PING}\n`.repeat(100)));
    },
  }, { highWaterMark: 0 });
  // nobody takes what is written
  const { writable } = new TransformStream<Uint8Array, Uint8Array>();
  const connection = await server.serveStdio({ readable, writable });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = sent;
  assert(before < 100, `${before} pieces were read`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals(sent, before);
  await connection[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { McpServer } from "../../wrappers/mcp_server.ts";
import { until } from "../process/_process.ts";
import {
  ANYTHING,
  call,
  FIXTURES,
  HOSTILE,
  hostileTools,
  INITIALIZE,
  overHttp,
  post,
  serverOf,
  sessionOf,
  textOf,
  within,
} from "./_peers.ts";

/** What a server answers a request with. */
async function statusOf(
  server: McpServer,
  request: Request,
): Promise<readonly [number, string]> {
  const response = await server.fetch(request);
  return [response.status, await response.text()];
}

/** A message that asks for nothing. */
function ping(id: number) {
  return { jsonrpc: "2.0", id, method: "ping" };
}

Deno.test("serve() answers a client of the SDK", async () => {
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
  });
  const told: Deno.NetAddr[] = [];
  await using service = server.serve({
    port: 0,
    onListen: (address) => told.push(address),
  });
  assertEquals(told, [service.addr]);
  await using peer = await overHttp(service.addr.port);
  assertEquals(
    textOf(await call(peer, "test_simple_text")),
    "This is a simple text response for testing.",
  );
  assertEquals(server.stats().sessions, 1);
  const other = await fetch(`http://127.0.0.1:${service.addr.port}/other`);
  assertEquals(other.status, 404);
  await other.text();
});

Deno.test("serve() tells of a port that is taken", async () => {
  await using server = await serverOf({});
  await using service = server.serve({ port: 0 });
  const { port } = service.addr;
  let error: unknown;
  try {
    server.serve({ port });
  } catch (thrown) {
    error = thrown;
  }
  assert(error instanceof Deno.errors.AddrInUse);
});

Deno.test("shutdown() lets what runs end", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE, limits: { timeoutMs: 700 } } },
    tools: hostileTools(["spin"]),
  });
  const service = server.serve({ port: 0 });
  const peer = await overHttp(service.addr.port);
  const spinning = call(peer, "spin");
  await until(() => server.stats().running === 1);
  await service.shutdown();
  assertStringIncludes(textOf(await spinning), "timeoutMs");
  await peer.client.close();
});

Deno.test("fetch() refuses hosts and origins that are not allowed", async () => {
  await using server = await serverOf({});
  const begin = (headers: Record<string, string>, url?: string) =>
    statusOf(server, post(INITIALIZE, headers, url)).then(([status]) => status);
  assertEquals(await begin({}), 200);
  assertEquals(await begin({ host: "127.0.0.1:8000" }), 200);
  assertEquals(await begin({ host: "[::1]:8000" }), 200);
  assertEquals(await begin({ origin: "http://localhost:6274" }), 200);
  for (
    const host of [
      "evil.example",
      "localhost.evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "localhost@evil.example",
      "127.1",
      "0.0.0.0",
    ]
  ) assertEquals(await begin({ host }), 403, host);
  assertEquals(await begin({}, "http://evil.example/mcp"), 403);
  for (
    const origin of [
      "http://evil.example",
      "null",
      "http://localhost.evil.example",
      "file://localhost",
      "",
    ]
  ) assertEquals(await begin({ origin }), 403, origin);

  await using own = await serverOf({
    allowedHosts: ["mcp.example", "other.example:8443"],
    allowedOrigins: ["https://app.example"],
  });
  const at = async (headers: Record<string, string>) =>
    (await statusOf(own, post(INITIALIZE, headers)))[0];
  assertEquals(await at({ host: "mcp.example:80" }), 200);
  assertEquals(await at({ host: "MCP.example" }), 200);
  assertEquals(await at({ host: "other.example:8443" }), 200);
  assertEquals(await at({ host: "other.example" }), 403);
  assertEquals(await at({ host: "localhost" }), 403);
  const host = "mcp.example";
  assertEquals(await at({ host, origin: "https://app.example" }), 200);
  assertEquals(await at({ host, origin: "https://app.example:8443" }), 403);
});

Deno.test("fetch() refuses what is no message", async () => {
  const maxRequestBytes = 4_096;
  await using server = await serverOf({ maxRequestBytes });
  const session = await sessionOf(server);
  const send = async (body: unknown, headers: Record<string, string> = {}) => {
    const request = post(body, { ...within(session), ...headers });
    return (await statusOf(server, request))[0];
  };
  assertEquals(await send(ping(1)), 200);
  assertEquals(await send("{"), 400);
  assertEquals(await send(""), 400);
  assertEquals(await send("null"), 400);
  assertEquals(await send({ jsonrpc: "1.0", id: 1, method: "ping" }), 400);
  assertEquals(await send({ jsonrpc: "2.0", id: {}, method: "ping" }), 400);
  assertEquals(
    await send(Array.from({ length: 50 }, (_, id) => ping(id))),
    400,
  );
  assertEquals(await send("[".repeat(4_000)), 400);
  assertEquals(await send("[".repeat(2_000) + "]".repeat(2_000)), 400);
  assertEquals(await send(ping(1), { "content-type": "text/plain" }), 415);
  assertEquals(await send(ping(1), { accept: "text/html" }), 406);
  assertEquals(await send("x".repeat(maxRequestBytes + 1)), 413);
  assertEquals(
    await send(ping(1), { "mcp-protocol-version": "1900-01-01" }),
    400,
  );
  const put = new Request("http://localhost/mcp", { method: "PUT" });
  assertEquals((await statusOf(server, put))[0], 405);
  assertEquals(await send(ping(2)), 200);
});

Deno.test("fetch() reads no more of a body than it may have", async () => {
  await using server = await serverOf({ maxRequestBytes: 4_096 });
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1_024;
      controller.enqueue(new Uint8Array(1_024));
    },
  });
  const request = new Request("http://localhost/mcp", { method: "POST", body });
  assertEquals((await statusOf(server, request))[0], 413);
  assert(sent <= 8_192, `${sent} bytes were read`);
});

Deno.test("fetch() does not wait for a slow client", async () => {
  await using server = await serverOf({ requestTimeoutMs: 100 });
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    cancel: () => cancelled.resolve(),
  });
  const request = new Request("http://localhost/mcp", { method: "POST", body });
  assertEquals((await statusOf(server, request))[0], 408);
  await cancelled.promise;
});

Deno.test("sessions are nobody else's, and end", async () => {
  await using server = await serverOf({});
  const session = await sessionOf(server);
  assert(/^[0-9a-f-]{36}$/.test(session));
  const without = await statusOf(server, post(ping(1)));
  assertEquals(without[0], 400);
  const unknown = crypto.randomUUID();
  const guessed = await statusOf(server, post(ping(1), within(unknown)));
  assertEquals(guessed[0], 404);
  // who has a session cannot begin another one with it
  const again = await statusOf(server, post(INITIALIZE, within(session)));
  assertEquals(again[0], 400);
  const end = () =>
    new Request("http://localhost/mcp", {
      method: "DELETE",
      headers: within(session),
    });
  assertEquals((await statusOf(server, end()))[0], 200);
  assertEquals(server.stats().sessions, 0);
  assertEquals((await statusOf(server, end()))[0], 404);
  assertEquals(
    (await statusOf(server, post(ping(1), within(session))))[0],
    404,
  );
});

Deno.test("a session that nobody uses ends", async () => {
  await using server = await serverOf({ sessionIdleMs: 200 });
  await sessionOf(server);
  assertEquals(server.stats().sessions, 1);
  await until(() => server.stats().sessions === 0);
});

Deno.test("a flood of sessions keeps nobody out who is in", async () => {
  await using server = await serverOf({
    maxSessions: 5,
    guests: { hostile: { module: HOSTILE } },
    tools: hostileTools(["echo"]),
  });
  const session = await sessionOf(server);
  await statusOf(server, post(ping(1), within(session)));
  for (let count = 0; count < 50; count++) await sessionOf(server);
  assert(server.stats().sessions <= 5);
  const echo = {
    jsonrpc: "2.0",
    id: 2,
    method: "tools/call",
    params: { name: "echo", arguments: {} },
  };
  const [status, text] = await statusOf(server, post(echo, within(session)));
  assertEquals(status, 200);
  assertStringIncludes(text, '"text":"{}"');
  // those that ask for something are let go for nobody
  for (let count = 0; count < 4; count++) {
    const other = await sessionOf(server);
    await statusOf(server, post(ping(1), within(other)));
  }
  const full = await server.fetch(post(INITIALIZE));
  assertEquals(full.status, 503);
  assertEquals(full.headers.get("retry-after"), "5");
  await full.text();
});

Deno.test("a client that does not read gets only so many streams", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE, limits: { timeoutMs: 20_000 } } },
    tools: hostileTools(["spin"]),
    maxSessionStreams: 3,
  });
  const session = await sessionOf(server);
  const spin = (id: number) =>
    server.fetch(post({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name: "spin" },
    }, within(session)));
  const open = [await spin(1), await spin(2)];
  const twice = await spin(2);
  assertEquals(twice.status, 400);
  await twice.text();
  open.push(await spin(3));
  const fourth = await spin(4);
  assertEquals(fourth.status, 503);
  await fourth.text();
  for (const { body } of open) await body?.cancel();
  assertEquals(
    (await statusOf(server, post(ping(5), within(session))))[0],
    200,
  );
});

Deno.test("a client that does not read is cut off", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE } },
    tools: hostileTools(["flood"]),
    maxUnreadBytes: 16_384,
  });
  const session = await sessionOf(server);
  const response = await server.fetch(post({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "flood" },
  }, within(session)));
  await until(() => server.stats().running === 0);
  let error: unknown;
  await response.text().catch((thrown) => error = thrown);
  assertStringIncludes(String(error), "does not read");
});

Deno.test("a stream that broke can be taken up again", async () => {
  await using server = await serverOf({
    guests: { hostile: { module: HOSTILE, limits: { timeoutMs: 500 } } },
    tools: hostileTools(["spin"]),
  });
  const session = await sessionOf(server);
  const response = await server.fetch(post({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "spin" },
  }, within(session)));
  const reader = response.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  const [, id = ""] = /^id: (.+)$/m.exec(first) ?? [];
  await reader?.cancel();
  await until(() => server.stats().running === 0);
  const resume = (last: string, of = session) =>
    server.fetch(
      new Request("http://localhost/mcp", {
        headers: {
          accept: "text/event-stream",
          ...within(of),
          "last-event-id": last,
        },
      }),
    );
  const again = await resume(id);
  assertEquals(again.status, 200);
  // the stream ends with the result
  assertStringIncludes(await again.text(), "reached its limit timeoutMs");
  const unknown = await resume("absent_1");
  assertEquals(unknown.status, 400);
  await unknown.text();
  const other = await resume(id, await sessionOf(server));
  assertEquals(other.status, 400);
  await other.text();
});

Deno.test("requests that are not HTTP's leave the server alive", async () => {
  await using server = await serverOf({});
  await using service = server.serve({ port: 0 });
  const { port } = service.addr;
  const lines = [
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n" +
    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "POST /mcp HTTP/1.1\r\n\r\n",
    `GET /mcp HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(1 << 17)}\r\n\r\n`,
    "\0\0\0\0",
  ];
  for (const line of lines) {
    using connection = await Deno.connect({ port });
    await connection.write(new TextEncoder().encode(line));
    await connection.closeWrite().catch(() => {});
    const reader = connection.readable.getReader();
    await reader.read().catch(() => {});
    await reader.cancel().catch(() => {});
  }
  await using peer = await overHttp(port);
  assertEquals((await peer.client.listTools()).tools, []);
});

/** A request whose body never ends. */
function stalled(bytes: number, headers: Record<string, string>): Request {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(bytes).fill(32)),
  });
  return new Request("http://localhost/mcp", { method: "POST", headers, body });
}

Deno.test("fetch() bounds all bodies that are on their way together", async () => {
  const server = await serverOf({ maxRequestBytes: 100_000 });
  const session = await sessionOf(server);
  const flood = Array.from(
    { length: 60 },
    () => statusOf(server, stalled(90_000, within(session))),
  );
  const answered = await Promise.race(flood.map((each) => each));
  assertEquals(answered[0], 503);
  // who sends little is not who gives way
  const request = post(ping(1), within(session));
  assertEquals((await statusOf(server, request))[0], 200);
  await server[Symbol.asyncDispose]();
  for (const [status] of await Promise.all(flood)) assertEquals(status, 503);
});

Deno.test("fetch() takes no long request of one without a session", async () => {
  await using server = await serverOf({});
  assertEquals((await statusOf(server, stalled(70_000, {})))[0], 413);
});

Deno.test("fetch() takes no more for a body in pieces of one byte", async () => {
  await using server = await serverOf({});
  const session = await sessionOf(server);
  let left = 300_000;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(Uint8Array.of(32));
      else controller.close();
    },
  });
  const { rss } = Deno.memoryUsage();
  const headers = within(session);
  const request = new Request("http://localhost/mcp", {
    method: "POST",
    headers,
    body,
  });
  assertEquals((await statusOf(server, request))[0], 400);
  const grown = (Deno.memoryUsage().rss - rss) / 2 ** 20;
  assert(grown < 128, `${Math.round(grown)} MiB more`);
});

Deno.test("shutdown() does not wait for a client that stalls", async () => {
  await using server = await serverOf({});
  await using service = server.serve({ port: 0 });
  using connection = await Deno.connect({ port: service.addr.port });
  await connection.write(new TextEncoder().encode(
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
  ));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const start = performance.now();
  await service.shutdown();
  const took = performance.now() - start;
  assert(took < 10_000, `it took ${took} ms`);
});

Deno.test("shutdown() cuts off a client that takes nothing", async () => {
  const bytes = 16 * 2 ** 20;
  await using server = await serverOf({
    tools: {
      echo: {
        module: HOSTILE,
        handler: "echo",
        inputSchema: ANYTHING,
        limits: { messageBytes: bytes },
      },
    },
    maxRequestBytes: bytes,
    maxUnreadBytes: 4 * bytes,
  });
  await using service = server.serve({ port: 0 });
  const session = await sessionOf(server);
  const params = { name: "echo", arguments: { a: "x".repeat(7_000_000) } };
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params,
  });
  const { headers } = post({}, within(session));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  using connection = await Deno.connect({ port: service.addr.port });
  const head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" +
    `${lines.join("")}Content-Length: ${body.length}\r\n\r\n`;
  await writeAll(connection, new TextEncoder().encode(head + body));
  await until(() => server.stats().calls === 1 && server.stats().running === 0);
  const start = performance.now();
  await service.shutdown();
  const took = performance.now() - start;
  assert(took < 20_000, `it took ${took} ms`);
});

/** Writes all of it. */
async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

Deno.test("what a client sends is kept and told of in short", async () => {
  const told: string[] = [];
  await using server = await serverOf({
    guests: { fixtures: { module: FIXTURES } },
    onError: (error) => void told.push(String(error)),
  });
  const session = await sessionOf(server);
  const send = async (message: object) =>
    await statusOf(
      server,
      post({ jsonrpc: "2.0", ...message }, within(session)),
    );
  const long = "a".repeat(1_000_000);
  // a URI that a template gives is kept by a subscription
  for (const method of ["resources/subscribe", "resources/read"]) {
    const params = { uri: `test://template/${long}/data` };
    const [, text] = await send({ id: 1, method, params });
    assertStringIncludes(text, "-32002");
    assert(text.length < 1_000);
  }
  // a token goes with each notification
  const _meta = { progressToken: long };
  const name = "test_simple_text";
  const params = { name, arguments: {}, _meta };
  const [, text] = await send({ id: 2, method: "tools/call", params });
  assertStringIncludes(text, "progressToken is longer than");
  // an answer to nothing is an error that holds it
  await send({ id: 99, result: { long } });
  assertEquals(told.length, 1);
  assert(told.every(({ length }) => length < 2_000));
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { HttpServer } from "../../wrappers/http_server.ts";
import { envelope, guest, listen, post } from "./_server.ts";

Deno.test("HttpServer.fetch() answers without a socket, bound to nothing", async () => {
  await using server = await HttpServer.create({
    module: guest("hello"),
    format: "json",
  });
  const { fetch } = server;
  const response = await fetch(new Request("http://localhost/"));
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(await response.json(), { hello: "world" });
});

Deno.test("HttpServer tells a handler of the request, and not of the connection", async () => {
  await using it = await listen("actor");
  const response = await fetch(`${it.url}/head?a=%20b#c`, {
    headers: { "x-name": "value", "keep-alive": "3" },
  });
  const head = await response.json();
  assertEquals(head.method, "GET");
  assertEquals(head.url, `${it.url}/head?a=%20b`);
  const headers = Object.fromEntries(head.headers);
  assertEquals(headers["x-name"], "value");
  assertEquals(headers["keep-alive"], undefined);
  assertEquals(headers["connection"], undefined);
});

Deno.test("HttpServer tells a handler of forwardHeaders alone", async () => {
  await using it = await listen("actor", { forwardHeaders: ["X-Name"] });
  const response = await fetch(`${it.url}/head`, {
    headers: { "x-name": "value", cookie: "secret" },
  });
  assertEquals((await response.json()).headers, [["x-name", "value"]]);
});

Deno.test("HttpServer passes bodies both ways, inline and in a process, reuse and fresh", async () => {
  for (const isolation of ["inline", "process"] as const) {
    for (const instance of ["reuse", "fresh"] as const) {
      await using it = await listen("actor", { isolation, instance });
      const body = "Grüße, ".repeat(10_000);
      assertEquals(await post(`${it.url}/echo`, body), {
        status: 200,
        text: body,
      });
      const counts = [
        (await post(`${it.url}/count`)).text,
        (await post(`${it.url}/count`)).text,
      ];
      assertEquals(counts, instance === "fresh" ? ["a", "a"] : ["b", "c"]);
    }
  }
});

Deno.test("HttpServer reads replies of the format json", async () => {
  await using it = await listen("actor", { handler: "handle" });
  // the same guest, asked for envelopes that hold what the client chooses
  const reply = (text: string) => post(`${it.url}/raw`, envelope(text));
  assertEquals((await reply('{"status":404}')).status, 404);
  await using json = await listen("hello", { format: "json" });
  assertEquals((await post(json.url, "{}")).status, 200);
  // a body that is no text
  assertEquals((await post(json.url, new Uint8Array([0xff]))).status, 400);
});

Deno.test("HttpServer checks each reply of a guest", async () => {
  await using it = await listen("actor");
  const good = [
    ['{"status":200}', 200],
    ['{"status":599,"headers":[]}', 599],
    ['{"status":200,"headers":[["X-A","1"],["x-a","2"]]}', 200],
    ['{"status":200,"more":1}', 200],
  ] as const;
  for (const [head, status] of good) {
    assertEquals((await post(`${it.url}/raw`, envelope(head))).status, status);
  }
  const bad = [
    "",
    "null",
    "[]",
    "7",
    "{}",
    "{",
    '{"status":"200"}',
    '{"status":101}',
    '{"status":199}',
    '{"status":600}',
    '{"status":200.5}',
    '{"status":1e99}',
    '{"status":200,"headers":{}}',
    '{"status":200,"headers":null}',
    '{"status":200,"headers":["a"]}',
    '{"status":200,"headers":[["a"]]}',
    '{"status":200,"headers":[["a","b","c"]]}',
    '{"status":200,"headers":[["a",1]]}',
    '{"status":200,"headers":[["","b"]]}',
    '{"status":200,"headers":[["a b","c"]]}',
    '{"status":200,"headers":[["a:","c"]]}',
    '{"status":200,"headers":[["a\\r\\nb","c"]]}',
    '{"status":200,"headers":[["a","b\\r\\nset-cookie: c"]]}',
    '{"status":200,"headers":[["a","b\\n"]]}',
    '{"status":200,"headers":[["a","b\\u0000"]]}',
    '{"status":200,"headers":[["a","\\u0100"]]}',
    `{"status":200,"headers":[["a","${"b".repeat(20_000)}"]]}`,
    `{"status":200,"headers":[${'["a","b"],'.repeat(100)}["a","b"]]}`,
  ];
  for (const head of bad) {
    const { status, text } = await post(`${it.url}/raw`, envelope(head));
    assertEquals([head, status], [head, 502]);
    assertEquals(JSON.parse(text), {
      type: "about:blank",
      title: "Bad Gateway",
      status: 502,
      detail: "the guest's reply is not valid",
    });
  }
  // no envelope at all
  for (const message of ["", "abc", "\xff\xff\xff\xff", "aaaa{}"]) {
    assertEquals((await post(`${it.url}/raw`, message)).status, 502);
  }
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("HttpServer drops headers of the connection, and keeps cookies apart", async () => {
  await using it = await listen("actor");
  const head = JSON.stringify({
    status: 201,
    headers: [
      ["Set-Cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["Connection", "x-drop"],
      ["Transfer-Encoding", "chunked"],
      ["Content-Length", "5000"],
      ["Upgrade", "websocket"],
      ["Proxy-Authenticate", "Basic"],
      ["X-Kept", " \tvalue "],
    ],
  });
  const response = await fetch(`${it.url}/raw`, {
    method: "POST",
    body: envelope(head, "body"),
  });
  assertEquals(await response.text(), "body");
  assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assertEquals(response.headers.get("content-length"), "4");
  assertEquals(response.headers.get("x-kept"), "value");
  for (const name of ["upgrade", "proxy-authenticate", "transfer-encoding"]) {
    assertEquals(response.headers.get(name), null);
  }
});

Deno.test("HttpServer sends no body with 204, 205, 304 and HEAD", async () => {
  await using it = await listen("actor");
  for (const status of [204, 205, 304]) {
    const reply = await post(
      `${it.url}/raw`,
      envelope(`{"status":${status}}`, "a body"),
    );
    assertEquals(reply, { status, text: "" });
  }
  const response = await fetch(`${it.url}/head`, { method: "HEAD" });
  assertEquals([response.status, await response.text()], [200, ""]);
});

Deno.test("HttpServer answers for guests that fail, and goes on", async () => {
  for (const isolation of ["inline", "process"] as const) {
    await using it = await listen("actor", {
      isolation,
      limits: { timeoutMs: 300, memoryBytes: 2 ** 24 },
    });
    const expected = [
      ["spin", 504],
      ["trap", 500],
      ["grow", 500],
      ["deep", 500],
      ["lie", 502],
      ["fail", 500],
    ] as const;
    for (const [path, status] of expected) {
      const reply = await post(`${it.url}/${path}`, "x");
      assertEquals([path, reply.status], [path, status]);
      // nothing of the guest's, and no path of the host
      assert(!/secret|wasm|\/home|\/tmp/.test(reply.text), reply.text);
      assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
    }
    const errors = it.log.filter(({ status }) => status >= 500);
    assert(errors.every(({ error }) => error !== undefined));
    assertEquals(it.server.stats().guestFailures, expected.length);
  }
});

Deno.test("HttpServer counts fuel for each request", async () => {
  await using it = await listen("actor", {
    limits: { fuel: 100_000, timeoutMs: 60_000 },
  });
  for (let round = 0; round < 3; round++) {
    assertEquals((await post(`${it.url}/spin`)).status, 504);
    for (let call = 0; call < 20; call++) {
      assertEquals((await post(`${it.url}/echo`, "x")).status, 200);
    }
  }
});

Deno.test("HttpServer tells why with exposeErrors", async () => {
  await using it = await listen("actor", { exposeErrors: true });
  const { text } = await post(`${it.url}/fail`);
  assert(JSON.parse(text).cause.includes("a secret of the guest's"), text);
});

Deno.test("HttpServer.create() refuses what it cannot serve", async () => {
  const module = guest("actor");
  const create = (options: object) =>
    HttpServer.create({ module, ...options }) as Promise<HttpServer>;
  const wrong = await assertRejects(
    () => create({ maxRequestBites: 1, health: "no path", maxHeaders: 0 }),
    TypeError,
  );
  for (
    const part of ["maxRequestBites", "maxRequestBytes", "health", "maxHeaders"]
  ) assert(wrong.message.includes(part), wrong.message);
  assert(SandboxError.is(
    await assertRejects(() => create({ handler: "handel" })),
    "export-not-found",
  ));
  assert(SandboxError.is(
    await assertRejects(() => create({ handler: "wasm_sandbox_alloc" })),
    "guest-protocol",
  ));
  assert(SandboxError.is(
    await assertRejects(() => create({ form: "command" })),
    "export-not-found",
  ));
  await assertRejects(
    () => create({ hostFunctions: { "http.respond": () => 0 } }),
    TypeError,
    "http.respond",
  );
  await assertRejects(
    () => HttpServer.create({ module: guest("cgi"), format: "json" }),
    TypeError,
    "format is for handlers",
  );
  await assertRejects(
    () =>
      HttpServer.create({ module: guest("cgi"), forwardHeaders: ["Proxy"] }),
    TypeError,
    "HTTP_PROXY",
  );
});

import { assert, assertEquals } from "@std/assert";
import {
  guest,
  listen,
  post,
  raw,
  RawClient,
  statusOf,
  until,
} from "./_server.ts";
import { HttpServer } from "../../wrappers/http_server.ts";

Deno.test("HttpServer bounds the body, with and without a length", async () => {
  await using it = await listen("actor", { maxRequestBytes: 1_000 });
  const fits = "x".repeat(1_000);
  assertEquals(await post(`${it.url}/echo`, fits), { status: 200, text: fits });
  assertEquals((await post(`${it.url}/echo`, `${fits}x`)).status, 413);
  const head = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  const chunk = `64\r\n${"x".repeat(100)}\r\n`;
  const answer = await raw(
    it.port,
    `${chunked}${chunk.repeat(10)}0\r\n\r\n`,
    1_000,
  );
  assertEquals(statusOf(answer), 200);
  assertEquals(
    statusOf(
      await raw(it.port, `${chunked}${chunk.repeat(10)}1\r\nx\r\n0\r\n\r\n`),
    ),
    413,
  );
  // never sent to its end
  assertEquals(
    statusOf(await raw(it.port, chunked + chunk.repeat(500), 1_000)),
    413,
  );
  assertEquals(
    statusOf(
      await raw(it.port, `${head}Content-Length: 99999999999\r\n\r\n`, 1_000),
    ),
    413,
  );
  // a request that came over no socket, and lies
  const request = new Request("http://localhost/echo", {
    method: "POST",
    body: "x".repeat(1_001),
    headers: { "content-length": "1" },
  });
  assertEquals((await it.server.fetch(request)).status, 413);
});

Deno.test("HttpServer bounds URL and headers", async () => {
  await using it = await listen("actor", {
    maxUrlBytes: 200,
    maxHeaders: 10,
    maxHeaderBytes: 1_000,
  });
  const status = async (init: RequestInit, path = "/head") => {
    const response = await fetch(`${it.url}${path}`, init);
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status({}), 200);
  assertEquals(await status({}, `/${"x".repeat(200)}`), 414);
  assertEquals(await status({ headers: { a: "b".repeat(1_000) } }), 431);
  const many = Array.from({ length: 10 }, (_, index) => [`x-${index}`, "a"]);
  assertEquals(await status({ headers: many as [string, string][] }), 431);
  for (const method of ["TRACE", "CONNECT"]) {
    const target = method === "CONNECT" ? "example.com:80" : "/";
    const answer = await raw(
      it.port,
      `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      1_000,
    );
    assert([0, 400, 501].includes(statusOf(answer)), answer);
  }
});

Deno.test("HttpServer bounds the reply", async () => {
  await using it = await listen("actor", { maxResponseBytes: 1_000 });
  assertEquals((await post(`${it.url}/echo`, "x".repeat(1_000))).status, 200);
  assertEquals((await post(`${it.url}/echo`, "x".repeat(1_001))).status, 502);
});

Deno.test("HttpServer does not wait for a slow client", async () => {
  await using it = await listen("actor", { bodyTimeoutMs: 200 });
  for (const length of [10, 100_000]) {
    using client = await RawClient.connect(it.port);
    await client.send(
      `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\nabc`,
    );
    const answer = await client.read((text) => text.includes("}"));
    assertEquals(statusOf(answer), 408);
    assert(/\r\nconnection: close\r\n/i.test(answer), answer);
  }
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
  assertEquals(it.server.stats().active, 0);
});

Deno.test("HttpServer takes many bodies in time, with one timer", async () => {
  await using it = await listen("actor", { bodyTimeoutMs: 300 });
  for (let round = 0; round < 8; round++) {
    assertEquals((await post(`${it.url}/echo`, "x")).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

Deno.test("HttpServer turns away what it has no room for", async () => {
  await using it = await listen("actor", {
    isolation: "process",
    limits: { timeoutMs: 800 },
    maxInstances: 1,
    maxConcurrentRequests: 2,
    maxQueuedRequests: 1,
    queueTimeoutMs: 10_000,
  });
  const spin = () => fetch(`${it.url}/spin`, { method: "POST" });
  const all = await Promise.all(Array.from({ length: 8 }, async () => {
    const response = await spin();
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after")] as const;
  }));
  const rejected = all.filter(([status]) => status === 503);
  assertEquals(rejected.length, 5);
  assert(rejected.every(([, after]) => after === "1"));
  assertEquals(all.filter(([status]) => status === 504).length, 3);
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
  assertEquals(it.server.stats().rejected, 5);
});

Deno.test("HttpServer lets nobody wait for ever", async () => {
  await using it = await listen("actor", {
    isolation: "process",
    limits: { timeoutMs: 2_000 },
    maxInstances: 1,
    queueTimeoutMs: 200,
  });
  const first = post(`${it.url}/spin`);
  await until(() => it.server.stats().busyInstances === 1);
  const start = performance.now();
  assertEquals((await post(`${it.url}/echo`)).status, 503);
  assert(performance.now() - start < 1_800);
  assertEquals((await first).status, 504);
});

Deno.test("HttpServer stops a guest whose client is gone", async () => {
  await using it = await listen("actor", {
    isolation: "process",
    limits: { timeoutMs: 60_000 },
    maxInstances: 1,
  });
  {
    using client = await RawClient.connect(it.port);
    await client.send(
      "POST /spin HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    );
    await until(() => it.server.stats().busyInstances === 1);
  }
  await until(() => it.log.length === 1);
  assertEquals(it.log[0]?.status, 499);
  // the only instance is free again long before its deadline
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("HttpServer answers nothing twice, however a request is framed", async () => {
  await using it = await listen("actor");
  const get = "GET /head HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const cases: readonly (readonly [string, string])[] = [
    ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"],
    ["a length that is none", "Content-Length: 5x\r\n\r\nhello"],
    ["a negative length", "Content-Length: -5\r\n\r\nhello"],
    ["a length with a sign", "Content-Length: +5\r\n\r\nhello"],
    ["an unknown coding", "Transfer-Encoding: gzip\r\n\r\nhello"],
    ["chunked, and then not", "Transfer-Encoding: chunked, identity\r\n\r\n"],
    ["a space before the colon", "Content-Length : 5\r\n\r\nhello"],
    ["a line that goes on", "X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"],
    [
      "a chunk of no size",
      "Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n",
    ],
    [
      "a chunk that is too long to count",
      "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n",
    ],
  ];
  for (const [what, rest] of cases) {
    const answer = await raw(
      it.port,
      `POST /echo HTTP/1.1\r\nHost: x\r\n${rest}${get}`,
      1_500,
    );
    // a connection that is reset may take the answer with it
    assert([0, 400].includes(statusOf(answer)), `${what}: ${answer}`);
    assert(answer.split("HTTP/1.1 ").length <= 2, `${what}: ${answer}`);
  }
  // no second request was taken from the body of one
  assert(it.log.every(({ method }) => method === "POST"), Deno.inspect(it.log));
  // both a length and chunks: the chunks count, and the rest is a second request
  const both = await raw(
    it.port,
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" +
      `Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${get}`,
  );
  assert(!both.includes("\r\n\r\n5\r\n"), both);
  assert(both.split("HTTP/1.1 ").length <= 3, both);
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("HttpServer survives what is no HTTP, and hosts that are none", async () => {
  await using it = await listen("actor");
  for (
    const text of [
      "\0\0\0\0\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      `GET /${"x".repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(2_000_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(10_000)}\r\n`,
    ]
  ) {
    const status = statusOf(await raw(it.port, text, 1_500).catch(() => ""));
    assert(status === 0 || status >= 400, `${status} ${text.slice(0, 40)}`);
  }
  for (const host of ["", "a b", "[", "x:99999", "%00", "\xff", "a@b"]) {
    const answer = await raw(
      it.port,
      `GET /head HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      1_500,
    );
    assert([0, 200, 400].includes(statusOf(answer)), answer);
  }
  for (
    const target of ["*", "http://other/head", "//a/b", "/..%2f..", "/%00"]
  ) {
    const answer = await raw(
      it.port,
      `OPTIONS ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      1_500,
    );
    assert([0, 200, 400].includes(statusOf(answer)), answer);
  }
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("HttpServer keeps nothing of requests that were turned away", async () => {
  await using server = await HttpServer.create({
    module: guest("actor"),
    maxRequestBytes: 100,
  });
  for (let round = 0; round < 200; round++) {
    const body = "x".repeat(round);
    const request = new Request("http://x/echo", { method: "POST", body });
    const response = await server.fetch(request);
    await response.body?.cancel();
    assertEquals(response.status, round > 100 ? 413 : 200);
  }
  assertEquals(server.stats().active, 0);
  assertEquals(server.stats().busyInstances, 0);
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { HttpServer } from "../../wrappers/http_server.ts";
import { descriptors, guestProcesses, sleep } from "./_machine.ts";
import {
  guest,
  listen,
  post,
  raw,
  RawClient,
  statusOf,
  until,
} from "./_server.ts";

const ISOLATIONS = ["inline", "process"] as const;

Deno.test("HttpService.shutdown() answers every request that was accepted", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("stream", { isolation });
    // some have begun to send, some have been sent half a reply, some wait
    const clients: RawClient[] = [];
    for (let index = 0; index < 10; index++) {
      const client = await RawClient.connect(it.port);
      clients.push(client);
      await client.send(
        "POST /copy HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst",
      );
    }
    await until(() => it.server.stats().active === 10);
    const ended = it.service.shutdown();
    await sleep(50);
    const answers = clients.map(async (client) => {
      await client.send("-last");
      return await client.readAll();
    });
    for (const answer of await Promise.all(answers)) {
      assertEquals(statusOf(answer), 200);
      const text = answer.slice(answer.indexOf("\r\n\r\n"));
      assert(/first[^]*-last[^]*0\r\n\r\n$/.test(text), text);
    }
    await ended;
    for (const client of clients) client[Symbol.dispose]();
    await assertRejects(() => RawClient.connect(it.port));
    assertEquals(it.server.stats().active, 0);
    assertEquals(it.log.length, 10);
  }
});

Deno.test("HttpService.shutdown() under load loses nothing", async () => {
  for (let round = 0; round < 3; round++) {
    await using it = await listen("actor");
    let answered = 0;
    let turnedAway = 0;
    let isEnding = false;
    const load = Array.from({ length: 8 }, async () => {
      for (;;) {
        let response: Response;
        try {
          response = await fetch(`${it.url}/echo`, {
            method: "POST",
            body: "x".repeat(2_000),
          });
        } catch (error) {
          // nobody listens any more: this one was not accepted
          assert(isEnding, String(error));
          return;
        }
        const text = await response.text();
        if (response.status === 503) turnedAway++;
        else {
          assertEquals([response.status, text.length], [200, 2_000]);
          answered++;
        }
      }
    });
    await until(() => answered > 200);
    isEnding = true;
    await it.service.shutdown();
    await Promise.all(load);
    assertEquals(it.server.stats().active, 0);
    const logged = it.log.filter(({ status }) => status === 200).length;
    assertEquals(logged, answered, `${turnedAway} were turned away`);
  }
});

Deno.test("HttpServer.drain() waits for those inside, and turns away the others", async () => {
  await using it = await listen("actor", {
    isolation: "process",
    limits: { timeoutMs: 700 },
    health: "/well",
  });
  assertEquals(await fetch(`${it.url}/well`).then((r) => r.json()), {
    status: "ok",
  });
  const inside = post(`${it.url}/spin`);
  await until(() => it.server.stats().busyInstances === 1);
  const reason = new Error("enough");
  const given = new AbortController();
  const givenUp = it.server.drain({ signal: given.signal });
  given.abort(reason);
  assertEquals(await assertRejects(() => givenUp), reason);
  const drained = it.server.drain();
  const late = await fetch(`${it.url}/echo`, { method: "POST", body: "x" });
  assertEquals(late.status, 503);
  assertEquals(late.headers.get("retry-after"), "1");
  await late.body?.cancel();
  const well = await fetch(`${it.url}/well`);
  assertEquals(well.status, 503);
  await well.body?.cancel();
  assertEquals((await inside).status, 504);
  await drained;
  await it.server.drain();
  assertEquals(it.server.stats().active, 0);
});

Deno.test("HttpServer.fetch() after disposal answers 503, and rejects nobody", async () => {
  for (const name of ["actor", "stream", "cgi"]) {
    const server = await HttpServer.create({ module: guest(name) });
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    for (const method of ["GET", "POST"]) {
      const response = await server.fetch(
        new Request("http://x/echo", { method }),
      );
      assertEquals(response.status, 503);
      assertEquals((await response.json()).status, 503);
    }
    assert(SandboxError.is(assertThrows(() => server.serve()), "disposed"));
    assertEquals(server.stats().active, 0);
    await server.drain();
  }
});

Deno.test("HttpServer ends at once when it is disposed, whatever guests and clients do", async () => {
  const sockets = descriptors(/socket/);
  {
    await using it = await listen("stream", {
      isolation: "process",
      maxInstances: 3,
      maxResponseBytes: 2 ** 40,
      limits: { timeoutMs: 60_000 },
    });
    const sends = [
      "GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
      "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nwaits",
      "GET /half-a-head",
      "",
    ];
    const clients = await Promise.all(sends.map(async (text) => {
      const client = await RawClient.connect(it.port);
      await client.send(text);
      return client;
    }));
    await until(() => it.server.stats().active === 4);
    const start = performance.now();
    await it.server[Symbol.asyncDispose]();
    assert(performance.now() - start < 10_000);
    for (const client of clients) client[Symbol.dispose]();
    await until(() => it.server.stats().active === 0);
  }
  await until(() => guestProcesses().length === 0);
  await until(() => descriptors(/socket/) <= sockets);
});

Deno.test("HttpServer ends although a client does not take what a shutdown waits for", async () => {
  await using it = await listen("actor", {
    maxRequestBytes: 2 ** 24,
    maxResponseBytes: 2 ** 24,
  });
  using client = await RawClient.connect(it.port);
  const body = "x".repeat(2 ** 24);
  await client.send(
    `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await client.send(body);
  await until(() => it.log.length === 1);
  const ended = it.service.shutdown();
  await sleep(100);
  const start = performance.now();
  await it.server[Symbol.asyncDispose]();
  assert(performance.now() - start < 10_000);
  client[Symbol.dispose]();
  await ended;
});

Deno.test("HttpService ends by the signal of its options, before and after a shutdown", async () => {
  await using server = await HttpServer.create({ module: guest("actor") });
  const controller = new AbortController();
  const options = { port: 0, hostname: "127.0.0.1", signal: controller.signal };
  const first = server.serve(options);
  const second = server.serve(options);
  const { port } = first.address;
  assertEquals((await post(`http://127.0.0.1:${port}/echo`, "a")).text, "a");
  await second.shutdown();
  controller.abort();
  await first.finished;
  await assertRejects(() => RawClient.connect(port));
  assertThrows(() => server.serve(options), DOMException);
  // the server itself goes on
  const response = await server.fetch(new Request("http://x/count"));
  assertEquals(response.status, 200);
});

Deno.test("HttpServer.serve() says when somebody else listens there", async () => {
  await using server = await HttpServer.create({ module: guest("actor") });
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  assertThrows(
    () => server.serve({ port, hostname: "127.0.0.1" }),
    Deno.errors.AddrInUse,
  );
  await using service = server.serve({ port: 0, hostname: "127.0.0.1" });
  assertEquals(
    (await post(`http://127.0.0.1:${service.address.port}/echo`, "a")).text,
    "a",
  );
});

Deno.test("HttpServer.create() that is cancelled, or fails, leaves nothing", async () => {
  const reason = new Error("changed my mind");
  const module = guest("actor");
  assertEquals(
    await assertRejects(() =>
      HttpServer.create({ module }, { signal: AbortSignal.abort(reason) })
    ),
    reason,
  );
  const processes = guestProcesses().length;
  for (
    const options of [
      { handler: "missing" },
      { module: "/no/such/module.wasm" },
      { module: "deno.json" },
      { static: [{ path: "/a", directory: "/nowhere" }] },
      { limits: { memoryBytes: 65_536 } },
    ]
  ) {
    await assertRejects(() =>
      HttpServer.create({ module, isolation: "process", ...options })
    );
  }
  await until(() => guestProcesses().length <= processes);
});

Deno.test("HttpServer.serve() speaks TLS, and HTTP/2 with who can", async () => {
  await using server = await HttpServer.create({ module: guest("actor") });
  const read = (name: string) =>
    Deno.readTextFile(new URL(`../http/certs/${name}`, import.meta.url));
  await using service = server.serve({
    port: 0,
    hostname: "127.0.0.1",
    cert: await read("server.pem"),
    key: await read("server.key"),
  });
  using client = Deno.createHttpClient({ caCerts: [await read("ca.pem")] });
  const url = `https://127.0.0.1:${service.address.port}`;
  const response = await fetch(`${url}/head`, { client });
  assertEquals((await response.json()).url, `${url}/head`);
  const echo = await fetch(`${url}/echo`, {
    method: "POST",
    body: "x".repeat(300_000),
    client,
  });
  assertEquals((await echo.text()).length, 300_000);
  // plain text is no TLS
  const answer = await raw(
    service.address.port,
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    1_000,
  );
  assertEquals(statusOf(answer), 0);
});

Deno.test("HttpServer can be mounted by Deno.serve, and answers through other paths", async () => {
  await using server = await HttpServer.create({ module: guest("actor") });
  await using mounted = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    server.fetch,
  );
  const url = `http://127.0.0.1:${mounted.addr.port}`;
  assertEquals((await post(`${url}/echo`, "text")).text, "text");
  // a request that was made by hand, a stream for a body, and no `info`
  const response = await server.fetch(
    new Request("http://x/echo", {
      method: "POST",
      body: new Blob(["a", "b"]).stream(),
    }),
  );
  assertEquals(await response.text(), "ab");
});

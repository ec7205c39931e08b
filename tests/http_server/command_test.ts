import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Capabilities } from "../../security/capabilities.ts";
import { HttpServer } from "../../wrappers/http_server.ts";
import { guestLoad, guestProcesses, guestsAreIdle } from "./_machine.ts";
import {
  guest,
  listen,
  type Listening,
  post,
  raw,
  RawClient,
  statusOf,
  until,
} from "./_server.ts";

const ISOLATIONS = ["inline", "process"] as const;

/** The variables that the guest has, as it tells. */
async function variables(
  it: Listening,
  path: string,
  init: RequestInit = {},
): Promise<Record<string, string>> {
  const response = await fetch(`${it.url}${path}`, init);
  assertEquals(response.status, 200);
  const lines = (await response.text()).trim().split("\n");
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

Deno.test("a CGI program is told of the request in its variables", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("cgi", { isolation });
    assertEquals(
      await variables(it, "/env?a=%20b&c", {
        headers: { "user-agent": "me", accept: "text/plain", "x-no": "secret" },
      }),
      {
        GATEWAY_INTERFACE: "CGI/1.1",
        HTTP_ACCEPT: "text/plain",
        HTTP_ACCEPT_ENCODING: "gzip,br",
        HTTP_ACCEPT_LANGUAGE: "*",
        HTTP_HOST: `127.0.0.1:${it.port}`,
        HTTP_USER_AGENT: "me",
        PATH_INFO: "/env",
        QUERY_STRING: "a=%20b&c",
        REMOTE_ADDR: "127.0.0.1",
        REQUEST_METHOD: "GET",
        REQUEST_URI: "/env?a=%20b&c",
        SCRIPT_NAME: "",
        SERVER_NAME: "127.0.0.1",
        SERVER_PORT: String(it.port),
        SERVER_PROTOCOL: "HTTP/1.1",
        SERVER_SOFTWARE: "wasm-sandbox",
      },
    );
    const posted = await variables(it, "/env", {
      method: "POST",
      body: "four",
      headers: { "content-type": "text/x" },
    });
    assertEquals(posted.CONTENT_LENGTH, "4");
    assertEquals(posted.CONTENT_TYPE, "text/x");
    assertEquals(posted.REQUEST_METHOD, "POST");
    assertEquals(posted.HTTP_CONTENT_TYPE, undefined);
  }
});

Deno.test("a CGI program gets no proxy, no password and nothing of the host by a header", async () => {
  await using it = await listen("cgi");
  const given = await variables(it, "/env", {
    headers: {
      proxy: "http://evil",
      authorization: "Basic c2VjcmV0",
      "proxy-authorization": "Basic c2VjcmV0",
      cookie: "a=1",
      "x_forwarded_for": "1.2.3.4",
    },
  });
  assertEquals(given.HTTP_PROXY, undefined);
  assertEquals(given.HTTP_AUTHORIZATION, undefined);
  assertEquals(given.HTTP_PROXY_AUTHORIZATION, undefined);
  assertEquals(given.HTTP_X_FORWARDED_FOR, undefined);
  assertEquals(given.HTTP_COOKIE, "a=1");
  assertEquals([given.PATH, given.HOME, given.PWD], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("a CGI program gets the headers of forwardHeaders, and variables of the policy", async () => {
  await using it = await listen("cgi", {
    forwardHeaders: ["Authorization", "X-Own"],
    policy: [Capabilities.environment({ variables: { OWN: "value" } })],
  });
  const given = await variables(it, "/env", {
    headers: { authorization: "Bearer x", "x-own": "y", cookie: "a=1" },
  });
  assertEquals(given.HTTP_AUTHORIZATION, "Bearer x");
  assertEquals(given.HTTP_X_OWN, "y");
  assertEquals(given.HTTP_COOKIE, undefined);
  assertEquals(given.OWN, "value");
});

/** What parts the chunks of an answer: they may end amid a line. */
const CHUNK_ENDS = /\r\n[\da-f]+\r\n/gi;

Deno.test("a CGI program reads the body, with and without a length", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("cgi", { isolation });
    for (const body of ["", "x", "Grüße\0\r\n\r\n", "y".repeat(900_000)]) {
      const { status, text } = await post(`${it.url}/echo`, body);
      assertEquals([status, text.length], [200, body.length]);
      assert(text === body);
    }
    const answer = await raw(
      it.port,
      "POST /env HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    );
    assertMatch(answer.replaceAll(CHUNK_ENDS, ""), /^CONTENT_LENGTH=5$/m);
  }
});

Deno.test("a CGI program's head is read as RFC 3875 says", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("cgi", { isolation });
    const good = [
      ["Content-Type: text/x\n\nbody", 200, "body"],
      ["content-type:text/x\r\n\r\nbody", 200, "body"],
      ["Status: 404 Not Found\n\nbody", 404, "body"],
      ["Status: 201\nContent-Type: text/x\n\n", 201, ""],
      ["Content-Type: text/x\n\n\n\nbody", 200, "\n\nbody"],
      ["Status: 204\n\nno body", 204, ""],
      ["Content-Type: text/x\nContent-Length: 9999\n\nbody", 200, "body"],
      ["Content-Type: text/x\nTransfer-Encoding: chunked\n\nbody", 200, "body"],
    ] as const;
    for (const [output, status, body] of good) {
      const reply = await post(`${it.url}/raw`, output);
      assertEquals([output, reply], [output, { status, text: body }]);
    }
    const bad = [
      "",
      "body",
      "\n\nbody",
      "Content-Type: text/x\n",
      "X-Own: alone\n\nbody",
      "Content-Type text/x\n\nbody",
      ": text/x\nStatus: 200\n\n",
      "Status: 200\nStatus: 404\n\n",
      "Content-Type: a\nContent-Type: b\n\n",
      "Status: 101 Switching Protocols\n\n",
      "Status: 99\n\n",
      "Status: 600\n\n",
      "Status: 2e2\n\n",
      "Status: -200\n\n",
      "Status: \n\n",
      "Status: 200\nX: a\rSet-Cookie: b\n\n",
      "Status: 200\nX: a\0b\n\n",
      "Status: 200\nX Y: b\n\n",
      "Status: 200\n folded: b\n\n",
      `Status: 200\nX: ${"y".repeat(17_000)}\n\n`,
      `Status: 200\n${"X: y\n".repeat(101)}\n`,
      `Status: 200\nX: ${"y".repeat(900_000)}`,
    ];
    for (const output of bad) {
      const { status, text } = await post(`${it.url}/raw`, output);
      const what = output.slice(0, 60);
      assertEquals([what, status], [what, 502]);
      assertEquals(JSON.parse(text).detail, "the guest's reply is not valid");
    }
  }
});

Deno.test("a CGI program's cookies are kept apart", async () => {
  await using it = await listen("cgi");
  const response = await fetch(`${it.url}/raw`, {
    method: "POST",
    body: "Status: 200\nSet-Cookie: a=1; Path=/\nSet-Cookie: b=2\n\n",
  });
  await response.body?.cancel();
  assertEquals(response.headers.getSetCookie(), ["a=1; Path=/", "b=2"]);
});

Deno.test("a CGI program redirects within the server, away, and not for ever", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("cgi", { isolation });
    const local = await variables(it, "/redirect", {
      method: "POST",
      body: "a body that is not sent on",
    });
    assertEquals(local.REQUEST_METHOD, "GET");
    assertEquals(local.QUERY_STRING, "from=here");
    assertEquals(local.CONTENT_LENGTH, undefined);
    const away = await fetch(`${it.url}/away`, { redirect: "manual" });
    await away.body?.cancel();
    assertEquals(away.status, 302);
    assertEquals(away.headers.get("location"), "https://example.com/");
    assertEquals((await post(`${it.url}/loop`)).status, 502);
    // each of them another server's, or no path at all: the client is sent there
    for (
      const path of ["//other/", "/\\other", "/a b", "relative", "/\u00e9"]
    ) {
      const response = await fetch(`${it.url}/raw`, {
        method: "POST",
        body: `Location: ${path}\n\n`,
        redirect: "manual",
      });
      await response.body?.cancel();
      assertEquals([path, response.status], [path, 302]);
    }
    // a path of this server and something to say besides
    const both = await post(`${it.url}/raw`, "Location: /env\nX: y\n\n");
    assertEquals(both.status, 502);
    const long = await post(
      `${it.url}/raw`,
      `Location: /env?${"x".repeat(100_000)}\n\n`,
    );
    assertEquals(long.status, 502);
  }
});

Deno.test("a redirect reaches no more than the client could", async () => {
  await using it = await listen("cgi", {
    static: [{ path: "/files", directory: "tests/http_server/guests" }],
    metrics: false,
  });
  for (
    const path of [
      "/files/../_server.ts",
      "/files/%2e%2e/_server.ts",
      "/files/",
    ]
  ) {
    const reply = await post(`${it.url}/raw`, `Location: ${path}\n\n`);
    assertEquals([path, reply.status], [path, 404]);
  }
  const file = await post(`${it.url}/raw`, "Location: /files/build.sh\n\n");
  assertEquals(file.status, 200);
});

Deno.test("a CGI program that fails costs one request", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("cgi", {
      isolation,
      limits: { timeoutMs: 500 },
      maxResponseBytes: 1_000_000,
    });
    const { status, text } = await post(`${it.url}/exit`);
    assertEquals(status, 502);
    assert(!text.includes("secret"), text);
    assertEquals((await post(`${it.url}/spin`)).status, 504);
    assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
    assertEquals(
      it.log.filter(({ error }) => error !== undefined).length,
      2,
    );
  }
});

Deno.test("a CGI program whose reply has begun is cut off, not completed", async () => {
  await using it = await listen("cgi", {
    isolation: "process",
    limits: { timeoutMs: 500 },
    maxResponseBytes: 1_000_000,
  });
  for (const path of ["/late", "/slow", "/flood"]) {
    const answer = await raw(
      it.port,
      `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    assertEquals([path, statusOf(answer)], [path, 200]);
    // the last chunk is what tells a client that it has all
    assert(!answer.endsWith("0\r\n\r\n"), path);
    assert(answer.length < 1_200_000, `${answer.length}`);
  }
  await until(() => it.log.length === 3);
  assert(it.log.every(({ error }) => error !== undefined));
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("a CGI program inline answers all or nothing", async () => {
  await using it = await listen("cgi", {
    isolation: "inline",
    limits: { timeoutMs: 500 },
    maxResponseBytes: 1_000_000,
  });
  assertEquals((await post(`${it.url}/late`)).status, 502);
  assertEquals((await post(`${it.url}/slow`)).status, 504);
  assertEquals((await post(`${it.url}/flood`)).status, 502);
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("a CGI program stops when its client goes away", async () => {
  await using it = await listen("cgi", {
    isolation: "process",
    limits: { timeoutMs: 60_000 },
    maxInstances: 1,
  });
  for (const path of ["/spin", "/slow"]) {
    const logged = it.log.length;
    {
      using client = await RawClient.connect(it.port);
      await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await until(() => it.server.stats().busyInstances === 1);
      if (path === "/slow") await client.read((text) => text.includes("begun"));
      if (guestProcesses().length > 0) assert(await guestLoad(300) > 0.05);
    }
    await until(() => it.log.length > logged);
    await until(() => it.server.stats().busyInstances === 0);
    await guestsAreIdle();
  }
  assertEquals(it.log.map(({ status }) => status), [499, 200]);
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("a CGI program is anew for each request, and shares nothing", async () => {
  await using server = await HttpServer.create({ module: guest("cgi") });
  const all = await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const request = new Request("http://x/echo", {
      method: "POST",
      body: `${index}`,
    });
    return await (await server.fetch(request)).text();
  }));
  assertEquals(all, Array.from({ length: 20 }, (_, index) => `${index}`));
  assertEquals(server.stats().active, 0);
});

Deno.test("a CGI program that does not read the body is no way to keep a connection", async () => {
  for (const isolation of ISOLATIONS) {
    await using it = await listen("cgi", { isolation, bodyTimeoutMs: 1_000 });
    for (const path of ["/env", "/redirect", "/exit"]) {
      using client = await RawClient.connect(it.port);
      // of a length that is told: in a process the program begins before it is there
      await client.send(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc`,
      );
      const answer = await client.read((text) => text.includes("\r\n\r\n"));
      const expected = isolation === "inline"
        ? 408
        : path === "/exit"
        ? 502
        : 200;
      assertEquals([path, statusOf(answer)], [path, expected]);
    }
    await until(() => it.server.stats().active === 0);
    assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
  }
});

Deno.test("HttpServer refuses variables that each request gives", async () => {
  for (const name of ["PATH_INFO", "HTTP_ACCEPT", "REMOTE_ADDR"]) {
    await assertRejects(
      () =>
        listen("cgi", {
          policy: [Capabilities.environment({ variables: { [name]: "x" } })],
        }),
      TypeError,
      `the policy gives "${name}" a value, which each request gives another`,
    );
  }
});

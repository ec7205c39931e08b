import { assert, assertEquals } from "@std/assert";
import { HttpServer } from "../../wrappers/http_server.ts";
import { formatOf } from "../../wrappers/http/message.ts";
import { HttpProblem } from "../../wrappers/http/problem.ts";
import {
  descriptors,
  guestCpuMs,
  guestProcesses,
  guestsAreIdle,
  sleep,
} from "./_machine.ts";
import {
  envelope,
  guest,
  listen,
  post,
  raw,
  RawClient,
  statusOf,
  until,
} from "./_server.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

/** How a request ends, and where the one inside it begins, may be told in two ways. */
const SMUGGLERS: Readonly<Record<string, string>> = {
  "a length and chunks": "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n" +
    `\r\n0\r\n\r\n${SMUGGLED}`,
  "chunks and a length": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n" +
    `\r\n1\r\nZ\r\n0\r\n\r\n${SMUGGLED}`,
  "two lengths": `Content-Length: 0\r\nContent-Length: 38\r\n\r\n${SMUGGLED}`,
  "two lengths in one": `Content-Length: 0, 38\r\n\r\n${SMUGGLED}`,
  "a length in hexadecimal": `Content-Length: 0x0\r\n\r\n${SMUGGLED}`,
  "a length with a sign": `Content-Length: +0\r\n\r\n${SMUGGLED}`,
  "a length with a space within": `Content-Length: 3 8\r\n\r\n${SMUGGLED}`,
  "a length that is too long": `Content-Length: ${
    "9".repeat(40)
  }\r\n\r\n${SMUGGLED}`,
  "a length that wraps":
    `Content-Length: 18446744073709551616\r\n\r\n${SMUGGLED}`,
  "a space before the colon": `Content-Length : 0\r\n\r\n${SMUGGLED}`,
  "a coding with a space before the colon":
    `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a coding that is folded":
    `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a coding behind a tab":
    `Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a coding behind a vertical tab":
    `Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a coding that looks like one":
    `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a coding twice":
    `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a coding that is not the last":
    `Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a coding in quotes":
    `Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  "a chunk size with a sign":
    `Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n${SMUGGLED}`,
  "a chunk size in 0x":
    `Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${SMUGGLED}`,
  "a chunk size that wraps":
    `Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n${SMUGGLED}`,
  "a chunk that ends early":
    `Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n${SMUGGLED}`,
  "a chunk size that ends in LF":
    `Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n${SMUGGLED}`,
  "an extension with a line within":
    `Transfer-Encoding: chunked\r\n\r\n2;a\n;b\r\nab\r\n0\r\n\r\n${SMUGGLED}`,
  "a header with a NUL": `X: a\0b\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`,
  "a header with a CR": `X: a\rContent-Length: 38\r\n\r\n${SMUGGLED}`,
  "a header without a name": `: b\r\nContent-Length: 38\r\n\r\n${SMUGGLED}`,
  "a header without a colon": `X\r\nContent-Length: 38\r\n\r\n${SMUGGLED}`,
  "a line that goes on": `X: a\r\n b\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`,
};

Deno.test("HttpServer takes one request for one, however it is framed", async () => {
  for (const name of ["actor", "stream"]) {
    await using it = await listen(name, { bodyTimeoutMs: 500 });
    for (const [what, rest] of Object.entries(SMUGGLERS)) {
      const answer = await raw(
        it.port,
        `POST /copy HTTP/1.1\r\nHost: x\r\n${rest}`,
        1_500,
      );
      // refused: before the guest is asked, or when the body is read
      assert([0, 400].includes(statusOf(answer)), `${what}: ${answer}`);
      assert(answer.split("HTTP/1.1 ").length <= 2, `${what}: ${answer}`);
    }
    await until(() => it.server.stats().active === 0);
    assert(
      it.log.every(({ path, status }) => path === "/copy" && status >= 400),
    );
    assertEquals((await post(`${it.url}/copy`, "alive")).status, 200);
    assertEquals(it.server.stats().active, 0);
  }
});

Deno.test("HttpServer keeps trailers, and chunk extensions, from the guest", async () => {
  await using it = await listen("actor");
  const answer = await raw(
    it.port,
    "POST /head HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
      "Transfer-Encoding: chunked\r\nTrailer: x-admin\r\n\r\n" +
      "2;secret=1\r\nab\r\n0\r\nX-Admin: yes\r\nHost: evil\r\n\r\n",
  );
  assertEquals(statusOf(answer), 200);
  assert(!/x-admin|evil|secret/i.test(answer), answer);
});

Deno.test("HttpServer: no host leads to another path", async () => {
  await using it = await listen("actor", {
    metrics: "/metrics",
    static: [{ path: "/files", directory: "tests/http_server/guests" }],
  });
  for (
    const host of [
      "x/metrics?",
      "x/metrics#",
      "x/files/build.sh?",
      "x\\metrics?",
      "x?",
      "x#",
      "/metrics?",
      "x@y",
      "",
      "a b",
    ]
  ) {
    const answer = await raw(
      it.port,
      `GET /echo HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assertEquals([host, statusOf(answer)], [host, 400]);
  }
  for (
    const host of [
      "x",
      "x:80",
      "[::1]:80",
      "127.0.0.1",
      "xn--bcher-kva.example.",
    ]
  ) {
    const answer = await raw(
      it.port,
      `GET /echo HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assertEquals([host, statusOf(answer)], [host, 200]);
  }
});

Deno.test("HttpServer refuses methods that are the connection's, or no methods", async () => {
  await using it = await listen("actor");
  for (
    const method of ["TRACE", "CONNECT", "M".repeat(33), "M".repeat(20_000)]
  ) {
    const target = method === "CONNECT" ? "x:80" : "/echo";
    const answer = await raw(
      it.port,
      `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    assertEquals([method.length, statusOf(answer)], [method.length, 501]);
  }
  for (const method of ["PURGE", "PROPFIND", "QUERY"]) {
    const answer = await raw(
      it.port,
      `${method} /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n` +
        "Connection: close\r\n\r\n",
    );
    assertEquals([method, statusOf(answer)], [method, 200]);
  }
});

Deno.test("HttpServer: no request to upgrade comes through", async () => {
  await using it = await listen("actor");
  const answer = await raw(
    it.port,
    "GET /head HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    1_000,
  );
  assert(statusOf(answer) !== 101, answer);
  const reply = await post(
    `${it.url}/raw`,
    envelope('{"status":101,"headers":[["upgrade","websocket"]]}'),
  );
  assertEquals(reply.status, 502);
});

Deno.test("HttpServer: replies that are made to hurt the host cost a request", async () => {
  await using it = await listen("actor", {
    maxRequestBytes: 2 ** 25,
    maxResponseBytes: 2 ** 24,
  });
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const heads = [
    deep,
    `{"status":200,"headers":${deep}}`,
    `{"status":200,"headers":[${'["a","b"],'.repeat(200_000)}["a","b"]]}`,
    `{"status":200,"headers":[["${"a".repeat(1_000_000)}","b"]]}`,
    `{"status":200,"headers":[["a","${"b".repeat(10_000_000)}"]]}`,
    `{"status":${"9".repeat(1_000_000)}}`,
    '{"__proto__":{"status":200},"constructor":1}',
    '{"status":200,"headers":{"length":1,"0":["a","b"]}}',
    '{"status":200,"headers":[["__proto__","x"],["constructor","y"]]}',
  ];
  const statuses: number[] = [];
  for (const head of heads) {
    statuses.push((await post(`${it.url}/raw`, envelope(head))).status);
  }
  // the last is odd, and no harm
  assertEquals(statuses, [...heads.slice(1).map(() => 502), 200]);
  assertEquals(({} as { status?: unknown }).status, undefined);
  // a head that is mostly space
  const padded = (spaces: number) =>
    post(`${it.url}/raw`, envelope(`{"status":200${" ".repeat(spaces)}}`));
  assertEquals((await padded(10_000)).status, 200);
  assertEquals((await padded(1_000_000)).status, 502);
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("a reply of the format json that is no reply is refused", () => {
  const bounds = { maxUrlBytes: 100, maxHeaders: 10, maxHeaderBytes: 1_000 };
  const format = formatOf("json", bounds);
  const statusFor = (text: string | Uint8Array<ArrayBuffer>) => {
    const bytes = typeof text === "string"
      ? new TextEncoder().encode(text)
      : text;
    try {
      return format.read(bytes).head.status;
    } catch (error) {
      return error instanceof HttpProblem ? error.status : error;
    }
  };
  for (
    const [text, status] of [
      ["{}", 200],
      ['{"body":"x"}', 200],
      ['{"body":null}', 200],
      ['{"body":[1]}', 200],
      ['{"status":404,"headers":[["a","b"]],"body":{}}', 404],
      ["", 502],
      ["null", 502],
      ["[]", 502],
      ['"x"', 502],
      ['{"boddy":1}', 502],
      ['{"status":null}', 502],
      ['{"status":100}', 502],
      ['{"headers":{"a":"b"}}', 502],
      ['{"headers":[["a\\r\\nb","c"]]}', 502],
      ["{} {}", 502],
      ["\ufeff{}", 502],
      [`{"body":${"[".repeat(510)}${"]".repeat(510)}}`, 200],
      [`{"body":${"[".repeat(1e7)}${"]".repeat(1e7)}}`, 502],
    ] as const
  ) {
    assertEquals([text.slice(0, 60), statusFor(text)], [
      text.slice(0, 60),
      status,
    ]);
  }
  assertEquals(statusFor(new Uint8Array([0x7b, 0xff, 0x7d])), 502);
});

Deno.test("HttpServer: problem documents tell nothing of the guest or the host", async () => {
  for (const isolation of ["inline", "process"] as const) {
    await using it = await listen("actor", {
      isolation,
      limits: { timeoutMs: 300, memoryBytes: 2 ** 22 },
      maxRequestBytes: 100_000,
      static: [{ path: "/files", directory: "tests/http_server/guests" }],
    });
    const texts: string[] = [];
    for (const path of ["spin", "trap", "grow", "deep", "lie", "fail", "raw"]) {
      texts.push((await post(`${it.url}/${path}`, "secret")).text);
    }
    texts.push(await fetch(`${it.url}/files/none`).then((r) => r.text()));
    texts.push((await post(`${it.url}/files/build.sh`)).text);
    texts.push((await post(`${it.url}/echo`, "x".repeat(100_001))).text);
    for (const text of texts) {
      const problem = JSON.parse(text);
      assertEquals(Object.keys(problem), ["type", "title", "status", "detail"]);
      assert(
        !/secret|wasm|\.ts|\/work|\/home|\/tmp|tests|build\.sh/.test(text),
        text,
      );
    }
    for (const { status, error } of it.log) {
      assert(status < 400 || error instanceof Error, `${status}`);
    }
  }
});

Deno.test("HttpServer: metrics do not grow with what clients and guests say", async () => {
  await using it = await listen("actor", { metrics: "/metrics" });
  const lines = async () => {
    const response = await fetch(`${it.url}/metrics`);
    assertEquals(
      response.headers.get("content-type"),
      "text/plain;version=0.0.4;charset=utf-8",
    );
    return (await response.text()).split("\n");
  };
  for (let status = 200; status < 600; status++) {
    await post(`${it.url}/raw?${status}`, envelope(`{"status":${status}}`));
  }
  const before = (await lines()).length;
  for (let index = 0; index < 300; index++) {
    const response = await it.server.fetch(
      new Request(`http://h${index}/p${index}?q${index}`, {
        method: `M${index}`,
        headers: { [`x-${index}`]: '\u00e9"\\{}' },
      }),
    );
    await response.body?.cancel();
  }
  const after = await lines();
  assertEquals(after.length, before);
  assert(before < 460, `${before}`);
  const form =
    /^(# (HELP|TYPE) \w+ .*|\w+(\{(status="\d{3}"|le="[\d.+Inf]+")\})? [\d.e+-]+|)$/;
  for (const line of after) assert(form.test(line), line);
  const total = after.filter((line) => line.startsWith("http_requests_total{"))
    .reduce((sum, line) => sum + Number(line.split(" ")[1]), 0);
  assertEquals(total, it.server.stats().requests - 1);
});

Deno.test("HttpServer has no metrics unless it is asked to", async () => {
  await using it = await listen("actor");
  assertEquals((await post(`${it.url}/metrics`)).text, "?");
});

Deno.test("HttpServer: a client that leaves the line is not served", async () => {
  await using it = await listen("actor", {
    isolation: "process",
    maxInstances: 1,
    maxConcurrentRequests: 2,
    limits: { timeoutMs: 1_000 },
  });
  const first = post(`${it.url}/spin`);
  await until(() => it.server.stats().busyInstances === 1);
  const clients: RawClient[] = [];
  for (let index = 0; index < 5; index++) {
    const client = await RawClient.connect(it.port);
    clients.push(client);
    await client.send("GET /spin HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  await until(() => it.server.stats().queued === 5);
  for (const client of clients) client[Symbol.dispose]();
  await until(() => it.server.stats().queued === 0);
  assertEquals(it.log.map(({ status }) => status), [499, 499, 499, 499, 499]);
  assertEquals((await first).status, 504);
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
});

Deno.test("HttpServer: slow clients hold no guest", async () => {
  await using it = await listen("actor", {
    maxInstances: 1,
    bodyTimeoutMs: 1_000,
  });
  const clients: RawClient[] = [];
  for (let index = 0; index < 50; index++) {
    const client = await RawClient.connect(it.port);
    clients.push(client);
    await client.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx",
    );
  }
  await until(() => it.server.stats().active === 50);
  assertEquals(it.server.stats().busyInstances, 0);
  const start = performance.now();
  assertEquals((await post(`${it.url}/echo`, "alive")).text, "alive");
  assert(performance.now() - start < 900);
  const answers = clients.map((client) =>
    client.read((text) => text.includes("}"))
  );
  for (const answer of await Promise.all(answers)) {
    assertEquals(statusOf(answer), 408);
  }
  for (const client of clients) client[Symbol.dispose]();
  assertEquals(it.server.stats().active, 0);
});

Deno.test("HttpServer: hostile guests and peers leave nothing behind", async () => {
  const sockets = descriptors(/socket/);
  for (const isolation of ["inline", "process"] as const) {
    const log = { status: new Map<number, number>() };
    {
      await using server = await HttpServer.create({
        module: guest("actor"),
        isolation,
        maxInstances: 2,
        queueTimeoutMs: 30_000,
        maxRequestBytes: 10_000,
        limits: { timeoutMs: 100, memoryBytes: 2 ** 22 },
        onAccess: ({ status }) => {
          log.status.set(status, (log.status.get(status) ?? 0) + 1);
          throw new Error("a log that fails");
        },
      });
      await using service = server.serve({ port: 0, hostname: "127.0.0.1" });
      const { port } = service.address;
      const url = `http://127.0.0.1:${port}`;
      const round = async () => {
        const good = Array.from({ length: 20 }, async (_, index) => {
          const text = `${index}`.repeat(100);
          assertEquals(await post(`${url}/echo`, text), { status: 200, text });
        });
        const bad = ["spin", "trap", "grow", "deep", "lie", "fail"].map(
          async (path) => assert((await post(`${url}/${path}`)).status >= 500),
        );
        const large = post(`${url}/echo`, "x".repeat(10_001))
          .then(({ status }) => assertEquals(status, 413));
        const gone = (async () => {
          using client = await RawClient.connect(port);
          await client.send("GET /spin HTTP/1.1\r\nHost: x\r\n\r\n");
          await sleep(20);
        })();
        const broken = raw(port, "POST / HTTP/1.1\r\nHost: x\r\n\0\r\n", 1_000);
        await Promise.all([...good, ...bad, large, gone, broken]);
      };
      for (let warm = 0; warm < 3; warm++) await round();
      Reflect.get(globalThis, "gc")?.();
      const before = Deno.memoryUsage().rss;
      for (let index = 0; index < 10; index++) await round();
      assert(guestProcesses().length <= 4, `${guestProcesses()}`);
      await until(() => server.stats().active === 0);
      await guestsAreIdle();
      Reflect.get(globalThis, "gc")?.();
      const grown = Deno.memoryUsage().rss - before;
      assert(grown < 64_000_000, `${isolation}: ${grown}`);
      assertEquals((await post(`${url}/echo`, "alive")).text, "alive");
      assertEquals(server.stats().queued, 0);
    }
    assertEquals(log.status.get(200), 13 * 20 + 1);
    assertEquals(log.status.get(413), 13);
    await until(() => guestProcesses().length === 0);
  }
  assertEquals(guestCpuMs(), 0);
  await until(() => descriptors(/socket/) <= sockets + 2);
});

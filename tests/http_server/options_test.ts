import { assert, assertEquals, assertRejects } from "@std/assert";
import { openManifest } from "../../wrappers/manifest/mod.ts";
import { WrapperFactory } from "../../wrappers/mod.ts";
import {
  HTTP_SERVER,
  type HttpAccess,
  HttpServer,
} from "../../wrappers/http_server.ts";
import { HTTP_DEFAULTS, HTTP_SCHEMA } from "../../wrappers/http/schema.ts";
import { guest, listen, post, raw, statusOf } from "./_server.ts";

const module = guest("actor");

Deno.test("HTTP_SERVER is registered, and its defaults are those of its docs", async () => {
  const kind = await new WrapperFactory().create("http_server");
  assertEquals(kind.type, HTTP_SERVER.type);
  const types = await Deno.readTextFile(
    new URL("../../wrappers/http/types.ts", import.meta.url),
  );
  const docs = await Deno.readTextFile(
    new URL("../../docs/http-server.md", import.meta.url),
  );
  for (const [name, value] of Object.entries(HTTP_DEFAULTS)) {
    const property = HTTP_SCHEMA.properties?.[name];
    assertEquals([name, property?.default], [name, value]);
    const said = new RegExp(
      `@default \\{(.*)\\}\\n   \\*/\\n  readonly ${name}\\?:`,
    ).exec(types.replaceAll("   *\n", ""))?.[1];
    const stated = JSON.stringify(value).replace(
      /\d{4,}/,
      (digits) => digits.replace(/\B(?=(\d{3})+$)/g, "_"),
    );
    assertEquals([name, said], [name, stated]);
    const row = new RegExp(`\\| \`${name}\` .*`).exec(docs)?.[0] ?? "";
    const shown = typeof value === "number"
      ? ` ${value.toLocaleString("en")} `
      : `\`${typeof value === "object" ? "[]" : value}\``;
    assert(row.includes(shown), `${name} is not in the docs: ${row}`);
  }
});

Deno.test("HttpServer.create() says all that is wrong with its options", async () => {
  const wrong = await assertRejects(
    () =>
      HttpServer.create({
        module,
        form: "servlet",
        format: "xml",
        instance: "new",
        maxInstances: 0,
        maxConcurrentRequests: 1.5,
        maxQueuedRequests: -1,
        queueTimeoutMs: 0,
        maxUrlBytes: "8KiB",
        maxHeaders: NaN,
        maxRequestBytes: Infinity,
        bodyTimeoutMs: 2 ** 31,
        forwardHeaders: ["a b"],
        static: [{ path: "assets" }],
        metrics: "metrics",
        health: true,
        exposeErrors: 1,
        onAcess: () => {},
      } as never),
    TypeError,
  );
  for (
    const name of [
      "form",
      "format",
      "instance",
      "maxInstances",
      "maxConcurrentRequests",
      "maxQueuedRequests",
      "queueTimeoutMs",
      "maxUrlBytes",
      "maxHeaders",
      "maxRequestBytes",
      "bodyTimeoutMs",
      "forwardHeaders",
      "static[0].path",
      "static[0].directory",
      "metrics",
      "health",
      "exposeErrors",
      "onAccess",
    ]
  ) assert(wrong.message.includes(name), `${name}: ${wrong.message}`);
});

Deno.test("HttpServer reads its options once", async () => {
  const options = {
    module,
    maxRequestBytes: 10,
    static: [{ path: "/a", directory: "tests/http_server/guests" }],
  };
  await using server = await HttpServer.create(options);
  options.maxRequestBytes = 1_000;
  options.static[0] = { path: "/a", directory: "/" };
  options.static.push({ path: "/all", directory: "/" });
  const status = async (path: string, body?: string) => {
    const method = body === undefined ? "GET" : "POST";
    const request = new Request(`http://x${path}`, {
      method,
      body: body ?? null,
    });
    const response = await server.fetch(request);
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status("/echo", "x".repeat(11)), 413);
  assertEquals(await status("/a/build.sh"), 200);
  assertEquals(await status("/a/etc/passwd"), 404);
  assertEquals(await status("/all/etc/passwd"), 200);
  assertEquals(server.stats().guestFailures, 0);
});

Deno.test("HttpServer is made from a manifest, with units", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/app.yaml`;
    await Deno.copyFile(module, `${directory}/app.wasm`);
    await Deno.writeTextFile(
      path,
      `version: 1
http_server:
  module: ./app.wasm
  maxRequestBytes: 1KiB
  bodyTimeoutMs: 2s
  maxInstances: 1
  health: false
  metrics: /metrics
  limits: { timeoutMs: 500ms }
  static:
    - { path: /files, directory: ., maxAgeSeconds: 5 }
`,
    );
    await using server = await openManifest(path) as HttpServer;
    const get = (path: string, body?: string) =>
      server.fetch(
        new Request(`http://x${path}`, {
          method: body === undefined ? "GET" : "POST",
          body: body ?? null,
        }),
      );
    assertEquals((await get("/echo", "x".repeat(1_024))).status, 200);
    assertEquals((await get("/echo", "x".repeat(1_025))).status, 413);
    assertEquals(await (await get("/healthz")).text(), "?");
    assertEquals((await get("/metrics")).status, 200);
    const file = await get("/files/app.yaml");
    assertEquals(file.headers.get("cache-control"), "public, max-age=5");
    await file.body?.cancel();
    assertEquals((await get("/spin")).status, 504);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("HttpServer with bounds of nothing takes nothing", async () => {
  await using it = await listen("actor", {
    maxRequestBytes: 0,
    maxQueuedRequests: 0,
    maxConcurrentRequests: 1,
  });
  assertEquals((await post(`${it.url}/echo`)).status, 200);
  assertEquals((await post(`${it.url}/echo`, "x")).status, 413);
  await using none = await listen("actor", { maxResponseBytes: 0 });
  assertEquals((await post(`${none.url}/echo`)).status, 200);
  assertEquals((await post(`${none.url}/echo`, "x")).status, 502);
});

Deno.test("HttpServer: a limit of the guest's that is lower than a bound holds", async () => {
  for (const isolation of ["inline", "process"] as const) {
    await using it = await listen("actor", {
      isolation,
      limits: { messageBytes: 4_096 },
    });
    assertEquals((await post(`${it.url}/echo`, "x".repeat(100))).status, 200);
    assertEquals((await post(`${it.url}/echo`, "x".repeat(5_000))).status, 413);
    await using cgi = await listen("cgi", {
      isolation,
      limits: { stdoutBytes: 4_096 },
    });
    const text = "Content-Type: a/b\n\n" + "x".repeat(10_000);
    const answer = await raw(
      cgi.port,
      `POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      1_500,
    );
    assert(
      statusOf(answer) === 502 || !answer.endsWith("0\r\n\r\n"),
      `${isolation}: ${answer.slice(0, 200)}`,
    );
  }
});

Deno.test("HttpServer tells onAccess of each request, of its path without the query", async () => {
  await using it = await listen("actor", { maxUrlBytes: 100 });
  await post(`${it.url}/echo?password=1#x`, "four");
  await fetch(`${it.url}/healthz`).then((response) => response.text());
  await fetch(`${it.url}/${"x".repeat(200)}`).then((r) => r.text());
  const shape = ({ time, durationMs, error, ...rest }: HttpAccess) => {
    assert(Math.abs(Date.now() - time) < 60_000);
    assert(durationMs >= 0 && durationMs < 60_000);
    return { ...rest, hasError: error !== undefined };
  };
  const remoteAddress = "127.0.0.1";
  assertEquals(it.log.map(shape), [
    {
      method: "POST",
      path: "/echo",
      remoteAddress,
      status: 200,
      requestBytes: 4,
      responseBytes: 4,
      hasError: false,
    },
    {
      method: "GET",
      path: "/healthz",
      remoteAddress,
      status: 200,
      requestBytes: 0,
      responseBytes: 15,
      hasError: false,
    },
    {
      method: "GET",
      path: `/${"x".repeat(200)}`,
      remoteAddress,
      status: 414,
      requestBytes: 0,
      responseBytes: it.log[2]?.responseBytes ?? 0,
      hasError: true,
    },
  ]);
});

Deno.test("HttpServer: health and metrics are only read, and can be turned off", async () => {
  await using it = await listen("actor", { metrics: "/m", health: "/h" });
  for (const path of ["/m", "/h"]) {
    const got = await fetch(it.url + path);
    assertEquals(got.headers.get("cache-control"), "no-store");
    await got.body?.cancel();
    const head = await fetch(it.url + path, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
    const posted = await fetch(it.url + path, { method: "POST", body: "x" });
    assertEquals(posted.status, 405);
    assertEquals(posted.headers.get("allow"), "GET, HEAD");
    await posted.body?.cancel();
  }
  await using off = await listen("actor", { health: false });
  assertEquals((await post(`${off.url}/healthz`)).text, "?");
});

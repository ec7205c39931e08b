import { assertEquals, assertMatch } from "@std/assert";
import { HttpServer } from "../../wrappers/http_server.ts";
import { RawClient, statusOf } from "./_server.ts";

const MODULE = new URL("../../examples/apps/c/mdtext.wasm", import.meta.url);
const HALF = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n# A";

/** A server that has half of a request. */
async function halfway(bodyTimeoutMs = 10_000) {
  const server = await HttpServer.create({ module: MODULE, bodyTimeoutMs });
  const service = server.serve({ port: 0, hostname: "127.0.0.1" });
  const client = await RawClient.connect(service.address.port);
  await client.send(HALF);
  while (server.stats().active === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { server, service, client };
}

Deno.test("HttpService.shutdown() takes the rest of a body, and turns others away", async () => {
  const { server, service, client } = await halfway();
  const ended = service.shutdown();
  const late = await fetch(`http://127.0.0.1:${service.address.port}/`);
  assertEquals(late.status, 503);
  assertEquals(late.headers.get("retry-after"), "1");
  assertMatch(await late.text(), /about to end/);
  await client.send("\nb");
  assertMatch(await client.readAll(), /^HTTP\/1\.1 200 [^]*\r\n\r\nA\n=\nb\n$/);
  await ended;
  await service.finished;
  client[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

Deno.test("HttpService.shutdown() waits for a body no longer than it may take", async () => {
  const { server, service, client } = await halfway(300);
  const ended = service.shutdown();
  const answer = await client.read((text) => text.includes("408"));
  assertEquals(statusOf(answer), 408);
  client[Symbol.dispose]();
  await ended;
  await server[Symbol.asyncDispose]();
});

Deno.test("HttpServer ends at once while a body is waited for", async () => {
  const { server, service, client } = await halfway();
  const ended = service.shutdown();
  await server[Symbol.asyncDispose]();
  await ended;
  await service.finished;
  assertEquals(statusOf(await client.readAll()), 0);
  client[Symbol.dispose]();
});

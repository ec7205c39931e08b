import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { failure, ISOLATIONS, open, PROBE } from "./_plugins.ts";

/** A server of this machine. */
function serve() {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) =>
      new Response(`${request.method} ${await request.text()}`, {
        headers: { "x-answer": "42" },
      }),
  );
  const { port } = server.addr as Deno.NetAddr;
  return {
    port,
    url: (host: string) => JSON.stringify({ url: `http://${host}:${port}/` }),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

for (const isolation of ISOLATIONS) {
  Deno.test(`a plug-in's request goes to hosts that are allowed, ${isolation}`, async () => {
    await using server = serve();
    await using probe = await open(PROBE, { isolation }, {
      allowedHosts: ["localhost", "*.example.com"],
    });
    assertEquals(
      (await probe.call("fetch", server.url("localhost")))?.text(),
      "GET ",
    );
    const error = await failure(
      probe.call("fetch", '{"url":"https://example.org/"}'),
      "access-denied",
    );
    assertStringIncludes(
      error.message,
      'no allowedHosts match "example.org"',
    );
  });

  Deno.test(`a plug-in sees headers of a response if it may, ${isolation}`, async () => {
    await using server = serve();
    const manifest = { allowedHosts: [`127.0.0.1:${server.port}`] };
    await using closed = await open(PROBE, { isolation }, manifest);
    const post = JSON.stringify({
      url: `http://127.0.0.1:${server.port}/`,
      method: "post",
    });
    assertEquals((await closed.call("headers", post))?.byteLength, 0);
    await using probe = await open(
      PROBE,
      { isolation, allowHttpResponseHeaders: true },
      manifest,
    );
    const headers = await probe.call("headers", post);
    const { "x-answer": answer } = headers?.json<Record<string, string>>() ??
      {};
    assertEquals(answer, "42");
  });

  Deno.test(`a plug-in gets no response that is too long, ${isolation}`, async () => {
    await using server = serve();
    await using probe = await open(PROBE, { isolation }, {
      allowedHosts: ["127.0.0.1"],
      memory: { maxHttpResponseBytes: 2 },
    });
    const error = await failure(
      probe.call("fetch", server.url("127.0.0.1")),
      "host-function-failed",
    );
    assert(error.message.includes("maximum number of bytes: 2"));
  });
}

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HTTP_SERVER_TEMPLATE } from "../../templates/http_server/mod.ts";
import { testTemplate } from "../../testing/mod.ts";
import { ODD_NAME, TEST_AS_IT_IS } from "./_applications.ts";
import { Folder } from "./_generated.ts";

testTemplate("http_server", HTTP_SERVER_TEMPLATE, {
  configs: [
    { name: "texts", port: 8080, limits: { memoryBytes: 2 ** 20 } },
    { name: "texts", module: "/srv/guest.wasm" },
  ],
});

Deno.test("http_server serves as generated, whatever its name is", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  await folder.generate("http_server", { name: ODD_NAME, port });
  assertStringIncludes(
    await folder.test("http_server"),
    "4 passed",
  );

  const started = performance.now();
  await using server = folder.start(["task", "start"], "http_server");
  await server.printed(`http://127.0.0.1:${port}/`);
  const seconds = (performance.now() - started) / 1_000;
  assert(seconds < 60, `it took ${seconds} s to listen`);

  const url = `http://127.0.0.1:${port}/`;
  const usage = await (await fetch(url)).text();
  assertEquals(usage, `${ODD_NAME}: POST a text, and its words are counted.\n`);
  const reply = await fetch(url, { method: "POST", body: "to be" });
  assertEquals(await reply.json(), { words: 2, lines: 0, bytes: 5 });
});

Deno.test("http_server says in a line that its port is in use", async () => {
  await using folder = await Folder.make();
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  await folder.generate("http_server", { name: 'a "b"', port });
  await using server = folder.start(["task", "start"], "http_server");
  const { code, text } = await server.ended();
  assertEquals([code, text], [1, ""]);
  const [line, ...more] = (await server.errors).split("\n").slice(-2);
  assertEquals(
    line,
    `a "b": port ${port} is in use (end what listens there, or choose another ` +
      "here and in deno.json)",
  );
  assertEquals(more, [""]);
});

Deno.test("http_server serves a module that there is", async () => {
  await using folder = await Folder.make();
  const module = await Deno.realPath("examples/apps/c/mdtext.wasm");
  await folder.generate("http_server", { module });
  assertStringIncludes(
    await folder.deno(TEST_AS_IT_IS, "http_server"),
    "2 passed",
  );
});

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

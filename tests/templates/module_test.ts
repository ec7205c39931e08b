import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TemplateFactory } from "../../templates/mod.ts";
import { Folder } from "./_generated.ts";

const TEMPLATES = new TemplateFactory();

async function tasksOf(
  template: string,
  module: string,
): Promise<Readonly<Record<string, string>>> {
  const files = await TEMPLATES.render(template, { module });
  return JSON.parse(files.get("deno.json") ?? "").tasks;
}

Deno.test("applications may read their module, and no more than it takes", async () => {
  for (
    const [template, module, start] of [
      ["generic", "/srv/a.wasm", "deno run --allow-read main.ts"],
      ["generic", "C:\\a.wasm", "deno run --allow-read main.ts"],
      ["generic", "file:///srv/a.wasm", "deno run --allow-read main.ts"],
      [
        "generic",
        "https://Example.COM/a.wasm",
        "deno run --allow-read=. --allow-net=example.com main.ts",
      ],
      [
        "http_server",
        "http://[::1]:81/a.wasm",
        "deno run --allow-read=. --allow-net=[::1]:81,127.0.0.1:8000 main.ts",
      ],
    ] as const
  ) assertEquals((await tasksOf(template, module))["start"], start);
});

Deno.test("applications refuse URLs that a shell could take for more", async () => {
  for (
    const module of [
      "https://a;evil/x.wasm",
      "https://$(evil)/x.wasm",
      "https://a&evil/x.wasm",
      "https://`evil`/x.wasm",
      "https://a,b/x.wasm",
      "https://'/x.wasm",
      "https://*/x.wasm",
      "https://me:secret@example.com/x.wasm",
      "file://example.com/share/x.wasm",
      "ftp://example.com/x.wasm",
      "javascript://evil()",
      "https://",
    ]
  ) {
    for (const template of ["generic", "http_server", "mcp_server"]) {
      await assertRejects(
        () => tasksOf(template, module),
        TypeError,
        "module is ",
        module,
      );
    }
  }
});

Deno.test("generic asks a module that it has from the web", async () => {
  const bytes = await Deno.readFile("examples/guests/c/text_stats.wasm");
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(bytes),
  );
  const module = `http://127.0.0.1:${server.addr.port}/a.wasm`;
  await using folder = await Folder.make();
  const entryPoint = "text_stats";
  await folder.generate("generic", { module, entryPoint });
  const shown = await folder.test("generic");
  assertStringIncludes(shown, "1 passed");
});

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type TemplateConfig, TemplateFactory } from "../../templates/mod.ts";

const TEMPLATES = new TemplateFactory();

async function refused(template: string, config: unknown): Promise<string> {
  const error = await assertRejects(
    () => TEMPLATES.render(template, config as TemplateConfig),
    TypeError,
    `Cannot render ${template}: `,
  );
  // whoever reads it is not drowned
  assert(error.message.length < 10_000);
  return error.message;
}

Deno.test("render() reads each value of a config once", async () => {
  let reads = 0;
  const config = {
    // it is checked as one thing, and must not be inserted as another
    get port(): unknown {
      return ++reads === 1 ? 8_000 : "1 main.ts; evil; ";
    },
  };
  const files = await TEMPLATES.render("http_server", config);
  assertEquals(reads, 1);
  const { tasks } = JSON.parse(files.get("deno.json") ?? "");
  assertStringIncludes(tasks.start, "--allow-net=127.0.0.1:8000 main.ts");
});

Deno.test("render() refuses a config that cannot be read", async () => {
  const config = {
    get name(): string {
      throw new Error("not now\x1b[2J");
    },
  };
  assertStringIncludes(await refused("generic", config), "not now\\u{1b}[2J");
  const lying = new Proxy({}, {
    ownKeys: () => {
      throw new RangeError("no keys");
    },
  });
  assertStringIncludes(await refused("generic", lying), "no keys");
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  await refused("generic", proxy);
  await refused("generic", { name: "x", limits: new Map() });
  await refused("generic", { name: () => "x" });
  await refused("generic", { name: Symbol("x") });
  await refused("http_server", { port: 80n });
});

Deno.test("render() takes a config as a proxy gives it", async () => {
  const config = { name: "x", limits: { timeoutMs: 5 } };
  assertEquals(
    await TEMPLATES.render("generic", new Proxy(config, {})),
    await TEMPLATES.render("generic", config),
  );
});

Deno.test("render() refuses a config that holds itself, or nests without end", async () => {
  const table: Record<string, unknown> = { name: "x" };
  table["limits"] = table;
  assertStringIncludes(await refused("generic", table), "nests over 32 deep");
  const list: unknown[] = [];
  list.push(list);
  await refused("mcp_server", { tools: list });
  let deep: unknown = {};
  for (let depth = 0; depth < 200_000; depth++) deep = [deep];
  await refused("generic", { limits: deep });
});

Deno.test("render() refuses a config that is too much, at once", async () => {
  const entries = Array.from({ length: 100_000 }, (_, at) => [`k${at}`, 1]);
  const keys = Object.fromEntries(entries);
  assertStringIncludes(await refused("generic", keys), "over 10000 values");
  const endless = new Proxy([], {
    get: (_, name) => name === "length" ? Infinity : "x",
  });
  await refused("mcp_server", { tools: endless });
  const long = "a".repeat(2 ** 24);
  assertStringIncludes(await refused("generic", { name: long }), "longer than");
  await refused("generic", { [long]: 1 });
});

Deno.test("render() takes nothing from prototypes", async () => {
  for (const name of ["__proto__", "constructor", "toString", "valueOf"]) {
    const own = JSON.parse(`{ "${name}": { "name": "x", "port": 1 } }`);
    assertStringIncludes(await refused("http_server", own), name);
    const within = { limits: JSON.parse(`{ "${name}": 1 }`) };
    assertStringIncludes(await refused("http_server", within), name);
  }
  const heir = Object.create({ port: 9_999 });
  assertEquals(
    await TEMPLATES.render("http_server", heir),
    await TEMPLATES.render("http_server", {}),
  );
  assertEquals("port" in {}, false);
});

Deno.test("render() takes a name as long as a config may be, and no longer", async () => {
  const files = await TEMPLATES.render("http_server", {
    name: "a".repeat(1_000_000),
  });
  assertStringIncludes(files.get("main.ts") ?? "", `"${"a".repeat(1_000)}`);
  await refused("http_server", { name: "a".repeat(2 ** 20 + 1) });
});

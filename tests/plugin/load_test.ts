import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { openManifest } from "../../wrappers/manifest/mod.ts";
import { PLUGIN, PluginHost } from "../../wrappers/plugin.ts";
import { DEFAULTS, SUPERVISION } from "../../wrappers/plugin/schema.ts";
import { sha256 } from "../../wrappers/sha256.ts";
import { counter, Folder, guest, open, REPLY } from "./_plugins.ts";

Deno.test("PluginHost loads, calls, lists and unloads plugins", async () => {
  const { host, events } = await open({
    plugins: { sum: { module: await counter(1) } },
    requires: { add: "message" },
  });
  await using _ = host;
  assertEquals(await host.call("sum", "add", 2), 2);
  assertEquals(await host.call("sum", "add", 3), 5);
  const info = host.get("sum");
  assertEquals(info?.state, "serving");
  assertEquals(info?.version, "1.0.0");
  assertEquals(info?.calls, 2);
  assertEquals(info?.failures, 0);
  assert(info?.exports.includes("add: (i32, i32) -> i64"));
  await host.unload("sum");
  assertEquals(host.list(), []);
  const error = await assertRejects(() => host.call("sum", "add", 1));
  assert(SandboxError.is(error, "unknown-name"));
  assertEquals(events.map(({ type }) => type), ["loaded", "unloaded"]);
  const loaded = await host.load("sum");
  assertEquals(loaded.state, "serving");
});

Deno.test("create() opens what a manifest says", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  await folder.put("b.wasm", await counter(2));
  await folder.put(
    "asks.yaml",
    "version: 1\nlimits: { memoryBytes: 4MiB }\ncapabilities: [{ type: clock }]\n",
  );
  await folder.put(
    "host.yaml",
    `version: 1
plugin:
  directory: .
  plugins:
    pinned:
      module: ./sum.wasm
      version: 1.0.0
      sha256: "${await sha256(await counter(1))}"
      requires: { work: message }
      policy: ./asks.yaml
  grants: { policy: [{ type: clock }], limits: { memoryBytes: 8MiB } }
  supervision: { backoffMs: 1s }
  debounceMs: 1
`,
  );
  await using host = await openManifest(folder.at("host.yaml"));
  assert(host instanceof PluginHost);
  assertEquals(
    host.list().map(({ name, version, state }) => [name, version, state]),
    [
      ["b", "2.0.0", "serving"],
      ["pinned", "1.0.0", "serving"],
      ["sum", "1.0.0", "serving"],
    ],
  );
  const { capabilities = [] } = host.get("pinned") ?? {};
  assertEquals(capabilities.map(({ type }) => type), ["clock"]);
});

Deno.test("create() says everything that is wrong with its options", async () => {
  const error = await assertRejects(
    () =>
      PluginHost.create(
        {
          maxPlugin: 1,
          plugins: { a: { modul: "a.wasm" } },
          supervision: { backoffMs: "long" },
        } as unknown as Parameters<typeof PluginHost.create>[0],
      ),
    TypeError,
  );
  for (
    const part of [
      "maxPlugin is not known",
      "plugins.a.module",
      "plugins.a.modul is not known",
      "supervision.backoffMs",
    ]
  ) assertStringIncludes(error.message, part);
});

Deno.test("create() refuses what it could not do", async () => {
  const module = await counter(1);
  const wrong: Parameters<typeof PluginHost.create>[0][] = [
    { plugins: { ["__proto__"]: { module } } },
    { plugins: { "../x": { module } } },
    { plugins: { "a\u0007b": { module } } },
    { plugins: { "": { module } } },
    { plugins: { ["x".repeat(65)]: { module } } },
    { plugins: { a: { module, requires: { add: "(i32) -> text" } } } },
    { stateHandOver: true },
    { stateHandOver: true, maxInstances: 1, instance: "fresh" },
  ];
  for (const options of wrong) {
    await assertRejects(() => PluginHost.create(options), TypeError);
  }
});

Deno.test("the schema states the defaults that hold", () => {
  const { properties = {} } = PLUGIN.schema;
  for (const [name, value] of Object.entries(DEFAULTS)) {
    assertEquals(properties[name]?.default, value, name);
  }
  for (const [name, value] of Object.entries(SUPERVISION)) {
    const { properties: inner = {} } = properties.supervision ?? {};
    assertEquals(inner[name]?.default, value, name);
  }
});

Deno.test("load() checks exports with their types", async () => {
  const { host } = await open({ requires: { add: "message" } });
  await using _ = host;
  const missing = await assertRejects(
    async () => host.load("a", { module: await counter(4) }),
    SandboxError,
  );
  assertEquals(missing.code, "export-not-found");
  const module = await counter(1);
  const other = await assertRejects(
    () => host.load("a", { module, requires: { add: "(i32) -> (i32, f64)" } }),
    SandboxError,
    'its export "add" is of type (i32, i32) -> i64, and must be (i32) -> (i32, f64)',
  );
  assertEquals(other.code, "module-refused");
  assertEquals(host.list(), []);
  await host.load("a", { module, requires: { add: "( i32 , i32 )->( i64 )" } });
});

Deno.test("load() sees that sha256 and version are what is pinned", async () => {
  const module = await counter(1);
  const { host } = await open({});
  await using _ = host;
  const pin = await sha256(module);
  await assertRejects(
    () => host.load("a", { module, sha256: pin.replace(/^./, "0") }),
    SandboxError,
    "is pinned",
  );
  await assertRejects(
    () => host.load("a", { module, version: "1.0.1" }),
    SandboxError,
    'says that its version is "1.0.0", and it should be "1.0.1"',
  );
  const info = await host.load("a", {
    module,
    sha256: pin.toUpperCase(),
    version: "1.0.0",
  });
  assertEquals(info.sha256, pin);
});

Deno.test("load() takes the bytes that it was given, not what becomes of them", async () => {
  const module = await counter(1);
  const pin = await sha256(module);
  const { host } = await open({});
  await using _ = host;
  const loading = host.load("a", { module, sha256: pin });
  module.set(await counter(2));
  assertEquals((await loading).sha256, pin);
  assertEquals(host.get("a")?.version, "1.0.0");
});

Deno.test("a plugin that says odd things of its version is refused", async () => {
  const { host } = await open({ checkTimeoutMs: 100 });
  await using _ = host;
  for (
    const body of [REPLY.null, REPLY.seven, REPLY.spin, REPLY.trap]
  ) {
    const module = await guest({ "plugin_version": body });
    await assertRejects(() => host.load("liar", { module }), SandboxError);
  }
  const module = await guest({ "plugin_version": REPLY.version });
  assertEquals((await host.load("liar", { module })).version, "9.9.9");
  assertEquals(host.list().length, 1);
});

Deno.test("load() takes what the directory holds, by name", async () => {
  await using folder = await Folder.make();
  const { host } = await open({ directory: folder.path });
  await using _ = host;
  await assertRejects(
    () => host.load("sum"),
    SandboxError,
    "it does not exist",
  );
  await folder.put("sum.wasm", await counter(1));
  assertEquals((await host.load("sum")).version, "1.0.0");
  await assertRejects(() => host.load("sum"), TypeError, "it is there already");
  await assertRejects(() => host.load("../sum"), TypeError);
});

Deno.test("execute() runs a plugin that is a command", async () => {
  const { host } = await open({
    grants: {
      policy: [{ type: "stdio" }, { type: "process" }, { type: "clock" }, {
        type: "random",
      }, { type: "environment" }],
    },
    plugins: {
      words: {
        module: "examples/programs/rust/wordfreq.wasm",
        policy: [{ type: "stdio" }, { type: "process" }, {
          type: "environment",
        }, { type: "random" }],
      },
    },
  });
  await using _ = host;
  const { exitCode, stdout } = await host.execute("words", [], {
    stdin: "to be or not to be",
  });
  assertEquals(exitCode, 0);
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)).words, 6);
});

Deno.test("a host that is disposed takes nothing", async () => {
  const { host } = await open({ plugins: { a: { module: await counter(1) } } });
  await host[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  for (
    const use of [
      () => host.call("a", "add", 1),
      () => host.load("a"),
      () => host.reload("a"),
      () => host.unload("a"),
      () => host.approve("a", ""),
    ]
  ) {
    const error = await assertRejects(use, SandboxError);
    assertEquals(error.code, "disposed");
  }
  assertEquals(host.list(), []);
});

Deno.test("create() that is aborted leaves nothing behind", async () => {
  const reason = new Error("no more");
  const error = await assertRejects(() =>
    PluginHost.create({
      plugins: { a: { module: "tests/plugin/guests/counter_1.wasm" } },
    }, { signal: AbortSignal.abort(reason) })
  );
  assertEquals(error, reason);
  const stop = new AbortController();
  const started = PluginHost.create({
    defaults: { isolation: "process" },
    plugins: { a: { module: "tests/plugin/guests/counter_1.wasm" } },
  }, { signal: stop.signal });
  setTimeout(() => stop.abort(reason), 5);
  assertEquals(await assertRejects(() => started), reason);
});

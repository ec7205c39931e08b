import { assert, assertEquals } from "@std/assert";
import type { PluginHostOptions } from "../../wrappers/plugin.ts";
import { sha256 as sha256Of } from "../../wrappers/sha256.ts";
import { counter, Folder, guest, open, REPLY, until } from "./_plugins.ts";

/** A host that watches a directory. */
async function watched(
  folder: Folder,
  options: PluginHostOptions = {},
): ReturnType<typeof open> {
  const opened = await open({
    directory: folder.path,
    debounceMs: 20,
    requires: { add: "message" },
    ...options,
  });
  opened.host.watch();
  return opened;
}

Deno.test("watch() loads what is new and reloads what has changed", async () => {
  await using folder = await Folder.make();
  const { host, events } = await watched(folder);
  await using _ = host;
  await folder.put("sum.wasm", await counter(1));
  await until(() => host.get("sum")?.version === "1.0.0", "the first version");
  await folder.put("sum.wasm", await counter(2));
  await until(() => host.get("sum")?.version === "2.0.0", "the second version");
  await folder.put("sum.wasm", await counter(3));
  await until(() => events.some(({ type }) => type === "rejected"));
  assertEquals(host.get("sum")?.version, "2.0.0");
  await folder.put(
    "sum.yaml",
    "version: 1\ncapabilities: [{ type: random }]\n",
  );
  await folder.put("sum.wasm", await counter(1));
  const wanted = await sha256Of(await counter(1));
  await until(
    () => host.get("sum")?.request?.moduleSha256 === wanted,
    "the request",
  );
  const { sha256 = "" } = host.get("sum")?.request ?? {};
  await host.approve("sum", sha256);
  assertEquals(host.get("sum")?.capabilities.length, 1);
});

Deno.test("watch() never lets half a file serve", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host, events } = await watched(folder);
  await using _ = host;
  const module = await counter(2);
  for (let round = 0; round < 3; round++) {
    using file = await Deno.open(folder.at("sum.wasm"), {
      write: true,
      truncate: true,
      create: true,
    });
    for (let at = 0; at < module.length; at += 1_000) {
      await file.write(module.subarray(at, at + 1_000));
      // the last round waits so long that the parts are looked at
      const pause = round === 2 ? 60 : 5;
      await new Promise((resolve) => setTimeout(resolve, pause));
      const { version } = host.get("sum") ?? {};
      assert(version === "1.0.0" || version === "2.0.0", version);
      assert(await host.call("sum", "work", 1) === Number(version?.[0]));
    }
  }
  await until(() => host.get("sum")?.version === "2.0.0");
  for (const event of events) {
    if (event.type === "rejected") assert(event.isServing);
  }
});

Deno.test("watch() keeps a plugin whose file is gone, and says so", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host, events } = await watched(folder);
  await using _ = host;
  await Deno.remove(folder.at("sum.wasm"));
  await until(() => events.some(({ type }) => type === "source-missing"));
  assertEquals(await host.call("sum", "add", 1), 1);
  await folder.put("sum.wasm", await counter(2));
  await until(() => host.get("sum")?.version === "2.0.0");
});

Deno.test("watch() does not load again what was unloaded", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host, events } = await watched(folder);
  await using _ = host;
  await host.unload("sum");
  await folder.put("sum.wasm", await counter(2));
  await folder.put("other.wasm", await counter(1));
  await until(() => host.get("other")?.state === "serving");
  assertEquals(host.get("sum"), undefined);
  await host.load("sum");
  assertEquals(host.get("sum")?.version, "2.0.0");
  assertEquals(events.at(-1)?.type, "loaded");
});

Deno.test("watch() sees modules that are named, and loaded later", async () => {
  await using folder = await Folder.make();
  await using elsewhere = await Folder.make();
  await folder.put("a.wasm", await counter(1));
  await elsewhere.put("b.wasm", await counter(1));
  const { host } = await open({
    debounceMs: 20,
    plugins: { a: { module: folder.at("a.wasm") } },
  });
  await using _ = host;
  host.watch();
  await host.load("b", { module: new URL(`file://${elsewhere.at("b.wasm")}`) });
  await folder.put("a.wasm", await counter(2));
  await elsewhere.put("b.wasm", await counter(2));
  await until(() => host.list().every(({ version }) => version === "2.0.0"));
});

Deno.test("watch() that is disposed sees nothing more", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host } = await open({ directory: folder.path, debounceMs: 20 });
  await using _ = host;
  {
    await using _watch = host.watch();
    await folder.put("sum.wasm", await counter(2));
    await until(() => host.get("sum")?.version === "2.0.0");
  }
  await folder.put("sum.wasm", await counter(1));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(host.get("sum")?.version, "2.0.0");
});

Deno.test("a storm of file events costs few reloads, and a bad file is tried once", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host, events } = await watched(folder, {
    defaults: { limits: { timeoutMs: 200 } },
  });
  await using _ = host;
  const endless = await guest(
    { add: REPLY.seven },
    "(start $s) (func $s (loop (br 0)))",
  );
  await folder.put("sum.wasm", endless);
  await until(() => events.some(({ type }) => type === "rejected"));
  const end = performance.now() + 1_500;
  let touched = 0;
  while (performance.now() < end) {
    await Deno.writeTextFile(folder.at(`noise-${touched % 300}.txt`), "x");
    await folder.put("sum.wasm", endless);
    touched++;
    assertEquals(await host.call("sum", "work", 1), 1);
  }
  assert(touched > 50, `${touched}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const rejected = events.filter(({ type }) => type === "rejected").length;
  assertEquals(rejected, 1);
});

Deno.test("watch() lifts no quarantine unless the module is another", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host, events } = await watched(folder, {
    supervision: { quarantineAfter: 1 },
  });
  await using _ = host;
  await host.call("sum", "crash", null).catch(() => {});
  assertEquals(host.get("sum")?.state, "quarantined");
  await Deno.rename(folder.at("sum.wasm"), folder.at("away"));
  await until(() => events.some(({ type }) => type === "source-missing"));
  await Deno.rename(folder.at("away"), folder.at("sum.wasm"));
  // the same module that asks for less
  await folder.put("sum.yaml", "version: 1\nlimits: { memoryBytes: 1MiB }\n");
  await until(() => events.some(({ type }) => type === "reloaded"));
  assertEquals(host.get("sum")?.state, "quarantined");
  await folder.put("sum.wasm", await counter(2));
  await until(() => host.get("sum")?.version === "2.0.0", "the next version");
  assertEquals(host.get("sum")?.state, "serving");
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { counter, Folder, guest, open, REPLY, until } from "./_plugins.ts";

/** A function of the host that lets guests wait, and those that wait. */
function waiting(): {
  functions: Record<string, () => Promise<null>>;
  count: () => number;
  go: () => void;
} {
  const line: (() => void)[] = [];
  return {
    functions: {
      "test.wait": () =>
        new Promise<null>((resolve) => line.push(() => resolve(null))),
    },
    count: () => line.length,
    go: () => line.splice(0).forEach((each) => each()),
  };
}

const MAY_WAIT = [{
  type: "host_functions",
  functions: ["test.wait"],
  maxCalls: {},
}];

Deno.test("reload() switches new calls, and lets calls in flight end on the old version", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { functions, count, go } = waiting();
  const { host, events } = await open({
    plugins: { sum: { module: folder.at("sum.wasm"), policy: MAY_WAIT } },
    grants: { policy: MAY_WAIT },
    defaults: { hostFunctions: functions },
  });
  await using _ = host;
  const before = host.call("sum", "ask", null);
  await until(() => count() === 1);
  await folder.put("sum.wasm", await counter(2));
  const reloading = host.reload("sum");
  await until(() => host.get("sum")?.version === "2.0.0");
  assertEquals(await host.call("sum", "work", 1), 2);
  go();
  assertEquals(await before, 1);
  assertEquals((await reloading).version, "2.0.0");
  const [, reloaded] = events;
  assert(reloaded?.type === "reloaded");
  assertEquals(reloaded.previous.version, "1.0.0");
});

Deno.test("reload() cuts calls off that do not end in time, and says so", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { functions, count } = waiting();
  const { host, events } = await open({
    plugins: { sum: { module: folder.at("sum.wasm"), policy: MAY_WAIT } },
    grants: { policy: MAY_WAIT },
    defaults: { hostFunctions: functions },
    drainTimeoutMs: 50,
  });
  await using _ = host;
  const before = assertRejects(() => host.call("sum", "ask", null));
  await until(() => count() === 1);
  await folder.put("sum.wasm", await counter(2));
  await host.reload("sum");
  await before;
  const cut = events.find(({ type }) => type === "cut-off");
  assert(cut?.type === "cut-off" && cut.calls === 1);
  assertEquals(host.get("sum")?.failures, 0);
});

Deno.test("a bad new version never serves", async (t) => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host, events } = await open({
    directory: folder.path,
    requires: { add: "message" },
    checkTimeoutMs: 100,
    defaults: { limits: { timeoutMs: 300 } },
  });
  await using _ = host;
  const good = await counter(1);
  const bad: Record<string, Uint8Array> = {
    "is not well": await counter(3),
    "has lost an export": await counter(4),
    "is cut": good.subarray(0, good.length - 100),
    "is empty": new Uint8Array(),
    "is no module": new TextEncoder().encode("#!/bin/sh"),
    "starts for ever": await guest(
      { add: REPLY.seven },
      "(start $s) (func $s (loop (br 0)))",
    ),
    "is well for ever": await guest({ add: REPLY.seven, health: REPLY.spin }),
    "traps when asked": await guest({ add: REPLY.seven, health: REPLY.trap }),
    "has a health of another type": await guest(
      { add: REPLY.seven },
      '(func (export "health") (param i32))',
    ),
    "imports what nobody gives": await guest(
      { add: REPLY.seven },
      "",
      '(import "env" "system" (func (param i32)))',
    ),
    "wants more memory": await guest(
      { add: REPLY.seven },
      "(start $s) (func $s (if (i32.lt_s (memory.grow (i32.const 60000)) (i32.const 0)) (then unreachable)))",
    ),
  };
  for (const [name, module] of Object.entries(bad)) {
    await t.step(name, async () => {
      await folder.put("sum.wasm", module);
      const told = events.length;
      await assertRejects(() => host.reload("sum"), SandboxError);
      assertEquals(host.get("sum")?.version, "1.0.0");
      assertEquals(await host.call("sum", "add", 0), 0);
      const event = events[told];
      assert(event?.type === "rejected" && event.isServing);
    });
  }
  await folder.put("sum.wasm", await counter(2));
  await host.reload("sum");
  assertEquals(host.get("sum")?.error, undefined);
});

Deno.test("reload() during a reload is shared, and comes after it", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host, events } = await open({ directory: folder.path });
  await using _ = host;
  const reloads = Array.from({ length: 50 }, () => host.reload("sum"));
  await folder.put("sum.wasm", await counter(2));
  reloads.push(host.reload("sum"));
  const versions = (await Promise.all(reloads)).map(({ version }) => version);
  assertEquals(versions.at(-1), "2.0.0");
  const done = events.filter(({ type }) => type === "reloaded").length;
  assert(done >= 1 && done <= 3, `${done} reloads`);
});

Deno.test("reload() and unload() while calls run lose none of them", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host } = await open({ directory: folder.path });
  await using _ = host;
  const results: unknown[] = [];
  let isOver = false;
  const caller = (async () => {
    while (!isOver) {
      results.push(await host.call("sum", "work", 1_000));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  for (let i = 0; i < 40; i++) {
    await folder.put("sum.wasm", await counter(i % 2 === 0 ? 2 : 1));
    await host.reload("sum");
  }
  isOver = true;
  await caller;
  assert(results.length > 40);
  assertEquals(new Set(results), new Set([1, 2]));
  assertEquals(host.get("sum")?.failures, 0);
});

Deno.test("unload() lets calls end, and takes no more", async () => {
  const { functions, count, go } = waiting();
  const { host } = await open({
    plugins: { sum: { module: await counter(1), policy: MAY_WAIT } },
    grants: { policy: MAY_WAIT },
    defaults: { hostFunctions: functions },
  });
  await using _ = host;
  const before = host.call("sum", "ask", null);
  await until(() => count() === 1);
  const unloading = host.unload("sum");
  const error = await assertRejects(
    () => host.call("sum", "add", 1),
    SandboxError,
  );
  assert(SandboxError.is(error, "plugin-unavailable"));
  assertEquals(error.details.state, "unloading");
  assertEquals(host.get("sum")?.state, "unloading");
  go();
  assertEquals(await before, 1);
  await unloading;
  assertEquals(host.list(), []);
});

Deno.test("dispose during a reload, a call and an unload ends all of them", async () => {
  await using folder = await Folder.make();
  await folder.put("a.wasm", await counter(1));
  await folder.put("b.wasm", await counter(1));
  const { functions, count } = waiting();
  await folder.put(
    "a.yaml",
    "version: 1\ncapabilities: [{ type: host_functions, functions: [test.wait] }]\n",
  );
  const { host } = await open({
    directory: folder.path,
    grants: { policy: MAY_WAIT },
    defaults: { hostFunctions: functions },
  });
  const call = assertRejects(() => host.call("a", "ask", null));
  await until(() => count() === 1);
  const unloading = host.unload("a");
  await folder.put("b.wasm", await counter(2));
  const reload = host.reload("b").then(() => {}, () => {});
  await new Promise((resolve) => setTimeout(resolve, 2));
  const start = performance.now();
  await host[Symbol.asyncDispose]();
  await Promise.all([call, unloading, reload]);
  assert(performance.now() - start < 10_000, "it waits for calls");
});

Deno.test("reload() that its caller gives up goes on", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host } = await open({ directory: folder.path });
  await using _ = host;
  await folder.put("sum.wasm", await counter(2));
  const reason = new Error("no time");
  const stop = new AbortController();
  const reload = host.reload("sum", { signal: stop.signal });
  stop.abort(reason);
  assertEquals(await assertRejects(() => reload), reason);
  await until(() => host.get("sum")?.version === "2.0.0");
});

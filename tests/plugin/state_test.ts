import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { PluginHostOptions } from "../../wrappers/plugin.ts";
import { counter, Folder, guest, open, REPLY, until } from "./_plugins.ts";

const ONE: PluginHostOptions = { stateHandOver: true, maxInstances: 1 };

Deno.test("a version hands its state over, and no update is lost", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host } = await open({ ...ONE, directory: folder.path });
  await using _ = host;
  let sent = 0;
  let isOver = false;
  const callers = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      sent++;
      await host.call("sum", "add", 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  for (let i = 0; i < 30; i++) {
    await folder.put("sum.wasm", await counter(i % 2 === 0 ? 2 : 1));
    await host.reload("sum");
  }
  isOver = true;
  await Promise.all(callers);
  assertEquals(await host.call("sum", "add", 0), sent);
});

Deno.test("a version that cannot take the state does not take over", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const { host } = await open({
    ...ONE,
    directory: folder.path,
    checkTimeoutMs: 100,
  });
  await using _ = host;
  await host.call("sum", "add", 7);
  const bad = {
    "traps": await counter(5),
    "has no restore_state": await guest({ add: REPLY.seven }),
    "restores for ever": await guest({
      add: REPLY.seven,
      restore_state: REPLY.spin,
    }),
    "has a restore_state of another type": await guest(
      { add: REPLY.seven },
      '(func (export "restore_state"))',
    ),
  };
  for (const [name, module] of Object.entries(bad)) {
    await folder.put("sum.wasm", module);
    await assertRejects(() => host.reload("sum"), SandboxError);
    assertEquals(await host.call("sum", "add", 0), 7, name);
  }
  await folder.put("sum.wasm", await counter(5));
  await host.reload("sum", { dropState: true });
  assertEquals(await host.call("sum", "add", 0), 0);
  assertEquals(host.get("sum")?.version, "5.0.0");
});

Deno.test("a version whose state cannot be saved goes on, until its state is dropped", async () => {
  await using folder = await Folder.make();
  const { host } = await open({
    ...ONE,
    directory: folder.path,
    checkTimeoutMs: 100,
    maxStateBytes: 100,
  });
  await using _ = host;
  const bad = {
    "for ever": REPLY.spin,
    "with a trap": REPLY.trap,
    "outside of its memory": "(i64.const 0xffffff0000ffffff)",
    "too much of it": "(i64.const 0x65)",
  };
  for (const body of Object.values(bad)) {
    await folder.put(
      "old.wasm",
      await guest({ save_state: body, add: REPLY.seven }),
    );
    await host.load("old");
    await folder.put("old.wasm", await counter(2));
    await assertRejects(() => host.reload("old"), SandboxError);
    assertEquals(await host.call("old", "add", null), 7);
    await host.reload("old", { dropState: true });
    assertEquals(host.get("old")?.version, "2.0.0");
    await host.unload("old");
  }
});

Deno.test("calls that come while the state is handed over wait, and not too many", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const line: (() => void)[] = [];
  const policy = [{ type: "host_functions", functions: ["test.wait"] }];
  const { host } = await open({
    ...ONE,
    plugins: { sum: { module: folder.at("sum.wasm"), policy } },
    grants: { policy },
    defaults: {
      hostFunctions: {
        "test.wait": () =>
          new Promise<null>((done) => line.push(() => done(null))),
      },
    },
    maxWaitingCalls: 3,
  });
  await using _ = host;
  const before = host.call("sum", "ask", null);
  await until(() => line.length === 1);
  await folder.put("sum.wasm", await counter(2));
  const reloading = host.reload("sum");
  // once it holds calls they do not come to the guest's own line any more
  await new Promise((resolve) => setTimeout(resolve, 200));
  const held = [1, 2, 3].map((value) => host.call("sum", "add", value));
  const stop = new AbortController();
  const error = await assertRejects(
    () => host.call("sum", "add", 4),
    SandboxError,
  );
  assertEquals(error.code, "overloaded");
  stop.abort();
  line.forEach((go) => go());
  assertEquals(await before, 1, "it ends on the version it began on");
  await reloading;
  assertEquals((await Promise.all(held)).at(-1), 6);
  assertEquals(host.get("sum")?.version, "2.0.0");
});

Deno.test("without time for its calls to end a version keeps its state", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const line: (() => void)[] = [];
  const policy = [{ type: "host_functions", functions: ["test.wait"] }];
  const { host } = await open({
    ...ONE,
    plugins: { sum: { module: folder.at("sum.wasm"), policy } },
    grants: { policy },
    defaults: {
      hostFunctions: {
        "test.wait": () =>
          new Promise<null>((done) => line.push(() => done(null))),
      },
    },
    drainTimeoutMs: 50,
  });
  await using _ = host;
  await host.call("sum", "add", 7);
  const before = host.call("sum", "ask", null);
  await until(() => line.length === 1);
  await folder.put("sum.wasm", await counter(2));
  const error = await assertRejects(() => host.reload("sum"), SandboxError);
  assert(error.message.includes("had not ended after 50 ms"));
  line.forEach((go) => go());
  assertEquals(await before, 1);
  assertEquals(await host.call("sum", "add", 0), 7);
});

Deno.test("unload() and dispose while calls are held refuse them", async () => {
  await using folder = await Folder.make();
  await folder.put("sum.wasm", await counter(1));
  const policy = [{ type: "host_functions", functions: ["test.wait"] }];
  let isWaiting = false;
  const { host } = await open({
    ...ONE,
    plugins: { sum: { module: folder.at("sum.wasm"), policy } },
    grants: { policy },
    defaults: {
      hostFunctions: {
        "test.wait": () => {
          isWaiting = true;
          return new Promise<null>(() => {});
        },
      },
    },
  });
  const before = assertRejects(() => host.call("sum", "ask", null));
  await until(() => isWaiting);
  const reloading = assertRejects(() => host.reload("sum"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const held = assertRejects(() => host.call("sum", "add", 1), SandboxError);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await host[Symbol.asyncDispose]();
  await Promise.all([before, reloading, held]);
});

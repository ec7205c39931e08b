import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { Supervisor } from "../../wrappers/plugin/supervisor.ts";
import { counter, guest, open, REPLY, until } from "./_plugins.ts";

Deno.test("Supervisor doubles its delays, forgets, and gives up", () => {
  let now = 0;
  const supervisor = new Supervisor({
    backoffMs: 100,
    maxBackoffMs: 300,
    quarantineAfter: 5,
    healthyAfterMs: 1_000,
  }, () => now);
  const delays = () => supervisor.failed().retryAfterMs;
  assertEquals([delays(), delays(), delays(), delays()], [0, 100, 200, 300]);
  now += 250;
  assertEquals(supervisor.retryAfterMs, 50);
  supervisor.succeeded();
  assertEquals(supervisor.retryAfterMs, 0);
  delays();
  delays();
  now += 1_001;
  assertEquals(delays(), 0, "a failure is forgotten");
  for (let i = 0; i < 3; i++) assert(!supervisor.failed().isQuarantined);
  assert(supervisor.failed().isQuarantined);
  assert(!supervisor.failed().isQuarantined, "it is told once");
  now += 1e9;
  supervisor.succeeded();
  assert(supervisor.isQuarantined, "time alone does not end it");
  supervisor.reset();
  assertEquals([supervisor.isQuarantined, supervisor.failures], [false, 0]);
});

Deno.test("a plugin that fails again and again backs off, and ends in quarantine", async () => {
  const { host, events } = await open({
    plugins: {
      sum: { module: await counter(1) },
      other: { module: await counter(2) },
    },
    supervision: { backoffMs: 20, quarantineAfter: 3 },
  });
  await using _ = host;
  const crash = () =>
    assertRejects(() => host.call("sum", "crash", null), SandboxError);
  assertEquals((await crash()).code, "trap");
  assertEquals(await host.call("sum", "add", 1), 1, "the first costs nothing");
  await crash();
  await crash();
  const error = await crash();
  assert(SandboxError.is(error, "plugin-unavailable"));
  assertEquals(error.details.state, "backing-off");
  assert(SandboxError.is(error.cause, "trap"));
  await until(() => host.get("sum")?.state === "serving");
  await crash();
  const quarantined = await crash();
  assert(SandboxError.is(quarantined, "plugin-unavailable"));
  assertEquals(quarantined.details.state, "quarantined");
  assertEquals(host.get("sum")?.state, "quarantined");
  assertEquals(host.get("sum")?.failures, 4);
  assertEquals(events.filter(({ type }) => type === "quarantined").length, 1);
  assertEquals(await host.call("other", "add", 1), 1);

  host.release("sum");
  assertEquals(await host.call("sum", "add", 1), 1);
  for (let i = 0; i < 3; i++) {
    await until(() => host.get("sum")?.state === "serving");
    await crash();
  }
  assertEquals(host.get("sum")?.state, "quarantined");
  await host.reload("sum");
  assertEquals(await host.call("sum", "add", 5), 5);
});

Deno.test("failures of callers do not count", async () => {
  const { functions, policy } = neverAnswering();
  const { host, events } = await open({
    plugins: {
      sum: {
        module: await counter(1),
        policy,
        limits: { messageBytes: 1_000, timeoutMs: 2_000 },
      },
    },
    grants: { policy },
    defaults: { hostFunctions: functions },
    supervision: { quarantineAfter: 1 },
  });
  await using _ = host;
  const reason = new Error("enough");
  const stop = new AbortController();
  const aborted = assertRejects(() =>
    host.call("sum", "ask", null, { signal: stop.signal })
  );
  setTimeout(() => stop.abort(reason), 20);
  assertEquals(await aborted, reason);
  const wrong: (() => Promise<unknown>)[] = [
    () => host.call("sum", "ad", 1),
    () => host.call("sum", "add", "x".repeat(2_000)),
    () => host.call("sum", "add", 1n),
    () => host.call("sum", "ask", null, { timeoutMs: 20 }),
    () => host.call("sum", "add", 1, { timeoutMs: -1 }),
    () => host.call("sum", "add", 1, { signal: AbortSignal.abort(reason) }),
    () => host.execute("sum"),
  ];
  for (const call of wrong) await assertRejects(call);
  assertEquals(host.get("sum")?.failures, 0);
  assertEquals(host.get("sum")?.state, "serving");
  assertEquals(events.map(({ type }) => type), ["loaded"]);
  assertEquals(await host.call("sum", "add", 1), 1);
});

for (const instance of ["reuse", "fresh"] as const) {
  for (const isolation of ["inline", "process"] as const) {
    Deno.test(`failures of guests count with ${instance} and ${isolation}`, async () => {
      const module = await guest({
        spin: REPLY.spin,
        trap: REPLY.trap,
        lie: "(i64.const -1)",
        ok: REPLY.seven,
      });
      const { host } = await open({
        plugins: { bad: { module } },
        instance,
        defaults: { isolation, limits: { timeoutMs: 300 } },
        supervision: { backoffMs: 1 },
      });
      await using _ = host;
      for (const name of ["spin", "trap", "lie"]) {
        await assertRejects(() => host.call("bad", name, null), SandboxError);
        assertEquals(await host.call("bad", "ok", null), 7);
      }
      assertEquals(host.get("bad")?.failures, 3);
    });
  }
}

Deno.test("events are told to all, and what a callback throws hurts nobody", async () => {
  const { host } = await open({
    onEvent: () => {
      throw new Error("of the callback");
    },
  });
  const types: string[] = [];
  const listening = (async () => {
    for await (const { type } of host.events) types.push(type);
  })();
  await host.load("sum", { module: await counter(1) });
  for (let i = 0; i < 3; i++) await host.reload("sum");
  await host[Symbol.asyncDispose]();
  await listening;
  assertEquals(types, [
    "loaded",
    "reloaded",
    "reloaded",
    "reloaded",
    "unloaded",
  ]);
});

Deno.test("a listener that does not listen loses the oldest events, and is told", async () => {
  const { host } = await open({
    plugins: { sum: { module: await counter(1) } },
  });
  const events = host.events[Symbol.asyncIterator]();
  for (let i = 0; i < 1_005; i++) host.release("sum");
  const first = await events.next();
  assert(first.value.type === "dropped");
  assertEquals(first.value.count, 5);
  assertEquals((await events.next()).value.type, "released");
  await host[Symbol.asyncDispose]();
});

function neverAnswering() {
  return {
    functions: { "test.wait": () => new Promise<null>(() => {}) },
    policy: [{ type: "host_functions", functions: ["test.wait"] }],
  };
}

import {
  assert,
  assertEquals,
  assertLess,
  assertObjectMatch,
} from "@std/assert";
import { GuestFault, RpcFault } from "../../communication/mod.ts";
import type { StandardSchemaV1 } from "../../communication/mod.ts";
import { SandboxError } from "../../errors.ts";
import {
  Capabilities,
  SecurityAuditor,
  SecurityPolicy,
} from "../../security/mod.ts";
import { longestPause } from "./_pauses.ts";
import { failure, result, Talk } from "./_rpc.ts";

const SECRET = "/etc/host-secret";

Deno.test("RpcPeer tells the other side of faults, and of nothing else", async () => {
  const leak = new Error(SECRET);
  await using talk = new Talk({
    methods: {
      rpc: () => {
        throw new RpcFault(-5, "told", { data: [1], cause: leak });
      },
      fault: () =>
        Promise.reject(
          new GuestFault("invalid", "bad key", {
            code: "bad-key",
            data: { key: "k" },
            cause: leak,
          }),
        ),
      bare: () => Promise.reject(new GuestFault("denied", "no")),
      sync: () => {
        throw leak;
      },
      later: async () => {
        await Promise.resolve();
        throw new TypeError(SECRET);
      },
      odd: () => {
        throw { code: -1, message: SECRET };
      },
      nothing: () => Promise.reject(undefined),
      timeout: () => {
        throw new SandboxError("timed-out", SECRET, {
          details: { operation: SECRET, timeoutMs: 1 },
        });
      },
    },
  });
  assertEquals(await talk.call("rpc"), {
    jsonrpc: "2.0",
    id: 1,
    error: { code: -5, message: "told", data: [1] },
  });
  assertEquals(await talk.call("fault"), {
    jsonrpc: "2.0",
    id: 1,
    error: {
      code: -32013,
      message: "bad key",
      data: { code: "bad-key", data: { key: "k" } },
    },
  });
  assertObjectMatch(await talk.call("bare") as never, {
    error: { code: -32011, data: { code: "denied" } },
  });
  assertEquals(talk.errors, []);
  for (const name of ["sync", "later", "odd", "nothing", "timeout"]) {
    assertEquals(await talk.call(name), failure(1, -32603, "internal error"));
  }
  assertEquals(talk.errors.length, 5);
  assertEquals(talk.errors[0], leak);
});

Deno.test("RpcPeer answers for results that cannot be sent", async () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const methods = {
    cycle: () => cycle,
    big: () => 1n,
    nan: () => [NaN],
    long: () => "x".repeat(2 ** 21),
    getter: () => ({
      get now() {
        throw new Error(SECRET);
      },
    }),
    data: () => {
      throw new RpcFault(1, "with data", { data: cycle });
    },
    fine: () => undefined,
  };
  await using talk = new Talk({ methods });
  const instead = failure(1, -32603, "the result cannot be sent");
  for (const name of ["cycle", "big", "nan", "long", "getter", "data"]) {
    assertEquals(await talk.call(name), instead);
  }
  const batch = [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "big" }));
  assertEquals(await talk.ask(batch), [
    instead,
    failure(2, -32603, "the result cannot be sent"),
  ]);
  assertEquals(talk.errors.length, 7);
  assertEquals(await talk.call("fine"), result(1, null));
});

Deno.test("RpcPeer answers once for thenables that answer twice", async () => {
  await using talk = new Talk({
    methods: {
      twice: () => ({
        then(
          resolve: (value: unknown) => void,
          reject: (value: unknown) => void,
        ) {
          resolve("first");
          resolve("second");
          reject(new Error("third"));
        },
      }),
      next: () => "next",
    },
  });
  assertEquals(await talk.call("twice"), result(1, "first"));
  assertEquals(await talk.call("next"), result(1, "next"));
});

Deno.test("RpcPeer ends a handler that never answers, and frees its slot", async () => {
  let signal: AbortSignal | undefined;
  await using talk = new Talk({
    methods: {
      never: (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      fine: () => 1,
    },
    handlerTimeoutMs: 20,
    maxInFlight: 1,
  });
  const start = performance.now();
  assertEquals(
    await talk.call("never"),
    failure(1, -32001, "not done in its time"),
  );
  assertLess(performance.now() - start, 1_000);
  assert(SandboxError.is(signal?.reason, "timed-out"));
  assert(SandboxError.is(talk.errors[0], "timed-out"));
  await talk.rest();
  assertEquals(await talk.call("fine"), result(1, 1));
  // a notification has no answer, but a deadline all the same
  await talk.say({ jsonrpc: "2.0", method: "never" });
  await talk.rest();
  await talk.rest();
  assertEquals(talk.peer.counters.inFlight, 0);
});

Deno.test("RpcPeer bounds what is in flight", async () => {
  const started: (() => void)[] = [];
  await using talk = new Talk({
    methods: {
      wait: () => new Promise<void>((resolve) => started.push(resolve)),
    },
    maxInFlight: 2,
  });
  const request = (id: number) => ({ jsonrpc: "2.0", id, method: "wait" });
  await talk.say(request(1));
  await talk.say({ jsonrpc: "2.0", method: "wait" });
  assertObjectMatch(await talk.ask(request(3)) as never, {
    id: 3,
    error: { code: -32000 },
  });
  await talk.say({ jsonrpc: "2.0", method: "wait" });
  await talk.rest();
  assertEquals(started.length, 2);
  assertEquals(talk.peer.counters.refused, 2);
  for (const each of started) each();
  assertEquals(await talk.channel.receive(), result(1, null));
  await talk.rest();
  assertEquals(talk.peer.counters.inFlight, 0);
});

Deno.test("RpcPeer refuses an id that is in use", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await using talk = new Talk({ methods: { wait: () => promise } });
  const request = { jsonrpc: "2.0", id: "x", method: "wait" };
  await talk.say(request);
  assertObjectMatch(await talk.ask(request) as never, {
    id: null,
    error: { code: -32600 },
  });
  // the number 1 and the text 1 are two ids
  await talk.say({ ...request, id: 1 });
  await talk.say({ ...request, id: "1" });
  resolve("done");
  for (const id of ["x", 1, "1"]) {
    assertEquals(await talk.channel.receive(), result(id, "done"));
  }
  assertEquals(await talk.ask(request), result("x", "done"));
});

Deno.test("RpcPeer keeps counting a cancelled handler until it ends", async () => {
  const ends: ((value: string) => void)[] = [];
  await using talk = new Talk({
    methods: {
      deaf: () => new Promise((resolve) => ends.push(resolve)),
      keen: (_, { signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(new Error(SECRET)))
        ),
    },
    maxInFlight: 1,
  });
  const cancel = (id: unknown) =>
    talk.say({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id } });
  await talk.say({ jsonrpc: "2.0", id: 1, method: "keen" });
  await cancel(1);
  assertEquals(await talk.channel.receive(), failure(1, -32800, "cancelled"));
  await talk.rest();
  await talk.say({ jsonrpc: "2.0", id: 2, method: "deaf" });
  for (const id of [2, 2, 3, "2", null, {}, "__proto__"]) await cancel(id);
  await talk.say({ jsonrpc: "2.0", method: "$/cancelRequest", params: [2] });
  await talk.say({ jsonrpc: "2.0", method: "$/cancelRequest" });
  // a guest that cancels cannot start more than it may
  const refused = await talk.call("deaf", [], 3);
  assertObjectMatch(refused as never, { id: 3, error: { code: -32000 } });
  ends[0]?.("done all the same");
  assertEquals(await talk.channel.receive(), result(2, "done all the same"));
  assertEquals(talk.errors, []);
});

Deno.test("RpcPeer checks params against a schema", async () => {
  const schema: StandardSchemaV1<unknown, { key: string }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      async validate(value) {
        await Promise.resolve();
        if ((value as { boom?: 1 } | undefined)?.boom) throw new Error(SECRET);
        const { key } = (value ?? {}) as { key?: unknown };
        return typeof key === "string"
          ? { value: { key } }
          : { issues: [{ message: "must be a text", path: ["key"] }] };
      },
    },
  };
  await using talk = new Talk({
    methods: {
      get: {
        params: schema,
        handler: ({ key }: { key: string }) => `<${key}>`,
      },
    },
  });
  assertEquals(await talk.call("get", { key: "a", more: 1 }), result(1, "<a>"));
  for (const params of [undefined, [], { key: 5 }]) {
    const invalid = failure(1, -32602, "invalid params: key: must be a text");
    assertEquals(await talk.call("get", params), invalid);
  }
  assertEquals(
    await talk.call("get", { boom: 1 }),
    failure(1, -32603, "internal error"),
  );
});

Deno.test("RpcPeer asks `allow` before each handler", async () => {
  let ran = 0;
  const policy = SecurityPolicy.strict().allowCapability(
    Capabilities.hostFunctions(["kv.get"]),
  );
  const auditor = new SecurityAuditor(policy);
  const seen: string[] = [];
  await using talk = new Talk({
    methods: {
      "kv.get": () => ++ran,
      "kv.set": () => ++ran,
      odd: () => ++ran,
      broken: () => ++ran,
    },
    allow: (method) => {
      seen.push(method);
      if (method === "odd") return "yes" as never;
      if (method === "broken") throw new Error(SECRET);
      auditor.auditOperation("host_functions.call", [method]);
      return true;
    },
  });
  assertEquals(await talk.call("kv.get"), result(1, 1));
  for (const name of ["kv.set", "odd", "broken"]) {
    const answer = await talk.call(name);
    assertObjectMatch(answer as never, { error: { code: -32011 } });
    assert(!JSON.stringify(answer).includes(SECRET));
  }
  assertEquals(ran, 1);
  assertEquals(seen, ["kv.get", "kv.set", "odd", "broken"]);
  // only what is no decision is reported
  assertEquals(talk.errors.length, 1);
});

Deno.test("RpcPeer survives an onError that throws", async () => {
  await using talk = new Talk({
    methods: { fail: () => Promise.reject(new Error("x")) },
    onError: () => {
      throw new Error("from onError");
    },
  });
  for (let time = 0; time < 2; time++) {
    assertEquals(await talk.call("fail"), failure(1, -32603, "internal error"));
  }
});

Deno.test("RpcPeer holds against a flood whose answers nobody takes", async () => {
  let running = 0;
  let most = 0;
  await using talk = new Talk({
    methods: {
      work: async () => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return "x".repeat(1_000);
      },
    },
  });
  const controller = new AbortController();
  const { signal } = controller;
  let sent = 0;
  const flood = (async () => {
    for (;; sent++) {
      const message = sent % 3 === 0
        ? { jsonrpc: "2.0", id: sent, method: "work" }
        : { jsonrpc: "2.0", id: sent, method: "nothing" };
      await talk.channel.sendResult(message, { signal });
    }
  })().catch(() => {});
  await talk.rest();
  await talk.rest();
  // back-pressure: the flood waits
  const before = sent;
  await talk.rest();
  assertEquals(sent, before);
  assertLess(sent, 250);
  assert(most <= 32);
  controller.abort();
  await flood;
});

Deno.test("RpcPeer lets timers run and memory be during a flood", async () => {
  await using talk = new Talk({ methods: { work: () => Promise.resolve(1) } });
  const rss = Deno.memoryUsage().rss;
  const end = performance.now() + 500;
  const methods = ["work", "nothing", "$/cancelRequest", "work"];
  const flood = async () => {
    for (let id = 0; performance.now() < end; id++) {
      const method = methods[id % 4];
      const base = { jsonrpc: "2.0", method, params: { id } };
      await talk.say(id % 3 === 0 ? base : { ...base, id });
    }
    talk.channel.close();
  };
  const read = async () => {
    while (await talk.channel.receive() !== undefined);
  };
  assertLess(await longestPause(() => Promise.all([flood(), read()])), 50);
  assertLess(Deno.memoryUsage().rss - rss, 64 * 2 ** 20);
});

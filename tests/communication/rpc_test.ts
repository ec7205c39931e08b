import {
  assert,
  assertEquals,
  assertLess,
  assertObjectMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  guestEnd,
  hostEnd,
  MemoryChannel,
  RpcChannel,
  RpcPeer,
} from "../../communication/mod.ts";
import { SandboxError } from "../../errors.ts";
import { StreamChannel } from "../../examples/channels/stream_channel.ts";
import { failure, result, Talk } from "./_rpc.ts";

Deno.test("RpcChannel has a peer at either end", async () => {
  await using channel = new RpcChannel({
    host: { methods: { double: (params) => Number((params as [1])[0]) * 2 } },
  });
  const heard = Promise.withResolvers<unknown>();
  channel.guest.handle("echo", (params) => params);
  channel.guest.handle("hear", heard.resolve);
  assertEquals(channel.host, channel.host);
  const requests = Array.from({ length: 50 }, (_, index) =>
    Promise.all([
      channel.host.request("echo", { index }),
      channel.guest.request<number>("double", [index]),
    ]));
  const replies = await Promise.all(requests);
  assertEquals(replies[49], [{ index: 49 }, 98]);
  await channel.host.notify("hear", ["hello"]);
  assertEquals(await heard.promise, ["hello"]);
  assertEquals(channel.host.counters, {
    calls: 50,
    replies: 50,
    orphaned: 0,
    malformed: 0,
    refused: 0,
    inFlight: 0,
    pending: 0,
  });
});

Deno.test("RpcChannel answers a guest from the start when it has methods", async () => {
  await using channel = new RpcChannel({
    host: { methods: { hi: () => "ho" } },
  });
  await channel.sendResult({ jsonrpc: "2.0", id: "a", method: "hi" });
  assertEquals(await channel.receive(), result("a", "ho") as never);
});

Deno.test("RpcPeer talks over any channel", async () => {
  await using channel = new StreamChannel();
  await using host = new RpcPeer(hostEnd(channel) as never);
  await using guest = new RpcPeer(guestEnd(channel) as never);
  guest.handle("add", (params) => (params as number[]).reduce((a, b) => a + b));
  assertEquals(await host.request("add", [1, 2, 3]), 6);
});

Deno.test("RpcPeer.request() refuses what is no request", async () => {
  await using talk = new Talk();
  const { peer } = talk;
  const invalid = [5, "text", null, true];
  for (const params of invalid) {
    await assertRejects(() => peer.request("m", params as never), TypeError);
    await assertRejects(() => peer.notify("m", params as never), TypeError);
  }
  await assertRejects(() => peer.request(5 as never), TypeError);
  for (const timeoutMs of [0, -1, NaN, "1" as never]) {
    await assertRejects(() => peer.request("m", [], { timeoutMs }), TypeError);
  }
  const error = await assertRejects(() => peer.request("m", [1n]));
  assert(SandboxError.is(error, "invalid-message"));
  const { signal } = { signal: AbortSignal.abort(new Error("before")) };
  await assertRejects(() => peer.request("m", [], { signal }), Error, "before");
  assertEquals(peer.counters.pending, 0);
  assertEquals(talk.channel.counters.requests.messages, 0);
  for (const bound of [0, 1.5, NaN, Infinity]) {
    const end = hostEnd(talk.channel);
    assertThrows(() => new RpcPeer(end, { maxPending: bound }), TypeError);
    assertThrows(() => new RpcPeer(end, { maxInFlight: bound }), TypeError);
  }
  assertThrows(() => peer.handle("rpc.x", () => 1), TypeError, "reserved");
  assertThrows(() => peer.handle("x", 5 as never), TypeError, "no function");
});

Deno.test("RpcPeer.request() gives the other side's error", async () => {
  await using talk = new Talk();
  const requested = talk.peer.request("kv\n.get", ["key"]);
  assertEquals(await talk.channel.receive(), {
    jsonrpc: "2.0",
    method: "kv\n.get",
    params: ["key"],
    id: 1,
  });
  await talk.say({
    jsonrpc: "2.0",
    id: 1,
    error: {
      code: 404,
      message: `\x1b[31m${"x".repeat(9_999)}`,
      data: { a: 1 },
    },
  });
  const error = await assertRejects(() => requested);
  assert(SandboxError.is(error, "rpc-error"));
  assertEquals(error.details, {
    method: "kv\n.get",
    code: 404,
    data: { a: 1 },
  });
  assert(error.message.length < 400 && !/\p{Cc}/u.test(error.message));
});

Deno.test("RpcPeer.request() takes the first reply and no other", async () => {
  await using talk = new Talk();
  const requested = talk.peer.request("m");
  await talk.channel.receive();
  for (const id of [2, "1", null, 0, -1, 1.1]) await talk.say(result(id, "no"));
  await talk.say(result(1, "yes"));
  await talk.say(result(1, "again"));
  await talk.say(failure(1, 1, "again"));
  assertEquals(await requested, "yes");
  await talk.rest();
  assertEquals(talk.peer.counters.replies, 1);
  assertEquals(talk.peer.counters.orphaned, 8);
});

Deno.test("RpcPeer.request() is refused by a reply that is none", async () => {
  await using talk = new Talk();
  const bad = [
    { result: 1, error: { code: 1, message: "" } },
    { error: "broken" },
    { error: { code: {}, message: [] } },
  ];
  for (const each of bad) {
    const requested = talk.peer.request("m");
    const { id } = await talk.channel.receive() as { id: number };
    await talk.say({ jsonrpc: "2.0", id, ...each });
    const error = await assertRejects(() => requested);
    assert(SandboxError.is(error, "invalid-message"), String(error));
  }
  assertEquals(talk.peer.counters.pending, 0);
});

Deno.test("RpcPeer.request() ends at its deadline and tells the other side", async () => {
  await using talk = new Talk({ timeoutMs: 20 });
  const error = await assertRejects(() => talk.peer.request("slow"));
  assert(SandboxError.is(error, "timed-out"));
  assertEquals(error.details, { operation: "slow", timeoutMs: 20 });
  assertObjectMatch(await talk.channel.receive() as never, { method: "slow" });
  assertEquals(await talk.channel.receive(), {
    jsonrpc: "2.0",
    method: "$/cancelRequest",
    params: { id: 1 },
  });
  const long = talk.peer.request("m", [], { timeoutMs: Infinity });
  await talk.channel.receive();
  await talk.say(result(2, "late but fine"));
  assertEquals(await long, "late but fine");
});

Deno.test("RpcPeer.request() that is cancelled before it left is not sent", async () => {
  await using talk = new Talk({}, 1);
  await talk.channel.send("fills the channel");
  const controller = new AbortController();
  const { signal } = controller;
  const requested = talk.peer.request("m", [], { signal });
  controller.abort(new Error("never mind"));
  await assertRejects(() => requested, Error, "never mind");
  await talk.channel.receive();
  await talk.rest();
  assertEquals(talk.channel.counters.requests.messages, 1);
});

Deno.test("RpcPeer.request() reaches the handler's signal when it is aborted", async () => {
  await using channel = new RpcChannel();
  const aborted = Promise.withResolvers<unknown>();
  const started = Promise.withResolvers<void>();
  channel.guest.handle("wait", (_, { signal, method }) => {
    started.resolve();
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => {
      aborted.resolve([method, (signal.reason as Error).name]);
      reject(signal.reason);
    });
    return promise;
  });
  const controller = new AbortController();
  const { signal } = controller;
  const requested = channel.host.request("wait", [], { signal });
  await started.promise;
  controller.abort(new Error("enough"));
  await assertRejects(() => requested, Error, "enough");
  assertEquals(await aborted.promise, ["wait", "AbortError"]);
  channel.guest.handle("next", () => "alive");
  assertEquals(await channel.host.request("next"), "alive");
  assertEquals(channel.guest.counters.inFlight, 0);
});

Deno.test("RpcPeer.request() refuses more than maxPending", async () => {
  await using talk = new Talk({ maxPending: 2 });
  const pending = [talk.peer.request("a"), talk.peer.request("b")];
  const error = await assertRejects(() => talk.peer.request("c"));
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "maxPending");
  await talk.say(result(1, "a"));
  await talk.say(result(2, "b"));
  assertEquals(await Promise.all(pending), ["a", "b"]);
});

Deno.test("RpcPeer rejects what is pending when the channel closes", async () => {
  await using talk = new Talk();
  const pending = [1, 2, 3].map(() => talk.peer.request("m"));
  talk.channel.close();
  for (const each of pending) {
    assert(SandboxError.is(await assertRejects(() => each), "channel-closed"));
  }
  await talk.peer.closed;
  const late = await assertRejects(() => talk.peer.request("m"));
  assert(SandboxError.is(late, "channel-closed"));
  assert(
    SandboxError.is(
      await assertRejects(() => talk.peer.notify("m")),
      "channel-closed",
    ),
  );
  assertEquals(talk.errors, []);
});

Deno.test("RpcPeer disposes of what is pending and of what is at work", async () => {
  const talk = new Talk();
  const ended = Promise.withResolvers<unknown>();
  talk.peer.handle("wait", (_, { signal }) => {
    signal.addEventListener("abort", () => ended.resolve(signal.reason));
    return new Promise(() => {});
  });
  await talk.say({ jsonrpc: "2.0", id: 1, method: "wait" });
  const pending = talk.peer.request("m");
  const rejected = assertRejects(() => pending);
  await talk.rest();
  await talk.peer[Symbol.asyncDispose]();
  await talk.peer[Symbol.asyncDispose]();
  assert(SandboxError.is(await rejected, "channel-closed"));
  assert(SandboxError.is(await ended.promise, "channel-closed"));
  await talk.rest();
  assertEquals(talk.peer.counters.inFlight, 0);
  assertEquals(talk.errors, []);
});

Deno.test("RpcPeer tells of what ended the conversation", async () => {
  const broken = new Error("the line is cut");
  const errors: unknown[] = [];
  const end = hostEnd(new MemoryChannel<unknown, unknown>());
  await using peer = new RpcPeer(
    { ...end, receive: () => Promise.reject(broken) },
    { onError: (error) => errors.push(error) },
  );
  await peer.closed;
  assertEquals(errors, [broken]);
});

Deno.test("RpcPeer carries 10,000 requests each way", async () => {
  await using channel = new RpcChannel({
    host: { methods: { inc: (params) => (params as [number])[0] + 1 } },
    guest: { methods: { inc: (params) => (params as [number])[0] + 1 } },
  });
  const run = async (peer: RpcPeer) => {
    const workers = Array.from({ length: 16 }, async (_, worker) => {
      for (let index = worker; index < 10_000; index += 16) {
        assertEquals(await peer.request("inc", [index]), index + 1);
      }
    });
    await Promise.all(workers);
  };
  const start = performance.now();
  await Promise.all([run(channel.host), run(channel.guest)]);
  assertLess(performance.now() - start, 10_000);
  assertEquals(channel.host.counters.replies, 10_000);
});

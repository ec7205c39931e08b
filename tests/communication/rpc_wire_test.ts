import { assert, assertEquals, assertObjectMatch } from "@std/assert";
import type { RpcHandler, RpcPeerOptions } from "../../communication/mod.ts";
import { failure, result, Talk } from "./_rpc.ts";

const subtract: RpcHandler = (params) => {
  const { minuend, subtrahend } = Array.isArray(params)
    ? { minuend: params[0], subtrahend: params[1] }
    : params as { minuend: number; subtrahend: number };
  return minuend - subtrahend;
};

const SPEC: RpcPeerOptions = {
  methods: {
    subtract,
    sum: (params) => (params as number[]).reduce((sum, each) => sum + each, 0),
    update: () => {},
    notify_hello: () => {},
    get_data: () => ["hello", 5],
  },
};

Deno.test("RpcPeer answers as the examples of the specification do", async () => {
  await using talk = new Talk(SPEC);
  assertEquals(await talk.call("subtract", [42, 23], 1), result(1, 19));
  assertEquals(await talk.call("subtract", [23, 42], 2), result(2, -19));
  const named = { subtrahend: 23, minuend: 42 };
  assertEquals(await talk.call("subtract", named, 3), result(3, 19));
  assertObjectMatch(await talk.call("foobar", undefined, "1") as never, {
    jsonrpc: "2.0",
    id: "1",
    error: { code: -32601 },
  });
  const bad = { jsonrpc: "2.0", method: 1, params: "bar" };
  assertObjectMatch(await talk.ask(bad) as never, {
    id: null,
    error: { code: -32600 },
  });
  await talk.say({ jsonrpc: "2.0", method: "update", params: [1, 2, 3] });
  await talk.say({ jsonrpc: "2.0", method: "foobar" });
  // nothing came of the notifications
  assertEquals(await talk.call("sum", [1, 2, 4], "n"), result("n", 7));
});

Deno.test("RpcPeer answers batches as the specification has it", async () => {
  await using talk = new Talk(SPEC);
  const codes = (frame: unknown) =>
    (frame as { error?: { code: number } }[]).map((each) => each.error?.code);
  assertObjectMatch(await talk.ask([]) as never, {
    id: null,
    error: { code: -32600 },
  });
  assertEquals(codes(await talk.ask([1])), [-32600]);
  assertEquals(codes(await talk.ask([1, [], null])), [-32600, -32600, -32600]);
  const frame = await talk.ask([
    { jsonrpc: "2.0", method: "sum", params: [1, 2, 4], id: "1" },
    { jsonrpc: "2.0", method: "notify_hello", params: [7] },
    { jsonrpc: "2.0", method: "subtract", params: [42, 23], id: "2" },
    { foo: "boo" },
    { jsonrpc: "2.0", method: "foo.get", params: { name: "me" }, id: "5" },
    { jsonrpc: "2.0", method: "get_data", id: "9" },
  ]);
  assertEquals(codes(frame), [undefined, undefined, -32600, -32601, undefined]);
  assertEquals((frame as unknown[])[0], result("1", 7));
  assertEquals((frame as unknown[])[4], result("9", ["hello", 5]));
  await talk.say([{ jsonrpc: "2.0", method: "notify_hello", params: [7] }]);
  await talk.say([
    result(77, 0),
    { jsonrpc: "2.0", id: 78 },
    failure(79, 0, ""),
  ]);
  assertObjectMatch((await talk.channel.receive() as never[])[0] as never, {
    id: 78,
    error: { code: -32600 },
  });
  assertEquals(talk.peer.counters.orphaned, 2);
  assertEquals(await talk.call("sum", [1]), result(1, 1));
});

Deno.test("RpcPeer refuses a batch that is too long in one answer", async () => {
  await using talk = new Talk({ ...SPEC, maxInFlight: 4 });
  const answer = await talk.ask(Array.from({ length: 100_000 }, () => 1));
  assertEquals(
    answer,
    failure(null, -32600, "a batch has 1 to 4 messages"),
  );
  assertEquals(talk.peer.counters.malformed, 1);
});

Deno.test("RpcPeer answers malformed requests with -32600", async () => {
  await using talk = new Talk(SPEC);
  const bad: [message: unknown, id: unknown][] = [
    [null, null],
    [5, null],
    ["text", null],
    [{}, null],
    [{ jsonrpc: "1.0", id: 1, method: "sum" }, 1],
    [{ jsonrpc: 2, id: 1, method: "sum" }, 1],
    [{ id: "x", method: "sum" }, "x"],
    [{ jsonrpc: "2.0", id: {}, method: "sum" }, null],
    [{ jsonrpc: "2.0", id: [1], method: "sum" }, null],
    [{ jsonrpc: "2.0", id: true, method: "sum" }, null],
    [{ jsonrpc: "2.0", id: "x".repeat(257), method: "sum" }, null],
    [{ jsonrpc: "2.0", id: 1, method: null }, 1],
    [{ jsonrpc: "2.0", id: 1, method: ["sum"] }, 1],
    [{ jsonrpc: "2.0", id: 1, method: "sum", params: 5 }, 1],
    [{ jsonrpc: "2.0", id: 1, method: "sum", params: null }, 1],
    [{ jsonrpc: "2.0", id: 1 }, 1],
    [JSON.parse('{"__proto__":{"jsonrpc":"2.0","id":1,"method":"sum"}}'), null],
  ];
  for (const [message, id] of bad) {
    const answer = await talk.ask(message);
    assertObjectMatch(answer as never, { id, error: { code: -32600 } });
  }
  assertEquals(talk.peer.counters.malformed, bad.length);
  assertEquals(await talk.call("sum", [1]), result(1, 1));
});

Deno.test("RpcPeer never answers replies, whatever they are", async () => {
  await using talk = new Talk(SPEC);
  const odd = [
    result(1, 2),
    result("1", 2),
    result({}, 2),
    { jsonrpc: "2.0", result: 1 },
    { jsonrpc: "2.0", id: 1, result: 1, error: { code: 1, message: "" } },
    { jsonrpc: "2.0", id: 1, error: "broken" },
    { jsonrpc: "2.0", id: 1, error: { code: "1", message: 5 } },
    { jsonrpc: "2.0", id: 1, error: { code: 0.5, message: "" } },
    { jsonrpc: "2.0", id: 1, error: null },
    { id: 1, error: { code: 1, message: "" } },
    failure(null, -32600, "?"),
  ];
  for (const each of odd) await talk.say(each);
  assertEquals(await talk.call("sum", [1]), result(1, 1));
  const { malformed, orphaned, replies } = talk.peer.counters;
  assertEquals([malformed, orphaned, replies], [8, 3, 0]);
});

Deno.test("RpcPeer finds no method that nobody gave", async () => {
  await using talk = new Talk({
    methods: Object.create({ inherited: () => 1 }),
  });
  const names = [
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
    "inherited",
    "",
    "rpc.discover",
    "$/unknown",
    "a.b",
  ];
  for (const name of names) {
    const answer = await talk.call(name);
    assertObjectMatch(answer as never, { id: 1, error: { code: -32601 } });
  }
});

Deno.test("RpcPeer cuts and escapes names of methods", async () => {
  await using talk = new Talk();
  const answer = await talk.call(`\x1b[2J${"m".repeat(500_000)}`);
  const text = JSON.stringify(answer);
  assert(text.length < 500, `${text.length} characters`);
  assert(!text.includes("\\u001b["), text);
});

Deno.test("RpcPeer takes ids as they are", async () => {
  await using talk = new Talk(SPEC);
  const ids = [0, -1, 1.5, 1e300, "", "1", "é\0", "x".repeat(256), null];
  for (const id of ids) {
    assertEquals(await talk.call("sum", [], id), result(id, 0));
  }
});

Deno.test("RpcPeer answers -32700 where the channel cannot read", async () => {
  const codec = {
    name: "lenient",
    encode: (value: unknown) =>
      new TextEncoder().encode(
        typeof value === "string" ? value : JSON.stringify(value),
      ),
    decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)),
  };
  const { hostEnd, MemoryChannel, RpcPeer } = await import(
    "../../communication/mod.ts"
  );
  await using channel = new MemoryChannel({
    requestCodec: codec,
    resultCodec: codec,
  });
  await using peer = new RpcPeer(hostEnd(channel), SPEC);
  await channel.sendResult(
    '{"jsonrpc":"2.0","method":"foobar, "params":"bar"}',
  );
  assertEquals(await channel.receive(), failure(null, -32700, "parse error"));
  await channel.sendResult('{"jsonrpc":"2.0","id":1,"method":"get_data"}');
  assertEquals(await channel.receive(), result(1, ["hello", 5]));
  assertEquals(peer.counters.malformed, 1);
});

Deno.test("RpcPeer takes objects whose getters throw for malformed", async () => {
  const { RpcPeer } = await import("../../communication/mod.ts");
  const hostile = [
    {
      get jsonrpc() {
        throw new Error("no");
      },
    },
    new Proxy({}, {
      getOwnPropertyDescriptor() {
        throw new Error("no");
      },
    }),
    Object.create({ jsonrpc: "2.0", id: 1, method: "sum" }),
  ];
  const sent: unknown[] = [];
  await using peer = new RpcPeer({
    channelType: "hostile",
    send: (message) => Promise.resolve(void sent.push(message)),
    receive: () => Promise.resolve(hostile.shift()),
    close: () => {},
    async *[Symbol.asyncIterator]() {},
  });
  await peer.closed;
  assertEquals(sent.length, 3);
  assertEquals(peer.counters.malformed, 3);
});

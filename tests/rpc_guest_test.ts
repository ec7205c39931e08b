/**
 * JSON-RPC 2.0 with a guest in a sandbox: one that speaks it, and some that
 * speak it badly.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bytes,
  MemoryChannel,
  RpcChannel,
  type RpcPeerOptions,
  type StandardSchemaV1,
} from "../communication/mod.ts";
import {
  Capabilities,
  Sandbox,
  SandboxError,
  type SandboxOptions,
} from "../mod.ts";
import { answered, relayGuest } from "./relay_guest.ts";
import { wat } from "./wasm.ts";

const MODULE = "examples/guests/c/rpc.wasm";
const MIB = 2 ** 20;
const ISOLATIONS = ["inline", "process"] as const;

/** Takes one message, and then no more. */
const BUSY = `(module
  (import "wasm_sandbox" "receive" (func $receive (param i32) (result i64)))
  (memory (export "memory") 1)
  (func (export "serve") (drop (call $receive (i32.const -1))) (loop (br 0))))`;

/** Sends one message on and on, with another id of four letters each time. */
const FLOOD = `(module
  (import "wasm_sandbox" "send" (func $send (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "wasm_sandbox_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "flood") (param $at i32) (param $length i32) (result i64)
    (local $n i32)
    (loop $more
      (i32.store (i32.add (local.get $at) (i32.const 7))
        (i32.or (i32.const 0x41414141)
          (i32.or (i32.and (local.get $n) (i32.const 15))
            (i32.shl
              (i32.and (i32.shr_u (local.get $n) (i32.const 4)) (i32.const 15))
              (i32.const 8)))))
      (drop (call $send (local.get $at) (local.get $length)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $more))
    (i64.const 0)))`;

/** A guest that serves, and the host's side of the conversation. */
class Conversation implements AsyncDisposable {
  readonly channel: RpcChannel;
  readonly sandbox: Sandbox;
  /** What the guest's call comes to. */
  readonly serving: Promise<unknown>;

  private constructor(channel: RpcChannel, sandbox: Sandbox, input: unknown) {
    this.channel = channel;
    this.sandbox = sandbox;
    this.serving = sandbox.call("serve", input);
    // who waits for replies hears of the guest's end
    const close = () => channel.close();
    this.serving.then(close, close);
  }

  static async start(
    options: Partial<SandboxOptions>,
    host: RpcPeerOptions = {},
  ): Promise<Conversation> {
    const channel = new RpcChannel({ host });
    const { module = MODULE, ...rest } = options;
    const sandbox = await Sandbox.create({ module, channel, ...rest });
    return new Conversation(channel, sandbox, module === MODULE ? {} : []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.channel[Symbol.asyncDispose]();
    await this.serving.catch(() => {});
    await this.sandbox[Symbol.asyncDispose]();
  }
}

function rejected(promise: Promise<unknown>): Promise<SandboxError> {
  return assertRejects(() => promise, SandboxError);
}

/** What a promise is rejected with; undefined if it is not. */
function thrownBy(promise: Promise<unknown>): Promise<SandboxError> {
  return promise.then(() => undefined as never, (error) => error);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const zone: StandardSchemaV1<unknown, undefined> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      value === undefined
        ? { value }
        : { issues: [{ message: "takes nothing" }] },
  },
};

for (const isolation of ISOLATIONS) {
  Deno.test(`a guest answers requests, one by one and together, ${isolation}`, async () => {
    await using talk = await Conversation.start({ isolation });
    const { host } = talk.channel;
    for (let n = 0; n < 20; n++) {
      assertEquals(await host.request("add", [n, -7]), n - 7);
    }
    const together = Array.from({ length: 50 }, (_, n) => n);
    assertEquals(
      await Promise.all(together.map((n) => host.request("add", [n, n]))),
      together.map((n) => 2 * n),
    );
    await host.notify("add", [1, 2]);
    const unknown = await rejected(host.request("subtract", [1, 2]));
    assert(SandboxError.is(unknown, "rpc-error"), String(unknown));
    assertEquals(unknown.details.code, -32601);
    const invalid = await rejected(host.request("add", { a: 1 }));
    assert(SandboxError.is(invalid, "rpc-error"), String(invalid));
    assertEquals(invalid.details.code, -32602);
    talk.channel.close();
    assertEquals(await talk.serving, {
      requests: 72,
      notifications: 1,
      malformed: 0,
      strays: 0,
    });
    const closed = await rejected(host.request("add", [1, 2]));
    assertEquals(closed.code, "channel-closed");
  });

  Deno.test(`a host method answers a guest, as the policy says, ${isolation}`, async () => {
    const times = [1_000, 2_000, 3_000];
    const errors: unknown[] = [];
    await using talk = await Conversation.start({
      isolation,
      policy: [
        Capabilities.hostFunctions(["host.time"], {
          maxCalls: { "host.time": 2 },
        }),
      ],
    }, {
      methods: { "host.time": { params: zone, handler: () => times.shift() } },
      onError: (error) => errors.push(error),
      allow: (method) => {
        talk.sandbox.auditOperation("host_functions.call", [method]);
        return true;
      },
    });
    const { host } = talk.channel;
    assertEquals(await host.request("ask"), 1_000);
    assertEquals(await host.request("ask"), 2_000);
    const denied = await rejected(host.request("ask"));
    assert(SandboxError.is(denied, "rpc-error"), String(denied));
    assertEquals(denied.details.code, -32011);
    assertEquals(times, [3_000]);
    // the host hears of a quota; the guest lives on
    assert(SandboxError.is(errors[0], "limit-exceeded"), String(errors[0]));
    assertEquals(
      talk.sandbox.audit.events().map(({ decision, resource }) =>
        `${decision} ${resource}`
      ),
      ["allowed host.time", "allowed host.time", "denied host.time"],
    );
    assertEquals(await host.request("add", [1, 2]), 3);
  });

  Deno.test(`requests of both sides overlap, ${isolation}`, async () => {
    const asked: ((time: number) => void)[] = [];
    await using talk = await Conversation.start({ isolation }, {
      methods: {
        "host.time": () => new Promise((resolve) => asked.push(resolve)),
      },
    });
    const { host } = talk.channel;
    const asks = Array.from({ length: 8 }, () => host.request("ask"));
    while (asked.length < 8) await pause(5);
    const busy = await rejected(host.request("ask"));
    assert(SandboxError.is(busy, "rpc-error"), String(busy));
    assertEquals(busy.details.code, -32000);
    assertEquals(await host.request("add", [1, 2]), 3);
    asked.toReversed().forEach((answer, index) => answer(index));
    assertEquals(await Promise.all(asks), [7, 6, 5, 4, 3, 2, 1, 0]);
  });

  Deno.test(`a request that waits for a guest can end before, ${isolation}`, async () => {
    const asked: ((time: number) => void)[] = [];
    await using talk = await Conversation.start({ isolation }, {
      methods: {
        "host.time": () => new Promise((resolve) => asked.push(resolve)),
      },
    });
    const { host } = talk.channel;
    const late = await rejected(
      host.request("ask", undefined, { timeoutMs: 30 }),
    );
    assertEquals(late.code, "timed-out");
    const stop = new AbortController();
    const cancelled = host.request("ask", undefined, { signal: stop.signal });
    while (asked.length < 2) await pause(5);
    stop.abort(new Error("enough"));
    await assertRejects(() => cancelled, Error, "enough");
    assertEquals(host.counters.pending, 0);
    // this guest answers all the same, and nobody waits for that
    for (const answer of asked) answer(0);
    while (host.counters.orphaned < 2) await pause(5);
    assertEquals(await host.request("add", [1, 2]), 3);
    talk.channel.close();
    const { notifications } = await talk.serving as { notifications: number };
    assertEquals(notifications, 2);
  });

  Deno.test(`a guest's end rejects what waits for it, ${isolation}`, async () => {
    await using talk = await Conversation.start({
      isolation,
      limits: { timeoutMs: 300 },
    }, { methods: { "host.time": () => new Promise(() => {}) } });
    const { host } = talk.channel;
    const begin = performance.now();
    const waiting = Array.from(
      { length: 5 },
      () => thrownBy(host.request("ask")),
    );
    const dead = await rejected(talk.serving);
    assertEquals(dead.code, "limit-exceeded");
    for (const { code } of await Promise.all(waiting)) {
      assertEquals(code, "channel-closed");
    }
    await host.closed;
    await pause(0);
    const { pending, inFlight } = host.counters;
    assertEquals([pending, inFlight], [0, 0]);
    assert(performance.now() - begin < 3_000);
  });

  Deno.test(`a conversation may outlast its guest, ${isolation}`, async () => {
    await using channel = new RpcChannel({
      host: { methods: { "host.time": () => new Promise(() => {}) } },
    });
    await using sandbox = await Sandbox.create({
      module: MODULE,
      isolation,
      channel,
    });
    const dying = thrownBy(sandbox.call("serve", {}, { timeoutMs: 100 }));
    const taken = thrownBy(
      channel.host.request("ask", undefined, { timeoutMs: 400 }),
    );
    assertEquals((await dying).code, "limit-exceeded");
    const kept = channel.host.request("add", [2, 2]);
    await sandbox.reset();
    const serving = sandbox.call("serve", {});
    assertEquals(await kept, 4);
    // what the first guest took with it nobody answers
    assertEquals((await taken).code, "timed-out");
    channel.close();
    await serving;
  });

  Deno.test(`a channel's end rejects what waits, ${isolation}`, async () => {
    const talk = await Conversation.start({ isolation }, {
      methods: { "host.time": () => new Promise(() => {}) },
    });
    const { channel, serving } = talk;
    const waiting = thrownBy(channel.host.request("ask"));
    await channel[Symbol.asyncDispose]();
    assertEquals((await waiting).code, "channel-closed");
    await serving;
    await talk[Symbol.asyncDispose]();
    await assertRejects(() => channel.host.notify("add"), SandboxError);
    await assertRejects(() => channel.send(1 as never), SandboxError);
  });

  Deno.test(`a sandbox that is disposed rejects what waits, ${isolation}`, async () => {
    const { channel, sandbox, serving } = await Conversation.start({
      isolation,
    }, { methods: { "host.time": () => new Promise(() => {}) } });
    const waiting = thrownBy(channel.host.request("ask"));
    const served = thrownBy(serving);
    await pause(20);
    await sandbox[Symbol.asyncDispose]();
    assertEquals((await served).code, "disposed");
    assertEquals((await waiting).code, "channel-closed");
  });

  Deno.test(`requests to a guest that is busy time out, ${isolation}`, async () => {
    const timeoutMs = 600;
    await using talk = await Conversation.start({
      module: await wat(BUSY),
      isolation,
      limits: { timeoutMs },
    });
    const { host } = talk.channel;
    const begin = performance.now();
    const late = thrownBy(host.request("a", undefined, { timeoutMs: 50 }));
    const flood = Array.from(
      { length: 1_000 },
      () => thrownBy(host.request("b")),
    );
    const { code } = await late;
    const codes = (await Promise.all(flood)).map(({ code }) => code);
    // inline the guest has the thread, until its own deadline
    const isFree = isolation === "process";
    const took = performance.now() - begin;
    assert(took < 3_000, `${took} ms`);
    assert(isFree ? code === "timed-out" : code !== undefined, code);
    assertEquals(codes.filter((each) => each === "limit-exceeded").length, 937);
    assertEquals(codes.filter((each) => each === "channel-closed").length, 63);
  });

  for (const kind of ["requests", "notifications"] as const) {
    Deno.test(`a guest's flood of ${kind} is contained, ${isolation}`, async () => {
      const id = kind === "requests" ? '"id"' : '"no"';
      const message = `{${id}:"AAAA","jsonrpc":"2.0","method":"slow"}`;
      await using channel = new RpcChannel({
        host: { methods: { slow: () => new Promise(() => {}) } },
      });
      await using sandbox = await Sandbox.create({
        module: await wat(FLOOD),
        isolation,
        limits: { timeoutMs: 1_500 },
        channel,
      });
      const drained = drain(channel);
      const input = new TextEncoder().encode(message);
      // what is compiled on first use is no flood, nor is the young generation
      // of the engine's heap, which grows with whatever makes garbage
      await rejected(sandbox.call("flood", input, { timeoutMs: 1_000 }));
      await sandbox.reset();
      const before = Deno.memoryUsage().rss;
      const lateness: number[] = [];
      let last = performance.now();
      const timer = setInterval(() => {
        lateness.push(performance.now() - last - 5);
        last = performance.now();
      }, 5);
      const error = await rejected(sandbox.call("flood", input));
      clearInterval(timer);
      const growth = Deno.memoryUsage().rss - before;
      assert(SandboxError.is(error, "limit-exceeded"), String(error));
      assertEquals(error.details.limit, "timeoutMs");
      const { inFlight, refused, calls } = channel.host.counters;
      assertEquals(inFlight, 32);
      assert(refused > 100 && calls > refused, `${refused} of ${calls}`);
      assert(growth < 32 * MIB, `${(growth / MIB).toFixed(1)} MiB`);
      // a flood delays every timer; a busy machine may delay two
      const late = lateness.toSorted((a, b) => b - a)[2] ?? Infinity;
      assert(late < 50, `${late.toFixed(1)} ms`);
      channel.close();
      await drained;
    });
  }

  Deno.test(`a guest that talks nonsense hurts itself alone, ${isolation}`, async () => {
    await using channel = new RpcChannel({
      host: { methods: { hello: () => "hello" } },
    });
    await using sandbox = await Sandbox.create({
      module: await relayGuest(),
      isolation,
      channel,
    });
    const send = async (message: string | Uint8Array) => {
      const input = typeof message === "string"
        ? new TextEncoder().encode(message)
        : message;
      return answered(await sandbox.call<Uint8Array>("send", input)).status;
    };
    const receive = async () =>
      JSON.parse(
        answered(await sandbox.call<Uint8Array>("receive", new Uint8Array()))
          .text,
      );
    // what is no JSON the guest is told of, and the host never meets it
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const garbage = [Uint8Array.of(0x22, 0xff, 0x22), "", "{", deep];
    for (const each of garbage) assertEquals(await send(each), 3);
    assertEquals(channel.host.counters.malformed, 0);

    // what is no JSON-RPC is answered
    const proto = '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"hello"}}';
    for (const each of [proto, "[]", "5", '{"jsonrpc":"2.0","id":{}}']) {
      assertEquals(await send(each), 0);
      const { id, error } = await receive();
      assertEquals([id, error.code], [null, -32600]);
    }
    const inherited = '{"jsonrpc":"2.0","id":1,"method":"constructor"}';
    assertEquals(await send(inherited), 0);
    assertEquals((await receive()).error.code, -32601);

    // replies that nobody asked for, or twice
    for (const id of ["1", '"1"', "null", "-1", "1e300"]) {
      await send(`{"jsonrpc":"2.0","id":${id},"result":0}`);
    }
    const requested = channel.host.request("twice");
    const { id } = await receive();
    for (const result of ["first", "second"]) {
      await send(JSON.stringify({ jsonrpc: "2.0", id, result }));
    }
    assertEquals(await requested, "first");
    const spoilt = thrownBy(channel.host.request("spoilt"));
    const other = await receive();
    await send(JSON.stringify({ jsonrpc: "2.0", id: other.id, error: 5 }));
    assertEquals((await spoilt).code, "invalid-message");

    // both sides are as good as new
    await send('{"jsonrpc":"2.0","id":"x","method":"hello"}');
    assertEquals(await receive(), { jsonrpc: "2.0", id: "x", result: "hello" });
    const { orphaned, malformed, replies } = channel.host.counters;
    assertEquals([orphaned, malformed, replies], [6, 5, 1]);

    channel.close();
    assertEquals(await send("{}"), 6);
  });

  Deno.test(`a guest is told of frames that are none, ${isolation}`, async () => {
    await using channel = new MemoryChannel({ requestCodec: bytes });
    await using sandbox = await Sandbox.create({
      module: MODULE,
      isolation,
      channel,
    });
    const serving = sandbox.call("serve", {});
    const cases: [frame: string, id: unknown, code: number][] = [
      ["", null, -32700],
      ["{", null, -32700],
      ["{} {}", null, -32700],
      ["[".repeat(100_000), null, -32700],
      ['{"a":"\xff"', null, -32700],
      ["[]", null, -32600],
      ["5", null, -32600],
      ["{}", null, -32600],
      ['{"jsonrpc":"1.0","id":1,"method":"add"}', 1, -32600],
      ['{"jsonrpc":"2.0","id":[1],"method":"add"}', null, -32600],
      ['{"jsonrpc":"2.0","id":2,"method":5}', 2, -32600],
      ['{"jsonrpc":"2.0","id":"","method":"__proto__"}', "", -32601],
      ['{"jsonrpc":"2.0","id":3,"method":"add","params":[1]}', 3, -32602],
    ];
    for (const [frame, id, code] of cases) {
      await channel.send(Uint8Array.from(frame, (c) => c.charCodeAt(0)));
      const answer = await channel.receiveResult() as {
        id: unknown;
        error: { code: number };
      };
      assertEquals([answer.id, answer.error.code], [id, code], frame);
    }
    const stray = '{"jsonrpc":"2.0","id":9,"result":0}';
    await channel.send(new TextEncoder().encode(stray));
    channel.close();
    assertEquals(await serving, {
      requests: 2,
      notifications: 0,
      malformed: 11,
      strays: 1,
    });
  });
}

async function drain(channel: RpcChannel): Promise<void> {
  while (await channel.receive() !== undefined);
}

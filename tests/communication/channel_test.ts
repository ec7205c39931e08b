import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  type Channel,
  ChannelFactory,
  type ChannelOptions,
  guestEnd,
  hostEnd,
  json,
  MemoryChannel,
  MessageQueue,
  RpcChannel,
} from "../../communication/mod.ts";
import { SandboxError } from "../../errors.ts";
import { longestPause } from "./_pauses.ts";
import { StreamChannel } from "../../examples/channels/stream_channel.ts";

Deno.test("ChannelFactory.create() knows memory and rpc", async () => {
  const channels = new ChannelFactory();
  assertEquals([...channels], ["memory", "rpc"]);
  for (const name of channels) {
    await using channel = await channels.create(name);
    assertEquals(channel.channelType, name);
  }
  await using rpc = await channels.create("rpc", { capacity: 1 });
  assert(rpc instanceof RpcChannel);
  await assertRejects(
    () => channels.create("memroy"),
    SandboxError,
    'did you mean "memory"?',
  );
});

Deno.test("ChannelFactory.register() adds a channel of one's own", async () => {
  const channels = new ChannelFactory();
  let given: ChannelOptions | undefined;
  channels.register("custom", (options): Channel => {
    given = options;
    return new StreamChannel();
  });
  await using channel = await channels.create("custom", { capacity: 3 });
  await channel.send("hello");
  assertEquals(await channel.receive(), "hello");
  assertEquals(given, { capacity: 3 });
});

Deno.test("RpcChannel refuses codecs", () => {
  const options = { capacity: 1, requestCodec: json };
  assertThrows(() => new RpcChannel(options), TypeError, "JSON-RPC is JSON");
});

Deno.test("MemoryChannel refuses bounds that are none", () => {
  for (const bound of [0, -1, 1.5, NaN, Infinity, "8" as never]) {
    assertThrows(() => new MemoryChannel({ capacity: bound }), TypeError);
    assertThrows(() => new MemoryChannel({ maxBytes: bound }), TypeError);
  }
});

Deno.test("MemoryChannel bounds messages and bytes exactly", async () => {
  await using channel = new MemoryChannel({ capacity: 3, maxBytes: 10 });
  await channel.send("12345678");
  const controller = new AbortController();
  const { signal } = controller;
  // a small one waits behind a large one
  const sending = [channel.send(1, { signal }), channel.send(2, { signal })];
  assertEquals(channel.counters.requests.waiting, 1);
  assertEquals(await channel.receive(), "12345678");
  await Promise.all(sending);
  assertEquals(channel.counters.requests, {
    messages: 3,
    bytes: 12,
    waiting: 2,
    highWaterMark: 2,
    dropped: 0,
  });
  await channel.send(3);
  const fourth = channel.send(4, { signal });
  controller.abort(new Error("full"));
  await assertRejects(() => fourth, Error, "full");
  const error = await assertRejects(() => channel.send("123456789"));
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.allowed, 10);
  assertEquals(error.details.used, 11);
});

Deno.test("MemoryChannel.send() lets in whoever waits behind a cancelled one", async () => {
  await using channel = new MemoryChannel({ maxBytes: 10 });
  await channel.send("1234");
  const controller = new AbortController();
  const large = channel.send("12345678", { signal: controller.signal });
  const small = channel.send("12");
  controller.abort();
  await assertRejects(() => large, DOMException);
  await small;
  assertEquals(channel.counters.requests.waiting, 2);
});

Deno.test("MemoryChannel.receive() leaves nothing on a signal", async () => {
  await using channel = new MemoryChannel();
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (
    ...args: Parameters<typeof removeEventListener>
  ) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  for (let time = 0; time < 100; time++) {
    const receiving = channel.receive({ signal });
    await channel.send(time, { signal });
    assertEquals(await receiving, time);
  }
  assertEquals(listeners, 0);
});

Deno.test("MemoryChannel.receive() that was served stays served when aborted", async () => {
  await using channel = new MemoryChannel();
  const controller = new AbortController();
  const receiving = channel.receive({ signal: controller.signal });
  const sending = channel.send("kept");
  controller.abort();
  assertEquals(await receiving, "kept");
  await sending;
});

Deno.test("MemoryChannel lets the event loop turn while messages flow", async () => {
  await using channel = new MemoryChannel();
  const end = performance.now() + 300;
  const flood = async () => {
    while (performance.now() < end) await channel.sendResult("x");
    channel.close();
  };
  let count = 0;
  const read = async () => {
    for await (const _ of hostEnd(channel)) count++;
  };
  assertLess(await longestPause(() => Promise.all([flood(), read()])), 50);
  assert(count > 5_000, `only ${count} messages in 300 ms`);
});

Deno.test("MemoryChannel.receive() takes 20,000 cancelled receivers", async () => {
  await using channel = new MemoryChannel();
  const controllers = Array.from(
    { length: 100_000 },
    () => new AbortController(),
  );
  const receivers = controllers.map(({ signal }) =>
    channel.receive({ signal }).catch(() => "cancelled")
  );
  for (const controller of controllers) controller.abort();
  await channel.send("one");
  assertEquals(new Set(await Promise.all(receivers)), new Set(["cancelled"]));
  assertEquals(await channel.receive(), "one");
});

Deno.test("hostEnd() and guestEnd() are the two ends", async () => {
  await using channel = new MemoryChannel<string, number>();
  const [host, guest] = [hostEnd(channel), guestEnd(channel)];
  assertEquals(host.channelType, "memory");
  await host.send("question");
  assertEquals(await guest.receive(), "question");
  await guest.send(42);
  assertEquals(await host.receive(), 42);
  await guest.send(43);
  for await (const message of host) {
    assertEquals(message, 43);
    break;
  }
  // leaving the loop closed nothing
  await guest.send(44);
  guest.close();
  assertEquals(await host.receive(), 44);
  assertEquals(await host.receive(), undefined);
  await assertRejects(() => host.send("late"), SandboxError, "closed");
});

Deno.test("MessageQueue.send() counts a message that somebody waits for", async () => {
  const queue = new MessageQueue({
    capacity: 1,
    maxBytes: 1,
    channelType: "test",
  });
  const receiving = queue.receive();
  await queue.send(Uint8Array.of(1));
  assertEquals(await receiving, Uint8Array.of(1));
  const { messages, highWaterMark, dropped } = queue.counters;
  assertEquals([messages, highWaterMark, dropped], [1, 0, 0]);
});

Deno.test("StreamChannel talks through the streams of a process", async () => {
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "piped" })
    .spawn();
  {
    await using channel = new StreamChannel<unknown, unknown>({
      requests: { writable: child.stdin },
      results: { readable: child.stdout },
    });
    for (let index = 0; index < 100; index++) {
      await channel.send({ index, text: "é\n" });
      assertEquals(await channel.receiveResult(), { index, text: "é\n" });
    }
    await assertRejects(() => channel.sendResult(1), SandboxError, "closed");
    channel.close();
    assertEquals(await channel.receiveResult(), undefined);
  }
  assert((await child.status).success);
});

Deno.test("StreamChannel.receiveResult() refuses lines that are no messages", async () => {
  const lines = new TextEncoder().encode('{"ok":1}\n{nope\n\xff\n2\n');
  await using channel = new StreamChannel<unknown, unknown>({
    results: { readable: ReadableStream.from([lines]) },
  });
  assertEquals(await channel.receiveResult(), { ok: 1 });
  for (let time = 0; time < 2; time++) {
    const error = await assertRejects(() => channel.receiveResult());
    assert(SandboxError.is(error, "invalid-message"));
  }
  assertEquals(await channel.receiveResult(), 2);
  assertEquals(await channel.receiveResult(), undefined);
});

Deno.test("StreamChannel closes at a line that is too long", async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      sent++;
      controller.enqueue(new Uint8Array(2 ** 16).fill(0x20));
    },
  });
  await using channel = new StreamChannel({ results: { readable: endless } });
  assertEquals(await channel.receiveResult(), undefined);
  assertLess(sent, 20);
});

import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { MemoryChannel } from "../../communication/mod.ts";
import { SandboxError } from "../../errors.ts";
import {
  type CustomReply,
  CustomWrapper,
  type CustomWrapperConfig,
} from "../../wrappers/custom_wrapper.ts";
import { actorModule } from "./_guests.ts";

type ServiceChannel = MemoryChannel<unknown, CustomReply>;

async function open(
  given: Partial<CustomWrapperConfig> = {},
): Promise<CustomWrapper> {
  return await CustomWrapper.create({
    module: await actorModule(),
    entryPoint: "act",
    timeoutMs: 500,
    ...given,
  });
}

function codeOf(reply: CustomReply | undefined): unknown {
  return reply?.error === undefined ? reply?.result : reply.error.code;
}

async function replies(
  channel: ServiceChannel,
  count: number,
): Promise<unknown[]> {
  const all: unknown[] = [];
  while (all.length < count) all.push(codeOf(await channel.receiveResult()));
  return all;
}

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`CustomWrapper.startService() answers in order, faults as data, ${isolation}`, async () => {
    await using wrapper = await open({
      isolation,
      maxConcurrentRequests: 3,
      // what waits for its turn has time to
      timeoutMs: 10_000,
      limits: { timeoutMs: 500 },
    });
    await using channel: ServiceChannel = new MemoryChannel();
    await using service = wrapper.startService(channel);
    // the first takes longest
    const asked = ["w", "e1", "t", "e2", "s", "e3", "l", "e4", "j", "e5"];
    for (const each of asked) await channel.send(each);
    assertEquals(await replies(channel, asked.length), [
      "w",
      "e1",
      "trap",
      "e2",
      "limit-exceeded",
      "e3",
      "guest-protocol",
      "e4",
      "guest-protocol",
      "e5",
    ]);
    assertEquals(service.stats(), { taken: 10, answered: 10, faults: 4 });
  });
}

Deno.test("CustomWrapper.startService() takes no more at a time than it may", async () => {
  await using wrapper = await open({
    isolation: "process",
    maxConcurrentRequests: 2,
    maxQueuedRequests: 0,
  });
  await using channel: ServiceChannel = new MemoryChannel({ capacity: 100 });
  await using service = wrapper.startService(channel);
  for (let turn = 0; turn < 50; turn++) await channel.send("w");
  const watch = setInterval(() => {
    const { taken, answered } = service.stats();
    most = Math.max(most, taken - answered);
  }, 1);
  let most = 0;
  // nothing is turned away: the rest waits in the channel
  assertEquals(new Set(await replies(channel, 50)), new Set(["w"]));
  clearInterval(watch);
  assert(most <= 2, `${most} at a time`);
});

Deno.test("CustomWrapper.startService() answers what is no message, and what cannot be sent", async () => {
  await using wrapper = await CustomWrapper.create({
    module: await actorModule(),
    entryPoint: "echo",
  });
  const codec = new MemoryChannel().requestCodec;
  const channel: ServiceChannel = new MemoryChannel<unknown, CustomReply>({
    maxBytes: 1_000,
    requestCodec: {
      name: "odd",
      encode: (message) => codec.encode(message),
      decode: (bytes) => {
        const message = codec.decode(bytes);
        if (message === "bad") throw new TypeError("it is bad");
        return message;
      },
    },
  });
  await using _channel = channel;
  await using _service = wrapper.startService(channel);
  await channel.send("bad");
  await channel.send("x".repeat(990));
  await channel.send("good");
  assertEquals(await replies(channel, 3), [
    "invalid-message",
    "limit-exceeded",
    "good",
  ]);
});

Deno.test("CustomWrapper.startService() says nothing of the host's own failures", async () => {
  const errors: unknown[] = [];
  await using wrapper = await CustomWrapper.create({
    module: await actorModule(),
    entryPoint: "count",
  });
  await using channel: ServiceChannel = new MemoryChannel();
  await using _service = wrapper.startService(channel, {
    onError: (error) => {
      errors.push(error);
      throw new Error("told badly");
    },
  });
  // an export of numbers takes no text: the config is wrong, not the request
  await channel.send("text");
  const reply = await channel.receiveResult();
  assertEquals(reply, {
    error: { code: "failed", message: "the request failed" },
  });
  assert(errors[0] instanceof TypeError);
  await channel.send([]);
  assertEquals(await channel.receiveResult(), { result: 1 });
});

Deno.test("CustomWrapper.startService() ends with its channel", async () => {
  await using wrapper = await open();
  const channel: ServiceChannel = new MemoryChannel();
  const service = wrapper.startService(channel);
  await channel.send("e");
  assertEquals(await channel.receiveResult(), { result: "e" });
  channel.close();
  await service.closed;
  await service[Symbol.asyncDispose]();
  assertEquals(await wrapper.processRequest("e"), "e");
});

Deno.test("CustomWrapper.startService() stops what runs once its channel is closed", async () => {
  await using wrapper = await open({
    isolation: "process",
    timeoutMs: 60_000,
    maxConcurrentRequests: 2,
  });
  const channel: ServiceChannel = new MemoryChannel();
  const service = wrapper.startService(channel);
  await channel.send("e");
  await channel.send("s");
  await channel.receiveResult();
  await channel[Symbol.asyncDispose]();
  const start = performance.now();
  await service[Symbol.asyncDispose]();
  assertLess(performance.now() - start, 10_000);
  assertEquals(await wrapper.processRequest("e"), "e");
});

Deno.test("CustomService[Symbol.asyncDispose]() answers what it stops", async () => {
  await using wrapper = await open({
    isolation: "process",
    timeoutMs: 60_000,
    maxConcurrentRequests: 2,
  });
  await using channel: ServiceChannel = new MemoryChannel();
  const service = wrapper.startService(channel);
  await channel.send("s");
  await channel.send("s");
  await channel.send("not taken");
  while (service.stats().taken < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all([
    service[Symbol.asyncDispose](),
    service[Symbol.asyncDispose](),
  ]);
  assertEquals(await replies(channel, 2), ["disposed", "disposed"]);
  assertEquals(await channel.receive(), "not taken");
});

Deno.test("CustomService[Symbol.asyncDispose]() does not wait for room for ever", async () => {
  await using wrapper = await open();
  await using channel: ServiceChannel = new MemoryChannel({ capacity: 1 });
  const service = wrapper.startService(channel);
  for (let turn = 0; turn < 4; turn++) await channel.send("e");
  const start = performance.now();
  await service[Symbol.asyncDispose]();
  assertLess(performance.now() - start, 5_000);
});

Deno.test("CustomService.drain() answers what was taken, and takes no more", async () => {
  await using wrapper = await open({ isolation: "process", timeoutMs: 5_000 });
  await using channel: ServiceChannel = new MemoryChannel();
  await using service = wrapper.startService(channel);
  await channel.send("w");
  while (service.stats().taken < 1) await Promise.resolve();
  await service.drain();
  assertEquals(await channel.receiveResult(), { result: "w" });
  await channel.send("late");
  assertEquals(await channel.receive(), "late");
});

Deno.test("CustomWrapper.startService() ends with its signal, and with its wrapper", async () => {
  const wrapper = await open({ isolation: "process", timeoutMs: 60_000 });
  const controller = new AbortController();
  await using first: ServiceChannel = new MemoryChannel();
  await using second: ServiceChannel = new MemoryChannel();
  const { signal } = controller;
  const aborted = wrapper.startService(first, { signal });
  const orphaned = wrapper.startService(second);
  for (const channel of [first, second]) await channel.send("s");
  while (aborted.stats().taken + orphaned.stats().taken < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  controller.abort(new Error("enough"));
  await aborted.closed;
  assertEquals(await replies(first, 1), ["failed"]);
  await wrapper[Symbol.asyncDispose]();
  await orphaned.closed;
  assertEquals(await replies(second, 1), ["disposed"]);
  assertThrows(() => wrapper.startService(second), SandboxError, "disposed");
});

Deno.test("CustomWrapper.startService() survives a channel that breaks", async () => {
  await using wrapper = await open();
  const broken = new Error("the wire is cut");
  const errors: unknown[] = [];
  for (const name of ["receive", "sendResult"] as const) {
    const channel: ServiceChannel = new MemoryChannel();
    await channel.send("e");
    channel[name] = () => Promise.reject(broken);
    const service = wrapper.startService(channel, {
      onError: (error) => errors.push(error),
    });
    await service.closed;
    await channel[Symbol.asyncDispose]();
  }
  assertEquals(errors, [broken, broken]);
});

Deno.test("CustomWrapper.startService() lets the event loop turn", async () => {
  await using wrapper = await open({ entryPoint: "echo" });
  await using channel: ServiceChannel = new MemoryChannel({ capacity: 4 });
  await using service = wrapper.startService(channel);
  let isOver = false;
  const send = async () => {
    while (!isOver) await channel.send(1);
  };
  const receive = async () => {
    while (!isOver) await channel.receiveResult();
  };
  const talking = [send(), receive()];
  await new Promise((resolve) => setTimeout(resolve, 100));
  isOver = true;
  await channel[Symbol.asyncDispose]();
  await Promise.allSettled(talking);
  assert(service.stats().answered > 10);
  await assertRejects(() => channel.send(1), SandboxError);
});

Deno.test("CustomWrapper.startService() keeps nothing of 10,000 requests", async () => {
  await using wrapper = await open({ entryPoint: "echo" });
  await using channel: ServiceChannel = new MemoryChannel();
  await using _service = wrapper.startService(channel);
  const round = async (times: number) => {
    for (let turn = 0; turn < times; turn++) {
      await channel.send({ turn });
      await channel.receiveResult();
    }
  };
  await round(2_000);
  const before = Deno.memoryUsage().rss;
  await round(10_000);
  assertLess(Deno.memoryUsage().rss - before, 64 * 2 ** 20);
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import { bytes } from "../../communication/codecs.ts";
import { MemoryChannel } from "../../communication/memory.ts";
import type { Channel } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import { AuditLog } from "../../security/audit/log.ts";
import { AuditRecorder } from "../../security/audit/recorder.ts";
import { SecurityAuditor } from "../../security/auditor.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import { bytesOf } from "./_hand.ts";
import { Host, text } from "./_host.ts";
import { Talker } from "./_talker.ts";

async function statusOf(run: () => unknown): Promise<string> {
  return (await assertRejects(async () => await run(), GuestFault)).status;
}

/** A channel, with some of it replaced. */
function channelWith(parts: Partial<Channel>): Channel {
  const channel = new MemoryChannel();
  return new Proxy(channel, {
    get: (target, name) => {
      const value = Reflect.get(name in parts ? parts : target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const broken = () => {
  throw new Error("broken");
};

Deno.test("receive() and send() go through the channel", async () => {
  await using channel = new MemoryChannel();
  const call = new Host({ channel }).begin();
  await channel.send({ n: 1 });
  assertEquals(text(await call.receive(Infinity)), '{"n":1}');
  await call.send(bytesOf('["é"]'));
  assertEquals(await channel.receiveResult(), ["é"]);
  await call.end();
});

Deno.test("receive() waits no longer than it is told, and loses nothing", async () => {
  await using channel = new MemoryChannel();
  const call = new Host({ channel }).begin();
  const started = performance.now();
  assertEquals(await call.receive(0), undefined);
  assertEquals(await call.receive(20), undefined);
  assert(performance.now() - started < 500);
  for (let n = 0; n < 50; n++) {
    const [message] = await Promise.all([
      call.receive(n % 3),
      new Promise((resolve) => setTimeout(resolve, n % 3)).then(() =>
        channel.send(n)
      ),
    ]);
    // either now or next, and never twice
    const next = message ?? await call.receive(1_000);
    assertEquals(text(next), String(n));
  }
  assertEquals(await call.receive(0), undefined);
  assertEquals(channel.counters.requests.messages, 50);
  await call.end();
});

Deno.test("a channel that is closed is a fault", async () => {
  const channel = new MemoryChannel();
  const call = new Host({ channel }).begin();
  await channel.send("last");
  channel.close();
  assertEquals(text(await call.receive(0)), '"last"');
  assertEquals(await statusOf(() => call.receive(0)), "closed");
  assertEquals(await statusOf(() => call.receive(Infinity)), "closed");
  assertEquals(await statusOf(() => call.send(bytesOf("1"))), "closed");
  await channel[Symbol.asyncDispose]();
  assertEquals(await statusOf(() => call.send(bytesOf("1"))), "closed");
});

Deno.test("send() refuses what is no message, and what could never fit", async () => {
  await using channel = new MemoryChannel({ maxBytes: 10 });
  const limits = { messageBytes: 300_000 };
  const call = new Host({ channel, limits }).begin();
  const wrong = ["", "{", "\xff", "[".repeat(10 ** 5) + "]".repeat(10 ** 5)];
  for (const each of wrong) {
    const message = each === "\xff" ? Uint8Array.of(0xff) : bytesOf(each);
    assertEquals(await statusOf(() => call.send(message)), "invalid");
  }
  const long = bytesOf('"0123456789"');
  assertEquals(await statusOf(() => call.send(long)), "too-large");
  const longer = new Uint8Array(300_001);
  assertEquals(await statusOf(() => call.send(longer)), "too-large");
  assertEquals(channel.counters.results.messages, 0);
  await call.end();
});

Deno.test("receive() drops a message that is too long for the guest", async () => {
  await using channel = new MemoryChannel();
  const call = new Host({ channel, limits: { messageBytes: 5 } }).begin();
  await channel.send("0123456789");
  await channel.send(1);
  assertEquals(await statusOf(() => call.receive(0)), "too-large");
  assertEquals(text(await call.receive(0)), "1");
});

Deno.test("a channel that breaks is a fault for the guest, and told to the host", async () => {
  const parts: Partial<Channel>[] = [
    { receive: broken, sendResult: broken },
    {
      receive: () => Promise.reject(new Error("broken")),
      sendResult: () => Promise.reject(new Error("broken")),
    },
    {
      requestCodec: { name: "odd", encode: broken, decode: broken },
      sendResult: broken,
    },
  ];
  for (const each of parts) {
    const channel = channelWith(each);
    const host = new Host({ channel });
    await channel.send(1);
    const call = host.begin();
    assertEquals(await statusOf(() => call.receive(0)), "failed");
    assertEquals(await statusOf(() => call.send(bytesOf("1"))), "failed");
    assertEquals(
      host.errors.map(({ details }) => details.import.name),
      ["receive", "send"],
    );
    await call.end();
  }
});

Deno.test("send() waits for room, until the call ends", async () => {
  await using channel = new MemoryChannel({ capacity: 1 });
  const host = new Host({ channel });
  const call = host.begin();
  await call.send(bytesOf("1"));
  const sending = Promise.resolve(call.send(bytesOf("2")));
  const receiving = Promise.resolve(call.receive(Infinity));
  await call.end(new Error("deadline"));
  assertEquals(await statusOf(() => sending), "closed");
  assertEquals(await statusOf(() => receiving), "closed");
  assertThrows(() => call.receive(0), GuestFault, "is over");
  // nothing of it is left in the channel
  assertEquals(await channel.receiveResult(), 1);
  await channel.send(3);
  assertEquals(text(await host.begin().receive(0)), "3");
  assertEquals(channel.counters.results.messages, 1);
});

Deno.test("countMessage() counts either way, and its error ends the guest", async () => {
  await using channel = new MemoryChannel();
  let left = 2;
  const limit = new SandboxError("limit-exceeded", "enough", {
    details: { limit: "messages", allowed: 2, suggestion: "" },
  });
  const call = new Host({
    channel,
    countMessage: () => {
      if (left-- === 0) throw limit;
    },
  }).begin();
  await channel.send(1);
  await call.receive(0);
  await call.send(bytesOf("1"));
  const error = await assertRejects(
    async () => await call.send(bytesOf("2")),
    SandboxError,
  );
  assert(error === limit);
  assertEquals(channel.counters.results.messages, 1);
});

Deno.test("receive() and send() without a channel are unknown", async () => {
  const call = new Host().begin();
  assertEquals(await statusOf(() => call.receive(0)), "unknown");
  assertEquals(await statusOf(() => call.send(bytesOf("1"))), "unknown");
});

Deno.test("bytes go through a channel as they are", async () => {
  await using channel = new MemoryChannel({
    requestCodec: bytes,
    resultCodec: bytes,
  });
  const call = new Host({ channel }).begin();
  await channel.send(Uint8Array.of(0, 255));
  assertEquals(await call.receive(0), Uint8Array.of(0, 255));
  await call.send(Uint8Array.of(254));
  assertEquals(await channel.receiveResult(), Uint8Array.of(254));
});

Deno.test("SecurityAuditor.log() records an event that no policy decides", () => {
  const log = new AuditLog();
  const learned = new AuditRecorder();
  const auditor = new SecurityAuditor(SecurityPolicy.strict(), {
    sinks: [log, learned],
    sandbox: "s1",
  });
  auditor.log("warn", "line\nforged\u202e");
  auditor.log("constructor" as never, "x".repeat(5_000));
  const [first, second] = log.events();
  assertEquals({ ...first, time: "" }, {
    sequence: 1,
    time: "",
    sandbox: "s1",
    decision: "logged",
    operation: "log.warn",
    capability: "log",
    resource: "line\\u{a}forged\\u{202e}",
  });
  assertEquals(second?.resource.length, 1_024);
  // no policy is learned from it, and nothing is missing
  assertEquals([learned.operations(), learned.problem], [[], undefined]);
});

Deno.test("GuestImports works in a guest, at once and by waiting", async () => {
  let later = false;
  const functions = {
    f: (input: { n: number }) => later ? Promise.resolve(input) : input,
  };
  await using channel = new MemoryChannel();
  const host = new Host({ functions, channel });
  await using talker = await Talker.create(host);
  assertEquals(talker.callSync("version"), 1);
  assertEquals(talker.callSync("call", [3]), 23n);
  assertEquals(await talker.call("call", [3]), 23n);
  later = true;
  assertEquals(await talker.call("ask", [3]), 23n);
  assertEquals(await talker.call("send", [3]), 0);
  const late = await talker.call("receive", [0]) as bigint;
  assertEquals(late >> 32n, 7n);
  assertEquals(talker.callSync("bad_name", [1]) as bigint >> 32n, 3n);
  talker.callSync("log", [1, 5]);
  assertEquals(host.decisions, ['logged log.info {"key']);
  const error = await assertRejects(() => talker.call("fail"), SandboxError);
  assert(SandboxError.is(error, "guest-error"));
  assertEquals(await talker.call("version"), 1);
  const lie = await assertRejects(() => talker.call("lie"), SandboxError);
  assert(SandboxError.is(lie, "guest-protocol"), lie.message);
  assertEquals(talker.instance.failure?.code, "guest-protocol");
});

Deno.test("a handler that calls its own sandbox is refused", async () => {
  const codes: unknown[] = [];
  const host = new Host({
    functions: {
      f: async () => {
        await talker.call("version").catch((error) => {
          codes.push(error.code);
          throw error;
        });
      },
    },
  });
  await using talker = await Talker.create(host);
  assertEquals(await talker.call("call", [2]) as bigint >> 32n, 4n);
  assertEquals(codes, ["instance-busy", "instance-busy"]);
  assertEquals(host.errors[0]?.cause, host.errors[1]?.cause);
  assertEquals(await talker.call("version"), 1);
});

Deno.test("a guest that waits ends at its deadline, and so does the function", async () => {
  const aborted = Promise.withResolvers<unknown>();
  const host = new Host({
    functions: {
      f: (_, { signal }) => {
        signal.addEventListener("abort", () => aborted.resolve(signal.reason));
        return new Promise(() => {});
      },
    },
  });
  await using talker = await Talker.create(host, { timeoutMs: 30 });
  const error = await assertRejects(() => talker.call("call", [1]));
  assert(SandboxError.is(error, "limit-exceeded"));
  assert(await aborted.promise === error);
});

Deno.test("a guest copies a stream that is larger than its memory", async () => {
  const host = new Host();
  await using talker = await Talker.create(host);
  const chunk = new Uint8Array(100_000).fill(7);
  let chunks = 20;
  let got = 0;
  const copied = await talker.call("copy", [], {
    source: new ReadableStream({
      pull: (to) => chunks-- > 0 ? to.enqueue(chunk) : to.close(),
    }),
    sink: new WritableStream({
      write(piece) {
        assert(piece.every((byte) => byte === 7));
        got += piece.length;
      },
    }),
  });
  assertEquals([copied, got], [2_000_000, 2_000_000]);
  assertEquals(host.services.streamBytes, 4_000_000);
});

/** Longest time between two timers, and what memory has grown by. */
async function strain(
  run: () => Promise<unknown>,
): Promise<{ stallMs: number; grownBytes: number }> {
  let stallMs = 0;
  let last = performance.now();
  const before = Deno.memoryUsage().rss;
  const timer = setInterval(() => {
    const now = performance.now();
    stallMs = Math.max(stallMs, now - last - 5);
    last = now;
  }, 5);
  await run();
  clearInterval(timer);
  stallMs = Math.max(stallMs, performance.now() - last - 5);
  return { stallMs, grownBytes: Deno.memoryUsage().rss - before };
}

const FLOOD = 32 * 2 ** 20;

Deno.test("a flood of calls that wait leaves timers and memory alone", async () => {
  await using channel = new MemoryChannel();
  const host = new Host({
    functions: { f: (input) => Promise.resolve(input) },
    channel,
  });
  await using talker = await Talker.create(host, { timeoutMs: 60_000 });
  await talker.call("call", [10_000]);
  const { stallMs, grownBytes } = await strain(() =>
    talker.call("call", [200_000])
  );
  assert(stallMs < 50, `timers were ${stallMs} ms late`);
  assert(grownBytes < FLOOD, `grew by ${grownBytes}`);
});

Deno.test("a flood of messages waits for the host", async () => {
  await using channel = new MemoryChannel();
  const host = new Host({ channel });
  await using talker = await Talker.create(host, { timeoutMs: 500 });
  const { stallMs, grownBytes } = await strain(() =>
    talker.call("send", [10 ** 6]).catch(() => {})
  );
  assert(stallMs < 50, `timers were ${stallMs} ms late`);
  assert(grownBytes < FLOOD, `grew by ${grownBytes}`);
  assertEquals(channel.counters.results.waiting, 64);
});

Deno.test("a flood of calls that wait for nothing keeps nothing", async () => {
  const host = new Host({ functions: { f: (input) => input } });
  await using talker = await Talker.create(host, { timeoutMs: 60_000 });
  await talker.call("call", [10_000]);
  const calls = await strain(() => talker.call("call", [10 ** 6]));
  assert(calls.grownBytes < FLOOD, `calls grew by ${calls.grownBytes}`);
  const names = await strain(() => talker.call("bad_name", [10 ** 5]));
  assert(names.grownBytes < FLOOD, `names grew by ${names.grownBytes}`);
});

Deno.test("streams that are always ready let timers fire", async () => {
  const chunk = new Uint8Array(1_024);
  const host = new Host();
  await using talker = await Talker.create(host, { timeoutMs: 300 });
  const { stallMs } = await strain(() =>
    talker.call("copy", [], {
      source: new ReadableStream({ pull: (to) => to.enqueue(chunk) }),
      sink: new WritableStream(),
    }).catch(() => {})
  );
  assert(stallMs < 50, `timers were ${stallMs} ms late`);
  assert(host.services.streamBytes > 10 ** 6);
});

Deno.test("a flood of lines leaves timers and memory alone", async () => {
  const log = new AuditLog();
  await using talker = await Talker.create(new Host({ sink: log }), {
    timeoutMs: 60_000,
  });
  const start = performance.now();
  const { stallMs, grownBytes } = await strain(() =>
    talker.call("log", [10_000, 20])
  );
  assert(performance.now() - start > 850, "10,000 a second are let through");
  assert(stallMs < 50, `timers were ${stallMs} ms late`);
  assert(grownBytes < FLOOD, `grew by ${grownBytes}`);
  assertEquals(log.counters.recorded, 10_000);
});

Deno.test("log() has the guest wait after a burst, until the call ends", async () => {
  const { services } = new Host();
  const call = services.begin({});
  let lines = 0;
  while (call.log("info", "line") === undefined) lines++;
  assert(lines > 900, `${lines} lines`);
  const paused = call.log("info", "line");
  await call.end();
  const start = performance.now();
  await paused;
  assert(performance.now() - start < 50, "a call that is over waits no more");
});

Deno.test("log() counts a long line as several", () => {
  const { services } = new Host();
  const call = services.begin({});
  let lines = 0;
  while (call.log("info", "x".repeat(1_000)) === undefined) lines++;
  void call.end();
  assert(lines >= 99 && lines < 200, `${lines} lines`);
});

Deno.test("log() never waits where the guest cannot", () => {
  const { services } = new Host();
  const call = services.begin({}, { canWait: false });
  for (let line = 0; line < 3_000; line++) {
    assertEquals(call.log("info", "line"), undefined);
  }
});

Deno.test("a log of long lines holds on to no more than it shows", async () => {
  const from = (path: string) =>
    JSON.stringify(new URL(`../../security/${path}`, import.meta.url).href);
  // a process of its own can collect what is garbage before it measures
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--no-config",
      "--v8-flags=--expose-gc",
      `import { AuditLog } from ${from("audit/log.ts")};
      import { SecurityAuditor } from ${from("auditor.ts")};
      import { SecurityPolicy } from ${from("policy.ts")};
      const log = new AuditLog();
      const auditor = new SecurityAuditor(SecurityPolicy.strict(), {
        sinks: [log],
      });
      for (let line = 0; line < 5_000; line++) {
        auditor.log("info", new TextDecoder().decode(new Uint8Array(100_000)));
        auditor.log("info", String(line).padStart(100_000, "x"));
      }
      gc();
      console.log(Deno.memoryUsage().heapUsed, log.events().length);`,
    ],
  }).output();
  const [heapUsed, events] = text(stdout).split(" ").map(Number);
  assertEquals(events, 4_096);
  assert(Number(heapUsed) < FLOOD, `${heapUsed} bytes`);
});

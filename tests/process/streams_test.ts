import { assert, assertEquals, assertRejects } from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import { HostServices } from "../../communication/host_services.ts";
import type { CallStreams } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import type { GuestInstance } from "../../runtime/guest_source.ts";
import { SecurityAuditor } from "../../security/auditor.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import { childrenOf, isRunning, open, services, until } from "./_process.ts";
import { talker } from "./_talker.ts";
import { wat } from "../wasm.ts";

/** Opens the talker with a host's real services. */
async function talk(
  limits: ResourceLimits = {},
): Promise<{ instance: GuestInstance } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const provider = new HostServices({
    functions: {},
    auditor: new SecurityAuditor(SecurityPolicy.from([])),
    limits: resolveLimits(limits),
  });
  const options = { limits, services: provider };
  const source = stack.use(await open(await talker(), options));
  const instance = stack.use(await source.instantiate({}));
  const moved = stack.move();
  return { instance, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** So many chunks, each a number. */
function chunks(count: number, size: number): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next === count) return controller.close();
      controller.enqueue(new Uint8Array(size).fill(next++));
    },
  });
}

/** What became of a stream. */
interface Fate {
  cancelled?: unknown;
  aborted?: unknown;
  isClosed?: boolean;
}

/** A source without end, and a sink that takes all; both note their end. */
function endless(fate: Fate, onWrite: () => void = () => {}): CallStreams {
  return {
    source: new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: (reason) => void (fate.cancelled = reason),
    }),
    sink: new WritableStream({
      write: onWrite,
      abort: (reason) => void (fate.aborted = reason),
      close: () => void (fate.isClosed = true),
    }),
  };
}

Deno.test("call() pumps a stream through the guest, every byte of it", async () => {
  await using guest = await talk();
  let sum = 0;
  let bytes = 0;
  let isClosed = false;
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      bytes += chunk.length;
      for (const byte of chunk) sum += byte;
    },
    close: () => void (isClosed = true),
  });
  const source = chunks(64, 100_003);
  const streams = { source, sink };
  assertEquals(await guest.instance.call("pump", [70_000], { streams }), 6);
  assertEquals(bytes, 64 * 100_003);
  assertEquals(sum, 63 * 32 * 100_003);
  assert(isClosed);
});

Deno.test("call() keeps the order of what is written, however slow the sink", async () => {
  await using guest = await talk();
  const seen: number[] = [];
  const sink = new WritableStream<Uint8Array>({
    async write(chunk) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen.push(chunk[0] ?? -1);
    },
  });
  const streams = { source: chunks(100, 10), sink };
  await guest.instance.call("pump", [10], { streams });
  assertEquals(seen, Array.from({ length: 100 }, (_, at) => at));
});

Deno.test("a sink that takes nothing holds back the guest and its source", async () => {
  await using guest = await talk({ timeoutMs: 700 });
  let pulled = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  const sink = new WritableStream({ write: () => new Promise(() => {}) });
  const streams = { source, sink };
  const error = await assertRejects(
    () => guest.instance.call("pump", [2 ** 20], { streams }),
    SandboxError,
  );
  assertEquals(error.code, "limit-exceeded");
  assert(pulled < 3 * 2 ** 20, `pulled ${pulled} bytes`);
});

Deno.test("a long stream leaves the host's memory flat", async () => {
  await using guest = await talk({ timeoutMs: 30_000 });
  const { instance } = guest;
  const sink = () => new WritableStream<Uint8Array>({ write() {} });
  const size = 65_536;
  const chunk = new Uint8Array(size);
  const source = (bytes: number) => {
    let left = bytes;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(chunk);
        if ((left -= size) <= 0) controller.close();
      },
    });
  };
  const pump = (bytes: number) =>
    instance.call("pump", [2 ** 18], {
      streams: { source: source(bytes), sink: sink() },
    });
  await pump(2 ** 26);
  const before = Deno.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, Deno.memoryUsage().rss);
  }, 5);
  assertEquals(await pump(2 ** 28), 256);
  clearInterval(timer);
  const grown = (most - before) / 2 ** 20;
  assert(grown < 32, `grew by ${grown} MiB`);
});

Deno.test("a guest that reads bytes one by one gets each", async () => {
  await using guest = await talk();
  const streams = { source: chunks(3, 1_000) };
  assertEquals(await guest.instance.call("pump", [1], { streams }), -2);
  const sink = new WritableStream();
  const again = { source: chunks(3, 1_000), sink };
  assertEquals(await guest.instance.call("pump", [1], { streams: again }), 0);
});

Deno.test("what was read ahead is not there in the next call", async () => {
  await using guest = await talk();
  const { instance } = guest;
  const first = { source: chunks(1, 1_000) };
  assertEquals(await instance.call("read", [10], { streams: first }), 10);
  assertEquals(await instance.call("read", [10]), -2);
});

Deno.test("a write to no sink is told at once", async () => {
  await using guest = await talk();
  assertEquals(await guest.instance.call("write", [10, 1]), -2);
});

Deno.test("a sink that fails is told, and fails the call", async () => {
  await using guest = await talk();
  const bug = new Error("disk full");
  const sink = new WritableStream<Uint8Array>({
    write() {
      throw bug;
    },
  });
  const told = await assertRejects(
    () => guest.instance.call("write", [1_000, 10_000], { streams: { sink } }),
    SandboxError,
  );
  assert(SandboxError.is(told, "host-function-failed"), told.message);
  assert(told.cause === bug);
  // the guest knew of it, and lives on
  assertEquals(guest.instance.failure, undefined);
});

Deno.test("a fault of a later write reaches the guest as closed", async () => {
  let writes = 0;
  await using source = await open(await talker(), {
    services: services({
      async write() {
        await Promise.resolve();
        if (++writes > 3) throw new GuestFault("closed", "no more");
      },
    }),
  });
  await using instance = await source.instantiate({});
  assertEquals(await instance.call("write", [65_536, 1_000]), -6);
  // of this call nothing is known to have failed
  writes = -10;
  assertEquals(await instance.call("write", [65_536, 1]), 65_536);
});

Deno.test("a failure of the host's while nobody waits ends the guest", async () => {
  let writes = 0;
  const bug = new TypeError("no");
  await using source = await open(await talker(), {
    services: services({
      async write() {
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (++writes > 1) throw bug;
      },
    }),
  });
  await using instance = await source.instantiate({});
  const error = await assertRejects(
    () => instance.call("write", [10, 2]),
    SandboxError,
  );
  assert(SandboxError.is(error, "host-function-failed"));
  assert(error.cause === bug);
});

Deno.test("streamBytes ends a guest that streams too much", async () => {
  await using guest = await talk({ streamBytes: 10_000_000 });
  const fate: Fate = {};
  const error = await assertRejects(
    () => guest.instance.call("pump", [65_536], { streams: endless(fate) }),
    SandboxError,
  );
  assert(SandboxError.is(error, "limit-exceeded"), error.message);
  assertEquals(error.details.limit, "streamBytes");
  assert(fate.cancelled === error);
  assert(fate.aborted === error);
});

Deno.test("a call cancelled in the middle of its streams leaves nothing behind", async () => {
  await using guest = await talk();
  const fate: Fate = {};
  const reason = new Error("enough");
  const controller = new AbortController();
  let writes = 0;
  const streams = endless(fate, () => {
    if (++writes === 20) controller.abort(reason);
  });
  const [pid = 0] = childrenOf(Deno.pid);
  const { signal } = controller;
  const start = performance.now();
  const error = await assertRejects(
    () => guest.instance.call("pump", [65_536], { streams, signal }),
  );
  assert(performance.now() - start < 1_000);
  assert(error === reason);
  assertEquals(fate, { cancelled: reason, aborted: reason });
  assert(!isRunning(pid));
  assert(!streams.source?.locked);
  assert(!streams.sink?.locked);
});

Deno.test("dispose in the middle of a stream ends both ends of it", async () => {
  const fate: Fate = {};
  const guest = await talk();
  let writes = 0;
  const streams = endless(fate, () => void writes++);
  const call = guest.instance.call("pump", [65_536], { streams });
  const ended = assertRejects(() => call, SandboxError);
  await until(() => writes > 5);
  await guest[Symbol.asyncDispose]();
  assertEquals((await ended).code, "disposed");
  assert(SandboxError.is(fate.cancelled, "disposed"));
  assert(SandboxError.is(fate.aborted, "disposed"));
  assertEquals(childrenOf(Deno.pid), []);
});

Deno.test("a guest that spins at the deadline has its streams ended", async () => {
  await using guest = await talk({ timeoutMs: 300 });
  const fate: Fate = {};
  const error = await assertRejects(
    () => guest.instance.call("spin", [], { streams: endless(fate) }),
    SandboxError,
  );
  assertEquals(error.code, "limit-exceeded");
  assertEquals(fate, { cancelled: error, aborted: error });
});

Deno.test("a call that cannot begin lets go of its streams", async () => {
  await using guest = await talk();
  for (const name of ["nothing", "read"]) {
    const fate: Fate = {};
    const error = await assertRejects(
      () => guest.instance.call(name, [], { streams: endless(fate) }),
    );
    assertEquals(fate, { cancelled: error, aborted: error });
  }
});

Deno.test("streams are refused by a module that asks for nothing", async () => {
  await using source = await open(await wat('(module (func (export "run")))'));
  await using instance = await source.instantiate({});
  const streams = endless({});
  await assertRejects(
    () => instance.call("run", [], { streams }),
    TypeError,
    "imports nothing",
  );
  assert(!streams.sink?.locked);
});

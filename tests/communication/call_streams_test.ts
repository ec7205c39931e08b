import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { GuestFault } from "../../communication/fault.ts";
import type { CallServices } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import { bytesOf } from "./_hand.ts";
import { Host, text } from "./_host.ts";

/** A stream of pieces, and what became of it. */
function source(
  pieces: readonly unknown[],
): ReadableStream<Uint8Array> & { readonly log: unknown[]; pulls: number } {
  const log: unknown[] = [];
  const left = [...pieces];
  const stream = new ReadableStream<unknown>({
    pull(controller) {
      made.pulls++;
      const piece = left.shift();
      if (piece instanceof Error) controller.error(piece);
      else if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel(reason) {
      log.push(reason);
    },
  }, { highWaterMark: 0 });
  const made = Object.assign(stream, { log, pulls: 0 }) as
    & ReadableStream<Uint8Array>
    & { log: unknown[]; pulls: number };
  return made;
}

/** A sink that keeps what it gets, and what became of it. */
function sink(
  write: (chunk: Uint8Array) => void | Promise<void> = () => {},
): WritableStream<Uint8Array> & { readonly got: string[] } {
  const got: string[] = [];
  const stream = new WritableStream<Uint8Array>({
    async write(chunk) {
      await write(chunk);
      got.push(text(chunk));
    },
    close: () => void got.push("closed"),
    abort: (reason) => void got.push(`aborted: ${reason?.message}`),
  });
  return Object.assign(stream, { got });
}

async function statusOf(run: () => unknown): Promise<string> {
  return (await assertRejects(async () => await run(), GuestFault)).status;
}

async function readAll(services: CallServices): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const piece = await services.read(4);
    if (piece === undefined) return all;
    all.push(text(piece));
  }
}

Deno.test("read() gives pieces of chunks, and the end", async () => {
  const { services } = new Host();
  const given = source([
    bytesOf("0123456789"),
    new Uint8Array(),
    bytesOf("ab"),
    new Uint8Array(new SharedArrayBuffer(1)),
  ]);
  const call = services.begin({ source: given });
  assertEquals(await readAll(call), ["0123", "4567", "89", "ab", "\0"]);
  assertEquals(await call.read(1), undefined);
  await call.end();
  // it was read to its end
  assertEquals([given.log, given.locked], [[], false]);
});

Deno.test("read() gives what is left at once, and reads nothing ahead", async () => {
  const given = source([bytesOf("0123"), bytesOf("4")]);
  const call = new Host().services.begin({ source: given });
  assertEquals(text(await call.read(1)), "0");
  assertEquals(text(call.read(2) as Uint8Array), "12");
  assertEquals(given.pulls, 1);
  await call.end();
  assertEquals(given.pulls, 1);
  assertEquals([given.log, given.locked], [[undefined], false]);
});

Deno.test("write() waits for room", async () => {
  const room = Promise.withResolvers<void>();
  const given = sink(() => room.promise);
  const call = new Host().services.begin({ sink: given });
  // one chunk is room enough
  assertEquals(call.write(bytesOf("a")), undefined);
  let isDone = false;
  const second = Promise.resolve(call.write(bytesOf("b")))
    .then(() => void (isDone = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals([isDone, given.got], [false, []]);
  room.resolve();
  await second;
  await call.end();
  assertEquals(given.got, ["a", "b", "closed"]);
  assertEquals(given.locked, false);
});

Deno.test("end() aborts the sink and cancels the source of a call that failed", async () => {
  const given = { source: source([bytesOf("a")]), sink: sink() };
  const call = new Host().services.begin(given);
  await call.write(bytesOf("b"));
  const failure = new Error("trapped");
  await call.end(failure);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(given.source.log, [failure]);
  assertEquals(given.sink.got.at(-1), "aborted: trapped");
  assertEquals([given.source.locked, given.sink.locked], [false, false]);
});

Deno.test("end() frees a guest that waits for a stream", async () => {
  const source = new ReadableStream<Uint8Array>();
  const sink = new WritableStream<Uint8Array>({
    write: () => new Promise(() => {}),
  });
  const call = new Host().services.begin({ source, sink });
  const reading = Promise.resolve(call.read(1));
  await call.write(bytesOf("a"));
  const writing = Promise.resolve(call.write(bytesOf("b")));
  const started = performance.now();
  await call.end(new Error("deadline"));
  assertEquals(await statusOf(() => reading), "closed");
  assertEquals(await statusOf(() => writing), "closed");
  assert(performance.now() - started < 100);
  assertEquals([source.locked, sink.locked], [false, false]);
  assertThrows(() => call.read(1), GuestFault, "the call is over");
});

Deno.test("end() does not wait for ever for a sink to close", async () => {
  const host = new Host({ limits: { timeoutMs: 30 } });
  let reason: unknown;
  const call = host.services.begin({
    sink: new WritableStream({
      write: () => new Promise(() => {}),
      abort: (why) => void (reason = why),
    }),
  });
  await call.write(bytesOf("a"));
  const error = await assertRejects(() => call.end(), SandboxError);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "timeoutMs");
  assertEquals(reason, undefined);
});

Deno.test("a source that fails is a fault for the guest, and fails the call", async () => {
  const cause = new Error("disk on fire");
  const given = { source: source([bytesOf("a"), cause]), sink: sink() };
  const call = new Host().services.begin(given);
  assertEquals(text(await call.read(9)), "a");
  assertEquals(await statusOf(() => call.read(9)), "failed");
  assertEquals(await statusOf(() => call.read(9)), "failed");
  const error = await assertRejects(() => call.end(), SandboxError);
  assert(SandboxError.is(error, "host-function-failed"));
  assertEquals(error.details.import, { module: "wasm_sandbox", name: "read" });
  assert(error.cause === cause);
  // what was written may be a part of it all
  assertStringIncludes(given.sink.got.join(), "aborted");
});

Deno.test("a source of something else than bytes fails the call", async () => {
  for (const odd of ["text", 1, null, { length: 1 }, new ArrayBuffer(1)]) {
    const given = source([odd]);
    const call = new Host().services.begin({ source: given });
    assertEquals(await statusOf(() => call.read(9)), "failed");
    const error = await assertRejects(() => call.end(), SandboxError);
    assert(SandboxError.is(error, "invalid-message"));
    assert(error.cause instanceof TypeError);
    assert(given.log[0] === error);
  }
});

Deno.test("a sink that fails is closed for the guest, and fails the call", async () => {
  const cause = new Error("no space");
  const given = sink(() => Promise.reject(cause));
  const call = new Host().services.begin({ sink: given });
  await call.write(bytesOf("a"));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(await statusOf(() => call.write(bytesOf("b"))), "closed");
  const error = await assertRejects(() => call.end(), SandboxError);
  assert(SandboxError.is(error, "host-function-failed"));
  assert(error.cause === cause);
  // also if it fails with the last chunk
  const last = new Host().services.begin({
    sink: sink(() => Promise.reject(cause)),
  });
  await last.write(bytesOf("a"));
  const late = await assertRejects(() => last.end(), SandboxError);
  assert(late.cause === cause);
});

Deno.test("begin() refuses streams that are locked, and takes none of them", () => {
  const { services } = new Host();
  const free = { source: source([]), sink: sink() };
  const locked = { source: source([]), sink: sink() };
  locked.source.getReader();
  locked.sink.getWriter();
  const given = [
    { source: free.source, sink: locked.sink },
    { source: locked.source, sink: free.sink },
    { source: "text" as never, sink: free.sink },
  ];
  for (const streams of given) {
    assertThrows(() => services.begin(streams), TypeError, "Cannot begin");
  }
  assertEquals([free.source.locked, free.sink.locked], [false, false]);
});

Deno.test("read() and write() of a call without streams are unknown", async () => {
  const { services } = new Host();
  const none = services.begin({});
  assertEquals(await statusOf(() => none.read(1)), "unknown");
  assertEquals(await statusOf(() => none.write(bytesOf("a"))), "unknown");
  await none.end();
  const half = services.begin({ sink: sink() });
  assertEquals(await statusOf(() => half.read(1)), "unknown");
  await half.end();
});

Deno.test("streamBytes bounds both directions of one call together", async () => {
  const host = new Host({ limits: { streamBytes: 10 } });
  const begin = () =>
    host.services.begin({ source: source([bytesOf("0123456")]), sink: sink() });
  const call = begin();
  await call.read(6);
  await call.write(bytesOf("0123"));
  const error = await assertRejects(
    async () => await call.read(1),
    SandboxError,
  );
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "streamBytes");
  await call.end(error);
  assertEquals(host.services.streamBytes, 10);
  // another call begins anew, and the end is no byte
  const next = begin();
  await next.read(7);
  assertEquals(await next.read(1), undefined);
  assertThrows(() => next.write(bytesOf("0123")), SandboxError, "streamBytes");
  await next.end(error);
});

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { decodeFiles, encodeFiles } from "../../runtime/process/files.ts";
import { ProtocolError } from "../../runtime/process/frames.ts";
import { RunStreams } from "../../runtime/process/run_streams.ts";
import { resolveLimits } from "../../security/limits.ts";
import { openEvil } from "./_evil.ts";
import { childrenOf, isRunning, services, until } from "./_process.ts";
import { KINDS } from "./evil.ts";

const LIMITS = resolveLimits({});

function streams(): RunStreams {
  return new RunStreams({ stdin: new Uint8Array() }, LIMITS);
}

Deno.test("RunStreams keeps no more than the output, however it is cut", () => {
  using output = streams();
  const before = Deno.memoryUsage().rss;
  for (let piece = 0; piece < 500_000; piece++) {
    output.write(1, new Uint8Array(40).subarray(39));
  }
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 48 * 2 ** 20, `grew by ${grown} bytes`);
  assertEquals(output.collected().stdout.length, 500_000);
});

Deno.test("RunStreams takes no output of nothing", () => {
  using output = streams();
  assertThrows(() => output.write(1, new Uint8Array()), ProtocolError);
});

Deno.test("RunStreams lets go of every stream if it cannot have one", () => {
  const stdin = new ReadableStream<Uint8Array>();
  const both = new WritableStream<Uint8Array>();
  assertThrows(
    () => new RunStreams({ stdin, stdout: both, stderr: both }, LIMITS),
    TypeError,
  );
  assert(!stdin.locked);
  assert(!both.locked);
});

Deno.test("decodeFiles() takes no more files than a guest may make", () => {
  const files = [["/a", new Uint8Array()], ["/b", new Uint8Array(3)]] as const;
  const body = encodeFiles(files);
  assertEquals(decodeFiles(body, 2), new Map(files));
  assertThrows(() => decodeFiles(body, 1), ProtocolError, "too many");
});

Deno.test("a child that reads no answers gets none to hoard", async () => {
  let calls = 0;
  await using source = await openEvil("endless questions", {
    limits: { timeoutMs: 1_000 },
    imports: { host: { twice: (value: number) => (calls++, 2 * value) } },
  });
  await using instance = await source.instantiate({});
  const error = await assertRejects(
    () => instance.call("add", [1, 2]),
    SandboxError,
    "a word out of turn",
  );
  assertEquals(error.code, "process-failed");
  assert(calls < 10_000, `${calls} calls`);
});

/** What the flooded host does for its guest. */
const SERVICES = services({
  call: (name) =>
    name === "large" ? new Uint8Array(2 ** 20) : Promise.resolve(NOTHING),
  write: async () => {},
});
const NOTHING = new Uint8Array();

for (const what of KINDS.floods) {
  Deno.test(`a ${what} leaves the host its memory and its timers`, async () => {
    await using source = await openEvil(what, {
      limits: { timeoutMs: 1_500 },
      services: SERVICES,
    });
    await using instance = await source.instantiate({});
    let lateMs = 0;
    let grown = 0;
    let lastMs = performance.now();
    const before = Deno.memoryUsage().rss;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      lateMs = Math.max(lateMs, nowMs - lastMs - 10);
      grown = Math.max(grown, Deno.memoryUsage().rss - before);
      lastMs = nowMs;
    }, 10);
    const error = await assertRejects(
      () => instance.call("add", [1, 2]),
      SandboxError,
    );
    clearInterval(timer);
    if (SandboxError.is(error, "limit-exceeded")) {
      assertEquals(error.details.limit, "timeoutMs");
    } else assertStringIncludes(error.message, "a word out of turn");
    assert(grown < 32 * 2 ** 20, `grew by ${grown} bytes`);
    assert(lateMs < 50, `late by ${lateMs} ms`);
  });
}

Deno.test("a child that floods its standard error is ended, idle or not", async () => {
  await using source = await openEvil("errors later");
  await using instance = await source.instantiate({});
  const [pid = 0] = childrenOf(Deno.pid);
  assertEquals(await instance.call("add", [2, 3]), 5);
  await until(() => !isRunning(pid));
  const error = await assertRejects(
    () => instance.call("add", [2, 3]),
    SandboxError,
    "endless errors",
  );
  assert(SandboxError.is(error, "process-failed"));
});

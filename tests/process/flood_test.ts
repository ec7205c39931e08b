import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { decodeFiles, encodeFiles } from "../../runtime/process/files.ts";
import { ProtocolError } from "../../runtime/process/frames.ts";
import { RunStreams } from "../../runtime/process/run_streams.ts";
import { resolveLimits } from "../../security/limits.ts";
import { openEvil } from "./_evil.ts";
import { childrenOf, isRunning, until } from "./_process.ts";

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
  );
  assert(SandboxError.is(error, "limit-exceeded"), error.message);
  assertEquals(error.details.limit, "timeoutMs");
  // what a pipe holds, and little more
  assert(calls < 10_000, `${calls} calls`);
});

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

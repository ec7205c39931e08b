import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { actor, ISOLATIONS, textOf, typed } from "./_tool.ts";

for (const isolation of ISOLATIONS) {
  Deno.test(`stream() joins the streams of a run, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    await using run = tool.stream(["cat"]);
    const text = "ä".repeat(100_000);
    const [stdout, stderr] = await Promise.all([
      textOf(run.stdout),
      textOf(run.stderr),
      typed(run.stdin, text),
    ]);
    assertEquals([stdout, stderr], [text, ""]);
    assertEquals((await run.status).exitCode, 0);
  });

  Deno.test(`stream() tells the files of a run, ${isolation}`, async () => {
    await using tool = await actor({ isolation, workspace: {} });
    await using run = tool.stream(["put", "/workspace/a", "text"]);
    const { exitCode, files, stdoutText } = await run.output();
    assertEquals([exitCode, stdoutText], [0, ""]);
    assertEquals([...files.keys()], ["/workspace/a"]);
    assertEquals((await run.status).files, files);
  });

  Deno.test(`stream() fails on all its streams as the run does, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    await using run = tool.stream(["trap"], { stdin: "" });
    const ends = [
      run.status,
      textOf(run.stdout),
      textOf(run.stderr),
      run.output(),
    ];
    for (const end of await Promise.allSettled(ends.slice(0, 3))) {
      assert(end.status === "rejected" && SandboxError.is(end.reason, "trap"));
    }
    await assertRejects(() => ends[3] as Promise<unknown>);
  });

  Deno.test(`stream() ends with 141 if nobody reads, ${isolation}`, async () => {
    await using tool = await actor({
      isolation,
      limits: { stdoutBytes: 262_144 },
    });
    const stdin = new Uint8Array(200_000);
    await using run = tool.stream(["cat"], { stdin });
    await run.stdout.cancel();
    assertEquals((await run.status).exitCode, 141);
    assertEquals((await tool.run(["say", "next"])).stdoutText, "next");
  });

  Deno.test(`stream() fails who writes to a tool that has ended, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    await using run = tool.stream(["exit", "7"]);
    const writer = run.stdin.getWriter();
    if (isolation === "inline") await writer.close();
    assertEquals((await run.status).exitCode, 7);
    await assertRejects(() => writer.write(new Uint8Array(100_000)));
  });

  Deno.test(`stream() ends when it is disposed, ${isolation}`, async () => {
    await using tool = await actor({ isolation, maxConcurrentRuns: 1 });
    const run = tool.stream(["cat"]);
    await run[Symbol.asyncDispose]();
    await run[Symbol.asyncDispose]();
    const error = await assertRejects(() => run.status, SandboxError);
    assertEquals(error.code, "disposed");
    assertEquals((await tool.run(["say", "next"])).stdoutText, "next");
  });

  Deno.test(`stream() ends when its signal is aborted, ${isolation}`, async () => {
    await using tool = await actor({ isolation, maxConcurrentRuns: 1 });
    const controller = new AbortController();
    await using run = tool.stream(["cat"], { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => run.status, Error, "enough");
    assertEquals((await tool.run(["say", "next"])).stdoutText, "next");
  });
}

Deno.test("stream() moves while the tool runs, in a process", async () => {
  await using tool = await actor({ isolation: "process" });
  await using run = tool.stream(["repl"]);
  const reader = run.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = run.stdin.getWriter();
  let seen = "";
  const until = async (text: string) => {
    while (!seen.includes(text)) seen += (await reader.read()).value;
  };
  await until("> ");
  await writer.write(new TextEncoder().encode("hello\n"));
  await until("HELLO\n> ");
  await writer.write(new TextEncoder().encode("quit\n"));
  assertEquals((await run.status).exitCode, 0);
  reader.releaseLock();
});

Deno.test("stream() holds a tool that nobody reads, until its deadline", async () => {
  await using tool = await actor({
    isolation: "process",
    limits: { timeoutMs: 1_500, stdoutBytes: 1 << 30 },
  });
  const before = Deno.memoryUsage().rss;
  await using run = tool.stream(["yes"]);
  const error = await assertRejects(() => run.status);
  assert(SandboxError.is(error, "limit-exceeded"));
  assertEquals(error.details.limit, "timeoutMs");
  assert(Deno.memoryUsage().rss - before < 32 << 20);
});

Deno.test("stream() is refused as a run is", async () => {
  await using tool = await actor();
  await using run = tool.stream([], { env: { NOT_GRANTED: "" } });
  const error = await assertRejects(() => run.status, SandboxError);
  assertEquals(error.code, "capability-not-granted");
  await assertRejects(() => textOf(run.stdout));
});

Deno.test("output() fails as the input does", async () => {
  for (const isolation of ISOLATIONS) {
    await using tool = await actor({ isolation });
    const stdin = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("torn")),
    });
    await using run = tool.stream(["cat"], { stdin });
    await assertRejects(() => run.output(), Error, "torn");
  }
});

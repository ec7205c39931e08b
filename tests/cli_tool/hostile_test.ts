import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { children } from "../../testing/_wrapper_host.ts";
import type { CliTool } from "../../wrappers/cli_tool.ts";
import { actor, ISOLATIONS } from "./_tool.ts";

/** CPU seconds of this process and of its children that have ended. */
function cpuSeconds(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0) /
    100;
}

async function limitOf(run: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => run, SandboxError);
  return SandboxError.is(error, "limit-exceeded")
    ? error.details.limit
    : error.code;
}

/** The host goes on, and holds nothing of what was. */
async function assertAlive(tool: CliTool): Promise<void> {
  assertEquals((await tool.run(["say", "alive"])).stdoutText, "alive");
  const before = cpuSeconds();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert(cpuSeconds() - before < 0.15, "something still runs");
}

for (const isolation of ISOLATIONS) {
  Deno.test(`CliTool ends what does not end by itself, ${isolation}`, async () => {
    await using tool = await actor({
      isolation,
      limits: {
        timeoutMs: 1_000,
        memoryBytes: 16 << 20,
        stdoutBytes: 1 << 20,
        stderrBytes: 65_536,
        stdinBytes: 65_536,
      },
    });
    assertEquals(await limitOf(tool.run(["spin"])), "timeoutMs");
    assertEquals(await limitOf(tool.run(["yes"])), "stdoutBytes");
    assertEquals(await limitOf(tool.run(["scream"])), "stderrBytes");
    const stdin = new Uint8Array(65_537);
    assertEquals(await limitOf(tool.run(["cat"], { stdin })), "stdinBytes");
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
    });
    assertEquals(
      await limitOf(tool.run(["cat"], { stdin: endless })),
      "stdinBytes",
    );
    const { exitCode } = await tool.run(["bomb"]);
    assert(exitCode > 4 && exitCode < 16, `${exitCode} MiB`);
    await assertRejects(() => tool.run(["deep"]), SandboxError);
    assertEquals((await tool.run(["closed"])).exitCode, 0);
    await assertAlive(tool);
  });

  Deno.test(`CliTool keeps files within their bounds, ${isolation}`, async () => {
    await using tool = await actor({
      isolation,
      workspace: { maxBytes: 4_096 },
      limits: { fileEntries: 100 },
    });
    const many = await tool.run(["names", "99"]);
    assertEquals([many.exitCode, many.files.size], [0, 99]);
    for (const path of many.files.keys()) {
      assert(path.startsWith("/workspace/"));
    }
    assertEquals(await limitOf(tool.run(["names", "101"])), "fileEntries");
    const large = "x".repeat(4_097);
    assert((await tool.run(["put", "/workspace/a", large])).exitCode !== 0);
    for (const path of ["/workspace/../../etc/x", "../x", "/etc/x", "x"]) {
      assert((await tool.run(["put", path, "x"])).exitCode !== 0);
    }
    await assertAlive(tool);
  });

  Deno.test(`CliTool refuses arguments that no program can have, ${isolation}`, async () => {
    await using tool = await actor({ isolation, workspace: {} });
    await assertRejects(() => tool.run(["a\0b"]), TypeError, "NUL");
    await assertRejects(() => tool.run(["\ud800"]), TypeError, "surrogate");
    await assertRejects(
      () => tool.run([1 as unknown as string]),
      TypeError,
      "no string",
    );
    await assertRejects(
      () => tool.run([], { files: { "/etc/a": "" } }),
      TypeError,
      "no memory mount",
    );
    await assertRejects(() =>
      tool.run([], { files: { "/workspace/../a": "" } })
    );
    await assertAlive(tool);
  });
}

Deno.test("CliTool leaves no process of a run that was given up", async () => {
  const before = children();
  {
    await using tool = await actor({
      isolation: "process",
      limits: { timeoutMs: 20_000 },
    });
    const controller = new AbortController();
    const run = tool.run(["spin"], { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("given up")), 200);
    await assertRejects(() => run, Error, "given up");
    await assertAlive(tool);
    const endless = tool.stream(["spin"]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await endless[Symbol.asyncDispose]();
    await assertAlive(tool);
  }
  assertEquals(children(), before);
});

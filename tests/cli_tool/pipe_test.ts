import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { pipeTools } from "../../wrappers/cli_tool.ts";
import { actor, ISOLATIONS, textOf, typed } from "./_tool.ts";

for (const isolation of ISOLATIONS) {
  Deno.test(`pipeTools() gives the output of one to the next, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    const text = "line\n".repeat(60_000);
    await using line = pipeTools(
      tool.stream(["cat"]),
      tool.stream(["cat"]),
      tool.stream(["cat"]),
    );
    const [stdout] = await Promise.all([
      textOf(line.stdout),
      typed(line.stdin, text),
      line.stderr.cancel(),
    ]);
    assert(stdout === text);
    assertEquals((await line.status).exitCodes, [0, 0, 0]);
  });

  Deno.test(`pipeTools() ends with the last exit code that is not 0, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    await using line = pipeTools(
      tool.stream(["exit", "3"]),
      tool.stream(["exit", "5"], {}),
      tool.stream(["say", "end"]),
    );
    const { exitCode, exitCodes, stdoutText } = await line.output();
    assertEquals([exitCode, ...exitCodes], [5, 3, 5, 0]);
    assertEquals(stdoutText, "end");
  });

  Deno.test(`pipeTools() joins what is said of errors, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    await using line = pipeTools(
      tool.stream(["warn", "a"]),
      tool.stream(["warn", "b"]),
    );
    const { stderrText } = await line.output();
    assertEquals([...stderrText].sort(), ["a", "b"]);
  });

  Deno.test(`pipeTools() fails all if one fails, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    for (const at of [0, 1, 2]) {
      const verbs = [["cat"], ["cat"], ["cat"]].with(at, ["trap"]);
      const [first, ...others] = verbs.map((args) => tool.stream(args));
      assert(first !== undefined);
      await using line = pipeTools(first, ...others);
      const error = await assertRejects(() => line.output());
      assert(SandboxError.is(error, "trap"), `${at}: ${error}`);
    }
    assertEquals((await tool.run(["say", "next"])).stdoutText, "next");
  });
}

Deno.test("pipeTools() ends those before one that has read enough", async () => {
  await using tool = await actor({
    isolation: "process",
    limits: { stdoutBytes: 1 << 30, timeoutMs: 20_000 },
  });
  const before = Deno.memoryUsage().rss;
  await using line = pipeTools(
    tool.stream(["yes"]),
    tool.stream(["cat"], {}),
    tool.stream(["head", "10"]),
  );
  const { stdoutText, exitCodes } = await line.output();
  assertEquals(stdoutText, "yyyyyyyyyy");
  assertEquals(exitCodes, [141, 141, 0]);
  assert(Deno.memoryUsage().rss - before < 64 << 20);
});

Deno.test("pipeTools() ends all of them when it is disposed", async () => {
  await using tool = await actor({ isolation: "process" });
  const line = pipeTools(tool.stream(["cat"]), tool.stream(["cat"]));
  await line[Symbol.asyncDispose]();
  await assertRejects(() => line.status, SandboxError);
  assertEquals((await tool.run(["say", "next"])).stdoutText, "next");
});

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { Capabilities } from "../../security/capabilities.ts";
import { CliTool } from "../../wrappers/cli_tool.ts";
import { openManifest } from "../../wrappers/manifest/mod.ts";
import { ACTOR, actor, ISOLATIONS } from "./_tool.ts";

for (const isolation of ISOLATIONS) {
  Deno.test(`run() gives arguments as they are, ${isolation}`, async () => {
    await using tool = await actor({
      isolation,
      name: "ac tor",
      args: ["args"],
    });
    const args = ["", "a b", '"$HOME"\n', "-rf", "日本", "*"];
    const { exitCode, stdoutText } = await tool.run(args);
    assertEquals(exitCode, 0);
    assertEquals(stdoutText.split("\0"), ["ac tor", "args", ...args, ""]);
  });

  Deno.test(`run() gives input, and takes output apart, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    const data = new Uint8Array(200_000).map((_, index) => index % 251);
    for (const stdin of [data, ReadableStream.from([data])]) {
      const { stdout, stderr } = await tool.run(["cat"], { stdin });
      assertEquals(stdout, data);
      assertEquals(stderr.length, 0);
    }
    const { stdoutText, stderrText } = await tool.run(["warn", "careful"]);
    assertEquals([stdoutText, stderrText], ["", "careful"]);
  });

  Deno.test(`run() gives exit codes of 32 bits, ${isolation}`, async () => {
    await using tool = await actor({ isolation });
    for (const code of [0, 1, 255, 256, 4_294_967_295]) {
      assertEquals((await tool.run(["exit", `${code}`])).exitCode, code);
    }
  });

  Deno.test(`run() tells the files that were made or changed, ${isolation}`, async () => {
    await using tool = await actor({
      isolation,
      workspace: {},
      files: { "/workspace/old": "old", "/workspace/log": "log " },
    });
    const run = async (args: readonly string[]) => {
      const { exitCode, files } = await tool.run(args, {
        files: { "/workspace/mine": new Uint8Array([1]) },
      });
      assertEquals(exitCode, 0);
      return Object.fromEntries(
        [...files].map((
          [path, data],
        ) => [path, new TextDecoder().decode(data)]),
      );
    };
    assertEquals(await run(["put", "/workspace/new", "text"]), {
      "/workspace/new": "text",
    });
    assertEquals(await run(["append", "/workspace/log"]), {
      "/workspace/log": "log more",
    });
    assertEquals(await run(["put", "/workspace/old", "old"]), {});
    assertEquals(await run(["remove", "/workspace/old"]), {});
    // nothing of it is left for the next run
    assertEquals(await run(["say", ""]), {});
  });

  Deno.test(`run() runs several at a time, ${isolation}`, async () => {
    await using tool = await actor({ isolation, maxConcurrentRuns: 2 });
    const runs = Array.from(
      { length: 6 },
      (_, index) => tool.run(["say", `${index}`]),
    );
    const texts = (await Promise.all(runs)).map((each) => each.stdoutText);
    assertEquals(texts, ["0", "1", "2", "3", "4", "5"]);
    assert(tool.stats().instances <= 2);
  });
}

Deno.test("run() gives variables of the tool, which a run may change", async () => {
  await using tool = await actor({
    env: { LANG: "C" },
    policy: [Capabilities.environment({ pass: ["EXTRA"] })],
  });
  const env = async (name: string, env: Record<string, string> = {}) =>
    (await tool.run(["env", name], { env })).stdoutText.trim();
  assertEquals(await env("LANG"), "C");
  assertEquals(await env("LANG", { LANG: "de" }), "de");
  assertEquals(await env("EXTRA", { EXTRA: "1" }), "1");
  assertEquals(await env("HOME"), "none");
  const error = await assertRejects(
    () => tool.run(["env", "PATH"], { env: { PATH: "/" } }),
    SandboxError,
  );
  assertEquals(error.code, "capability-not-granted");
});

Deno.test("run() reaches the directories that the policy grants, and no other", async () => {
  const host = await Deno.makeTempDir();
  try {
    await using tool = await actor({
      policy: [Capabilities.directory(host, "/out", "read-write")],
    });
    assertEquals(tool.isolation, "process");
    const { exitCode, files } = await tool.run(["put", "/out/a", "text"]);
    assertEquals(exitCode, 0);
    assertEquals(files.size, 0);
    assertEquals(await Deno.readTextFile(`${host}/a`), "text");
    for (const path of ["/out/../b", "/b", `${host}/b`, "b"]) {
      assert((await tool.run(["put", path, "text"])).exitCode !== 0);
    }
    const names = (await Array.fromAsync(Deno.readDir(host))).map(({ name }) =>
      name
    );
    assertEquals(names, ["a"]);
  } finally {
    await Deno.remove(host, { recursive: true });
  }
});

Deno.test("run() refuses what waits in too long a line", async () => {
  await using tool = await actor({
    isolation: "process",
    maxConcurrentRuns: 1,
    maxQueuedRuns: 1,
  });
  const runs = [1, 2, 3].map((each) => tool.run(["say", `${each}`]));
  const error = await assertRejects(() => runs[2] as Promise<unknown>);
  assert(SandboxError.is(error, "overloaded"));
  await Promise.all(runs.slice(0, 2));
});

Deno.test("create() refuses files that no mount takes", async () => {
  await assertRejects(
    () => actor({ files: { "/etc/passwd": "x" }, workspace: {} }),
    TypeError,
    'the file "/etc/passwd" lies in no mount in memory',
  );
  await assertRejects(
    () =>
      actor({
        files: { "/workspace/a": 1 as unknown as string },
        workspace: {},
      }),
    TypeError,
    "neither text nor bytes",
  );
});

Deno.test("create() refuses a module that is no program", async () => {
  const error = await assertRejects(
    () => CliTool.create({ module: "examples/guests/rust/slugify.wasm" }),
    SandboxError,
  );
  assertEquals(error.code, "export-not-found");
});

Deno.test("create() refuses all that is wrong, at once", async () => {
  const error = await assertRejects(
    () =>
      actor(
        {
          argz: [],
          env: { A: 1 },
          maxConcurrentRuns: 0,
        } as unknown as Parameters<typeof actor>[0],
      ),
    TypeError,
  );
  for (const text of ['did you mean "args"?', "env.A", "maxConcurrentRuns"]) {
    assertStringIncludes(error.message, text);
  }
});

Deno.test("openManifest() makes a tool", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(ACTOR, `${folder}/actor.wasm`);
    await Deno.writeTextFile(
      `${folder}/tool.yaml`,
      `version: 1
cli_tool:
  module: actor.wasm
  args: [append, /workspace/log]
  files: { /workspace/log: "some " }
  workspace: { maxBytes: 64KiB }
`,
    );
    await using tool = await openManifest(`${folder}/tool.yaml`) as CliTool;
    const { files } = await tool.run();
    const log = files.get("/workspace/log");
    assertEquals(new TextDecoder().decode(log), "some more");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  denoArgs,
  folders,
  manifest,
  namesIn,
  start,
} from "../cli_tool/_install.ts";
import { run } from "./_run.ts";

Deno.test("tool installs, lists, and uninstalls a command", async () => {
  await using place = await folders("bin");
  const { bin } = place;
  const path = await manifest(place);
  const flags = (await denoArgs()).flatMap((arg) => [`--deno-arg=${arg}`]);
  const installed = await run([
    "tool",
    "install",
    path,
    "--directory",
    bin,
    ...flags,
  ]);
  assertEquals([installed.code, installed.stderr], [0, ""]);
  const lines = `actor: ${bin}/actor\n` +
    `  --allow-read=${bin}/.actor.wasm-sandbox\n`;
  assertEquals(installed.stdout, `installed ${lines}`);
  assertEquals((await start(`${bin}/actor`, ["say", "hi"])).stdout, "hi");
  assertEquals((await run(["tool", "list", "--directory", bin])).stdout, lines);
  const json = await run(["tool", "list", "--directory", bin, "--json"]);
  const [tool] = JSON.parse(json.stdout);
  assertEquals([tool.name, tool.launcher], ["actor", `${bin}/actor`]);
  const again = await run(["tool", "install", path, "--directory", bin]);
  assertEquals([again.code, again.stdout], [2, ""]);
  assertStringIncludes(again.stderr, "it is there already");
  const removed = await run(["tool", "uninstall", "actor", "--directory", bin]);
  assertEquals(removed, {
    code: 0,
    stdout: "removed actor\n",
    stderr: "",
    bytes: removed.bytes,
  });
  assertEquals(await namesIn(bin), []);
});

Deno.test("tool run gives the program its streams and its exit code", async () => {
  await using place = await folders();
  const path = await manifest(place);
  const files = { [path]: await Deno.readTextFile(path) };
  const tool = (...args: string[]) =>
    run(["tool", "run", path, "--", ...args], { files, stdin: "typed" });
  assertEquals((await tool("cat")).stdout, "typed");
  assertEquals((await tool("warn", "careful")).stderr, "careful");
  assertEquals((await tool("exit", "7")).code, 7);
  const trapped = await tool("trap");
  assertEquals(trapped.code, 1);
  assertStringIncludes(trapped.stderr, "error: ");
  const closed = await run(["tool", "run", path, "--", "say", "hi"], {
    files,
    isClosed: true,
  });
  assertEquals(closed.code, 141);
});

Deno.test("tool says what is wrong with how it is used", async () => {
  await using place = await folders();
  const path = await manifest(place);
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["install", path], 'Missing option "--directory"'],
    [["install", path, "--directory", ""], 'Missing option "--directory"'],
    [
      ["install", path, "--directory", `${place.work}/none`],
      "Cannot install into",
    ],
    [
      ["install", path, "--directory", place.bin, "--name", "../x"],
      "Cannot call",
    ],
    [
      ["uninstall", "actor", "--directory", place.bin],
      "it is not installed there",
    ],
    [["list", "--directory", `${place.work}/none`], "Cannot list"],
    [
      ["install", path, "--directory", place.bin, "--", "x"],
      "Too many arguments",
    ],
  ];
  for (const [args, words] of cases) {
    const { code, stdout, stderr } = await run(["tool", ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, words);
  }
  assertEquals(await namesIn(place.bin), []);
});

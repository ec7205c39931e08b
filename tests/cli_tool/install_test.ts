import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  installTool,
  listTools,
  uninstallTool,
} from "../../wrappers/cli_tool.ts";
import {
  denoArgs,
  folders,
  install,
  manifest,
  namesIn,
  start,
} from "./_install.ts";

/** The mode of a file: its permissions alone. */
async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

async function assertFails(work: Promise<unknown>, words: string) {
  const error = await assertRejects(() => work, SandboxError, words);
  assertEquals(error.code, "install-failed");
}

Deno.test("an installed tool is a command like others", async () => {
  await using place = await folders();
  const { bin: directory } = place;
  const path = await manifest(place, ["args: [args]"]);
  const tool = await install({ manifest: path, directory });
  assertEquals(tool.launcher, `${directory}/actor`);
  assertEquals(await modeOf(tool.launcher), 0o755);
  // what an installed command needs of the manifest is copied
  await Deno.remove(path);
  const odd = [
    "",
    "a b",
    "$HOME",
    "`id`",
    "'",
    '"',
    "*",
    "--",
    "--json",
    "ü\n",
  ];
  const { code, stdout } = await start(tool.launcher, odd);
  assertEquals(code, 0);
  assertEquals(stdout.split("\0"), ["actor", "args", ...odd, ""]);
  assertEquals(await listTools(directory), [tool]);
  await uninstallTool(tool);
  assertEquals(await namesIn(directory), []);
  assertEquals(await listTools(directory), []);
});

Deno.test("a command passes on input, output and exit code", async () => {
  await using place = await folders();
  const { launcher } = await install({
    manifest: await manifest(place),
    directory: place.bin,
    name: "another-name_1.0",
  });
  const cat = await start(launcher, ["cat"], { stdin: "some\ttext" });
  assertEquals(cat, { code: 0, stdout: "some\ttext", stderr: "" });
  const warn = await start(launcher, ["warn", "careful"]);
  assertEquals(warn, { code: 0, stdout: "", stderr: "careful" });
  assertEquals((await start(launcher, ["exit", "42"])).code, 42);
  assertEquals((await start(launcher, ["exit", "256"])).code, 255);
});

Deno.test("a command has what its policy grants, and no more of Deno's", async () => {
  await using place = await folders();
  await Deno.mkdir(`${place.work}/data`);
  await Deno.writeTextFile(`${place.work}/data/a.txt`, "read");
  await Deno.writeTextFile(`${place.work}/secret.txt`, "secret");
  const tool = await install({
    manifest: await manifest(place, [
      "isolation: inline",
      "policy:",
      "  - type: filesystem",
      "    mounts: [{ guest: /data, host: ./data, access: read-write }]",
    ]),
    directory: place.bin,
  });
  const data = await Deno.realPath(`${place.work}/data`);
  assertEquals(tool.permissions, [
    `--allow-read=${place.bin}/.actor.wasm-sandbox`,
    `--allow-read=${data}`,
    `--allow-write=${data}`,
  ]);
  // from another folder: the path in the manifest was relative to its own
  const put = await start(tool.launcher, ["put", "/data/b.txt", "mine"], {
    cwd: "/",
  });
  assertEquals(put, { code: 0, stdout: "", stderr: "" });
  assertEquals(await Deno.readTextFile(`${data}/b.txt`), "mine");
  // a manifest that was changed cannot grant what Deno was not granted
  const text = await Deno.readTextFile(tool.manifest);
  await Deno.writeTextFile(tool.manifest, text.replace(data, place.work));
  const more = await start(tool.launcher, ["put", "/data/c.txt", "more"]);
  assert(more.code !== 0);
  assertEquals(
    await namesIn(place.work).then((all) => all.includes("c.txt")),
    false,
  );
});

Deno.test("a command with a directory runs in a process of its own", async () => {
  await using place = await folders();
  await Deno.mkdir(`${place.work}/data`);
  const tool = await install({
    manifest: await manifest(place, [
      "policy:",
      "  - type: filesystem",
      "    mounts: [{ guest: /data, host: ./data, access: read-write }]",
    ]),
    directory: place.bin,
  });
  assertMatch(tool.permissions.at(-1) ?? "", /^--allow-run=/);
  const put = await start(tool.launcher, ["put", "/data/b.txt", "mine"]);
  assertEquals(put, { code: 0, stdout: "", stderr: "" });
  assertEquals(await Deno.readTextFile(`${place.work}/data/b.txt`), "mine");
});

Deno.test("a command whose module was swapped does not start", async () => {
  await using place = await folders();
  const tool = await install({
    manifest: await manifest(place),
    directory: place.bin,
  });
  const module = `${place.bin}/.actor.wasm-sandbox/module.wasm`;
  const bytes = await Deno.readFile(module);
  // one byte in a custom section, which changes nothing else
  await Deno.writeFile(module, Uint8Array.of(...bytes, 0, 2, 1, 120));
  const { code, stdout, stderr } = await start(tool.launcher, ["say", "hi"]);
  assertEquals([code, stdout], [3, ""]);
  assertStringIncludes(stderr, tool.sha256);
  await Deno.writeFile(module, bytes);
  assertEquals((await start(tool.launcher, ["say", "hi"])).stdout, "hi");
});

Deno.test("a command obeys no file of the folder it is started in", async () => {
  await using place = await folders();
  const tool = await install({
    manifest: await manifest(place),
    directory: place.bin,
  });
  const cwd = `${place.work}/hostile`;
  await Deno.mkdir(cwd);
  const evil = `data:text/javascript,console.log("evil")`;
  await Deno.writeTextFile(
    `${cwd}/deno.json`,
    JSON.stringify({ imports: { "@cliffy/command": evil }, lock: true }),
  );
  await Deno.writeTextFile(`${cwd}/package.json`, "{ not json");
  await Deno.writeTextFile(`${cwd}/deno.lock`, "{ not json");
  const said = await start(tool.launcher, ["say", "hi"], { cwd });
  assertEquals(said, { code: 0, stdout: "hi", stderr: "" });
});

Deno.test("nothing is overwritten without force", async () => {
  await using place = await folders();
  const options = { manifest: await manifest(place), directory: place.bin };
  await Deno.writeTextFile(`${place.bin}/actor`, "mine");
  await assertFails(install(options), "it is there already");
  assertEquals(await namesIn(place.bin), ["actor"]);
  assertEquals(await Deno.readTextFile(`${place.bin}/actor`), "mine");
  const tool = await install({ ...options, force: true });
  assertEquals((await start(tool.launcher, ["say", "1"])).stdout, "1");
  // again: what is there is a tool
  await assertFails(install(options), "it is there already");
  await install({ ...options, force: true });
  assertEquals((await start(tool.launcher, ["say", "2"])).stdout, "2");
  assertEquals(await namesIn(place.bin), [".actor.wasm-sandbox", "actor"]);
});

Deno.test("force replaces neither directories nor what is not a tool's", async () => {
  await using place = await folders();
  const { bin: directory, work } = place;
  const options = { manifest: await manifest(place), directory, force: true };
  await Deno.mkdir(`${directory}/actor`);
  await assertFails(install(options), "it is a directory");
  await Deno.remove(`${directory}/actor`);
  await Deno.mkdir(`${directory}/.actor.wasm-sandbox`);
  await Deno.writeTextFile(`${directory}/.actor.wasm-sandbox/diary`, "mine");
  await assertFails(install(options), '"diary"');
  await Deno.remove(`${directory}/.actor.wasm-sandbox`, { recursive: true });
  // a link is replaced, and what it points to stays
  await Deno.mkdir(`${work}/other`);
  await Deno.symlink(`${work}/other`, `${directory}/.actor.wasm-sandbox`);
  await assertFails(install(options), "it is no directory");
  await Deno.remove(`${directory}/.actor.wasm-sandbox`);
  await Deno.writeTextFile(`${work}/file`, "mine");
  await Deno.symlink(`${work}/file`, `${directory}/actor`);
  const tool = await install(options);
  assertEquals(await Deno.readTextFile(`${work}/file`), "mine");
  assertEquals((await start(tool.launcher, ["say", "hi"])).stdout, "hi");
});

Deno.test("an install that fails leaves everything as it was", async (test) => {
  await using place = await folders();
  const small = `${place.work}/small`;
  await Deno.mkdir(small);
  // room for one of them, not for two
  const { size } = await Deno.stat("tests/cli_tool/guests/actor.wasm");
  const kib = Math.ceil(size / 1024 * 1.5) + 16;
  const mount = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", small],
    stderr: "null",
  });
  const mounted = await mount.output().then(
    ({ success }) => success,
    () => false,
  );
  if (!mounted) {
    return void await test.step({ name: "needs mount", ignore: true, fn() {} });
  }
  try {
    const options = { manifest: await manifest(place), directory: small };
    const tool = await install(options);
    const before = await namesIn(small);
    const second = { ...options, name: "second" };
    await assertFails(install(second), "Cannot install");
    assertEquals(await namesIn(small), before);
    await assertFails(install({ ...options, force: true }), "Cannot install");
    assertEquals(await namesIn(small), before);
    assertEquals((await start(tool.launcher, ["say", "hi"])).stdout, "hi");
  } finally {
    await new Deno.Command("umount", { args: [small] }).output();
  }
});

Deno.test("of two installs at a time one wins", async () => {
  await using place = await folders();
  const options = { manifest: await manifest(place), directory: place.bin };
  const outcomes = await Promise.allSettled(
    [1, 2, 3, 4].map(() => install(options)),
  );
  const won = outcomes.filter(({ status }) => status === "fulfilled");
  assertEquals(won.length, 1);
  assertEquals(await namesIn(place.bin), [".actor.wasm-sandbox", "actor"]);
});

Deno.test("names that are none are refused", async () => {
  await using place = await folders();
  const path = await manifest(place);
  const names = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "-x",
    ".x",
    "a b",
    "a\n",
    "con",
    "NUL.txt",
    "x.",
    "x".repeat(65),
  ];
  for (const name of names) {
    const options = { manifest: path, directory: place.bin, name };
    await assertRejects(() => installTool(options), TypeError, "Cannot call");
    await assertRejects(
      () => uninstallTool({ directory: place.bin, name }),
      TypeError,
      "Cannot call",
    );
  }
  assertEquals(await namesIn(place.bin), []);
});

Deno.test("what does not work is not installed", async () => {
  await using place = await folders();
  const { bin: directory, work } = place;
  const refused = async (lines: readonly string[], words: string) => {
    const path = await manifest(place, lines);
    const error = await assertRejects(
      () => installTool({ manifest: path, directory }),
      Error,
      words,
    );
    assertEquals(await namesIn(directory), []);
    return error;
  };
  await refused(["limits: { timeoutMs: soon }"], "timeoutMs");
  await refused([`sha256: "${"0".repeat(64)}"`], "is pinned");
  await refused(["sha256: abc"], "sha256");
  await refused(["runtime: wasmtime"], 'for "v8" alone');
  await refused(["linked: { env: ./x.wasm }"], "linked modules");
  await refused(
    [
      "policy:",
      "  - type: filesystem",
      "    mounts:",
      "      - { guest: /d, host: './a,b' }",
    ],
    "a,b",
  );
  const path = `${work}/other.yaml`;
  await Deno.writeTextFile(
    path,
    "version: 1\nhttp_server: { module: ./a.wasm }\n",
  );
  await assertRejects(
    () => installTool({ manifest: path, directory }),
    TypeError,
    "manifest of http_server",
  );
  await assertFails(
    installTool({ manifest: await manifest(place), directory: `${work}/none` }),
    "Cannot install into",
  );
  const comma = `${work}/a,b`;
  await Deno.mkdir(comma);
  await assertRejects(
    async () =>
      await installTool({ manifest: await manifest(place), directory: comma }),
    TypeError,
    "comma",
  );
  const line = `${work}/a\u0007b`;
  await Deno.mkdir(line);
  await assertRejects(
    async () =>
      await installTool({ manifest: await manifest(place), directory: line }),
    TypeError,
    "cannot be quoted",
  );
  assertEquals(await namesIn(comma), []);
});

Deno.test("uninstallTool removes what an install wrote, and nothing else", async () => {
  await using place = await folders();
  const { bin: directory } = place;
  const options = { manifest: await manifest(place), directory };
  const name = "actor";
  await assertFails(uninstallTool({ directory, name }), "it is not installed");
  await Deno.writeTextFile(`${directory}/${name}`, "mine");
  await assertFails(uninstallTool({ directory, name }), "something else");
  await Deno.remove(`${directory}/${name}`);
  const tool = await install(options);
  await Deno.writeTextFile(tool.launcher, "changed", { append: true });
  await assertFails(uninstallTool(tool), "not as it was installed");
  assertEquals(await namesIn(directory), [".actor.wasm-sandbox", "actor"]);
  const diary = `${directory}/.actor.wasm-sandbox/diary`;
  await Deno.writeTextFile(diary, "mine");
  await assertFails(uninstallTool({ ...tool, force: true }), '"diary"');
  assertEquals(await Deno.readTextFile(diary), "mine");
  await Deno.remove(diary);
  await uninstallTool({ ...tool, force: true });
  assertEquals(await namesIn(directory), []);
});

Deno.test("records that lie are told, and nothing is done", async () => {
  await using place = await folders();
  const { bin: directory } = place;
  const tool = await install({ manifest: await manifest(place), directory });
  const record = `${directory}/.actor.wasm-sandbox/install.json`;
  const good = await Deno.readTextFile(record);
  for (
    const bad of [
      "",
      "null",
      "{}",
      good.replace('"version": 1', '"version": 2'),
    ]
  ) {
    await Deno.writeTextFile(record, bad);
    await assertFails(listTools(directory), "install.json");
    await assertFails(uninstallTool(tool), "install.json");
  }
  await Deno.writeTextFile(record, good);
  // one that was cut off is no tool, and is removed as one
  await Deno.remove(tool.launcher);
  await Deno.remove(record);
  assertEquals(await listTools(directory), []);
  await uninstallTool(tool);
  assertEquals(await namesIn(directory), []);
});

Deno.test("denoArgs and cli reach the command, quoted", async () => {
  await using place = await folders();
  const tool = await installTool({
    manifest: await manifest(place),
    directory: place.bin,
    cli: "jsr:@wasm-sandbox/core@0.1.0/cli",
    denoArgs: [...await denoArgs(), "--cert=it's.pem"],
  });
  const text = await Deno.readTextFile(tool.launcher);
  assertStringIncludes(text, " jsr:@wasm-sandbox/core@0.1.0/cli tool run ");
  assertStringIncludes(text, " '--cert=it'\\''s.pem' ");
  assertStringIncludes(text, " --no-config ");
});

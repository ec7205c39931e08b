import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { backendsText } from "../../cli/backends_text.ts";
import { styleOf } from "../../cli/style.ts";
import { RuntimeFactory } from "../../runtime/mod.ts";
import { WASMTIME_VERSION } from "../../runtime/wasmtime/checksums.ts";
import {
  LIBRARY_VARIABLE,
  libraryInCache,
} from "../../runtime/wasmtime/places.ts";
import { pinnedLibrary, wasmtimeTest } from "../_wasmtime.ts";
import { makeWorld, MEMBER, tarXz } from "../wasmtime/_install.ts";
import { run } from "./_run.ts";

/** Runs something while the environment names another library, or none. */
async function withVariable<T>(
  value: string | undefined,
  action: () => Promise<T>,
): Promise<T> {
  const before = Deno.env.get(LIBRARY_VARIABLE);
  const set = (text: string | undefined) =>
    text === undefined
      ? Deno.env.delete(LIBRARY_VARIABLE)
      : Deno.env.set(LIBRARY_VARIABLE, text);
  set(value);
  try {
    return await action();
  } finally {
    set(before);
  }
}

Deno.test("backends lists every runtime, and what each offers", async () => {
  const { code, stdout, stderr } = await run(["backends"]);
  assertEquals([code, stderr], [0, ""]);
  for (const name of new RuntimeFactory()) {
    assertMatch(stdout, new RegExp(`^${name} +(?:not )?available$`, "m"));
  }
  assertMatch(stdout, /^v8 +available\nversion +\d/m);
  assertMatch(stdout, /^isolations +inline, process$/m);
  assertMatch(stdout, /^limits +fuel, functionBytes, .*memoryBytes/m);
});

Deno.test("backends --json prints objects of fixed keys", async () => {
  const { stdout } = await run(["backends", "--json"]);
  const { backends } = JSON.parse(stdout);
  assertEquals(
    backends.map(({ name }: { name: string }) => name),
    [...new RuntimeFactory()],
  );
  for (const backend of backends) {
    assertEquals(Object.keys(backend).toSorted(), [
      "available",
      "error",
      "features",
      "library",
      "name",
      "version",
    ]);
    assertEquals(backend.error === null, backend.available);
    assertEquals(backend.features === null, !backend.available);
  }
  await using v8 = await new RuntimeFactory().create("v8");
  assertEquals(backends[0].features, JSON.parse(JSON.stringify(v8.features)));
  assertEquals(backends[0].version, Deno.version.v8);
});

Deno.test("backends says how to get an engine that is not there", async () => {
  const gone = "/nowhere/libwasmtime.so";
  const { code, stdout } = await withVariable(
    gone,
    () => run(["backends"], { isTerminal: true, columns: 80 }),
  );
  assertEquals(code, 0);
  assertMatch(stdout, /^wasmtime +not available\nbecause +WASM_SANDBOX/m);
  const words = stdout.replaceAll(/\s+/g, " ");
  assertStringIncludes(words, `"${gone}", which does not exist`);
  assertStringIncludes(
    words,
    "`deno run -A jsr:@wasm-sandbox/core/cli backends install wasmtime`",
  );
  const { stdout: json } = await withVariable(
    gone,
    () => run(["backends", "--json"]),
  );
  const [, wasmtime] = JSON.parse(json).backends;
  assertEquals(wasmtime.available, false);
  assertStringIncludes(wasmtime.error.suggestion, "backends install wasmtime");
});

Deno.test("backends lists what is no library as not available", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "no library");
    const { stdout } = await withVariable(
      path,
      () => run(["backends", "--json"]),
    );
    const [, wasmtime] = JSON.parse(stdout).backends;
    assertEquals(wasmtime.available, false);
    assert(wasmtime.error.reason.length > 10, wasmtime.error.reason);
  } finally {
    await Deno.remove(path);
  }
});

wasmtimeTest("backends tells where a library was found", async (library) => {
  const { stdout } = await withVariable(
    library,
    () => run(["backends", "--json"]),
  );
  const [, wasmtime] = JSON.parse(stdout).backends;
  assertEquals(wasmtime.library, { path: library, foundBy: "environment" });
  assertMatch(wasmtime.version, /^\d+/);
  assert(wasmtime.features.calls);
});

Deno.test("backendsText() keeps to 80 columns, and prints no commands", () => {
  const text = backendsText(
    [{
      name: "wasmtime",
      available: false,
      version: null,
      library: { path: "/a\x1b[2J", foundBy: "system" },
      features: null,
      error: { reason: "so it is ".repeat(30), suggestion: "do ".repeat(60) },
    }],
    styleOf({ isTerminal: () => false, noColor: false }),
    80,
  );
  for (const line of text.split("\n")) assert(line.length <= 80, line);
  assertStringIncludes(text, "library    /a\\u{1b}[2J (where the system has");
  assertEquals(text.match(/so/g)?.length, 30);
});

Deno.test("backends keeps a command that is to be copied on one line", async () => {
  const gone = "/nowhere/libwasmtime.so";
  const { stdout } = await withVariable(
    gone,
    () => run(["backends"], { isTerminal: true, columns: 80 }),
  );
  const lines = stdout.split("\n").map((line) => line.trim());
  for (const entry of ["jsr:@wasm-sandbox/core/cli", "cli.ts"]) {
    const command = `\`deno run -A ${entry} backends install wasmtime\``;
    assert(lines.some((line) => line.includes(command)), stdout);
  }
  for (const line of stdout.split("\n")) assert(line.length <= 80, line);
});

Deno.test("backends install refuses what it cannot do, in one line", async () => {
  const rows: readonly (readonly [string[], RegExp])[] = [
    [["wasmtme"], /no such engine \(did you mean "wasmtime"\?\)/],
    [["spidermonkey"], /no such engine \(wasmtime can be installed\)/],
    [["v8"], /Nothing to install for v8: it is part of Deno/],
    [["wasmer"], /deno cache npm:@wasmer\/sdk/],
    [["constructor"], /no such engine/],
    [["wasmtime@49.0.1"], /no checksum .*\(did you mean 49\.0\.0\?\)/],
    [["wasmtime@"], /no checksum of version "" is known/],
    [
      ["wasmtime", "--from", "npm"],
      /"npm" is not known \(known are auto, archive, pip\)/,
    ],
    [["wasmtime", "--from-url", "x"], /"x" is no URL/],
    [["wasmtime", "--from-url", "file:///x"], /is no URL/],
    [["wasmtime", "--form=pip"], /Unknown option "--form/],
    [
      ["wasmtime", "--from", "pip", "--from-url", "https://host.invalid/"],
      /exclude each other/,
    ],
    [[], /Missing argument/],
    [["wasmtime", "x"], /Too many arguments: x/],
    [["wasmtime", "--", "x"], /Too many arguments: x/],
  ];
  for (const [args, expected] of rows) {
    const { code, stdout, stderr } = await run([
      "backends",
      "install",
      ...args,
    ]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^error: [^\n]+\n(?:hint: [^\n]+\n)?$/);
    assertMatch(stderr, expected);
  }
  const { code, stderr } = await run(["backends", "instal", "wasmtime"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "hint: its command is install");
});

/** Runs `backends install` with a server, and a cache of its own. */
async function install(
  answer: () => Response,
  { flags = [], isTerminal = false }: {
    flags?: readonly string[];
    isTerminal?: boolean;
  } = {},
) {
  await using world = await makeWorld(answer);
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", world.folder);
  try {
    const url = ["--from-url", world.url];
    const args = ["backends", "install", "wasmtime", ...url, ...flags];
    const outcome = await run(args, { isTerminal });
    const again = await run(args, { isTerminal });
    return { ...outcome, again, folder: world.folder };
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
  }
}

Deno.test("backends install tells what a server answers", async () => {
  const answer = () => new Response(null, { status: 503 });
  const { code, stdout, stderr } = await install(answer);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^error: Cannot install wasmtime: .* answers 503 \(/);
  const { stderr: json } = await install(answer, { flags: ["--json"] });
  assertEquals(JSON.parse(json).error.code, "runtime-unavailable");
});

wasmtimeTest("backends install puts a library into the cache", async () => {
  const archive = await tarXz([{
    name: MEMBER,
    content: await pinnedLibrary(),
  }]);
  const { code, stdout, stderr, again, folder } = await withVariable(
    undefined,
    () => install(() => new Response(archive)),
  );
  assertEquals([code, stderr], [0, ""]);
  const path = libraryInCache(`${folder}/wasm-sandbox`, WASMTIME_VERSION);
  const name = `wasmtime ${WASMTIME_VERSION}`;
  assertEquals(stdout, `${name} is installed: ${path}\n`);
  assertEquals(again.stdout, `${name} is there already: ${path}\n`);
});

wasmtimeTest("backends install says if another library is used", async () => {
  const archive = await tarXz([{
    name: MEMBER,
    content: await pinnedLibrary(),
  }]);
  const gone = "/nowhere/libwasmtime.so";
  const { code, stderr, again } = await withVariable(
    gone,
    () => install(() => new Response(archive)),
  );
  const hint = `hint: it is not used: ${LIBRARY_VARIABLE} names "${gone}", ` +
    "which does not exist\n";
  assertEquals([code, stderr], [0, hint]);
  assertEquals([again.code, again.stderr], [0, hint]);
});

Deno.test("backends install shows progress on a terminal only", async () => {
  const answer = () => new Response("no archive");
  const clear = "\r\x1b[K";
  const shown = await install(answer, { isTerminal: true });
  const lines = shown.stderr.split(clear);
  assert(lines.some((line) => line.includes("downloading the archive: 10 B")));
  assertStringIncludes(shown.stderr, `${clear}unpacking the archive`);
  assertStringIncludes(shown.stderr, `${clear}error: `, "the line is emptied");
  const json = { isTerminal: true, flags: ["--json"] };
  assertFalse((await install(answer, json)).stderr.includes(clear));
  assertFalse((await install(answer)).stderr.includes(clear));
});

Deno.test("backends prints its help", async () => {
  for (const words of [["backends"], ["backends", "install"]]) {
    const { code, stdout, stderr } = await run([...words, "--help"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `wasm-sandbox ${words.join(" ")}`);
    assertStringIncludes(stdout, "--json");
    assertStringIncludes(stdout, "wasm-sandbox backends install wasmtime");
  }
  const { stdout } = await run(["--help"]);
  assertMatch(stdout, /^ +backends .*List the engines that run guests/m);
});

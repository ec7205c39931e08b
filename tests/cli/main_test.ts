import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXIT_CODES } from "../../cli/exit_codes.ts";
import { VERSION } from "../../cli/version.ts";
import config from "../../deno.json" with { type: "json" };
import { run, TEXT_STATS } from "./_run.ts";

Deno.test("main() prints the version of the package", async () => {
  assertEquals(VERSION, config.version);
  for (const flag of ["--version", "-V"]) {
    const { code, stdout } = await run([flag]);
    assertEquals([code, stdout], [0, `wasm-sandbox ${VERSION}\n`]);
  }
});

Deno.test("main() prints the help, with the exit codes", async () => {
  for (const args of [[], ["--help"], ["-h"], ["--json"], ["--", "call"]]) {
    const { code, stdout, stderr } = await run(args);
    assertEquals([code, stderr], [0, ""]);
    for (const [code] of EXIT_CODES) {
      assertMatch(stdout, new RegExp(`^ {2}${code} +\\w`, "m"));
    }
    assertMatch(stdout, /^ +call .*Call one exported function\./m);
  }
});

Deno.test("main() prints the help of each command, with an example", async () => {
  const commands = [
    ["call"],
    ["run"],
    ["serve"],
    ["mcp"],
    ["inspect"],
    ["policy"],
    ["policy", "check"],
    ["policy", "explain"],
    ["policy", "schema"],
    ["policy", "import"],
    ["audit"],
    ["audit", "verify"],
    ["audit", "keygen"],
  ];
  for (const words of commands) {
    const command = words.join(" ");
    const takesModule = ["call", "run", "serve", "inspect", "audit"].includes(
      command,
    );
    for (const args of [[...words, "--help"], [...words, "x.wasm", "-h"]]) {
      const { code, stdout, stderr } = await run(args);
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(stdout, `wasm-sandbox ${command} `);
      if (takesModule) assertStringIncludes(stdout, "--allow-feature");
      assertStringIncludes(stdout, "--json");
    }
  }
});

Deno.test("main() takes global flags on both sides of the command", async () => {
  for (
    const args of [
      ["--json", "call", TEXT_STATS, "add", "1", "2"],
      ["call", TEXT_STATS, "add", "1", "2", "--json"],
      ["call", "--json", TEXT_STATS, "add", "1", "2"],
    ]
  ) assertEquals(JSON.parse((await run(args)).stdout).result, 3);
});

Deno.test("main() ends with 2 for wrong usage, in one line", async () => {
  const rows: readonly (readonly [string[], RegExp])[] = [
    [["cal"], /Unknown command "cal" \(did you mean "call"\?\)/],
    [["--nope"], /Unknown option "--nope"/],
    [["call"], /Missing argument/],
    [["call", "x.wasm"], /Missing argument/],
    [["call", "x.wasm", "f", "--timeot", "1s"], /Unknown option "--timeot"/],
    [["run", "--timeot=1s", "x.wasm"], /Unknown option "--timeot/],
    [["run", "--verbos", "x.wasm"], /did you mean "--verbose"/],
    [["run", "x.wasm", "y.wasm"], /Too many arguments: y\.wasm/],
    [["run", "x.wasm", "--memory", "3X"], /"--memory": "3X" is not a size/],
    [["run", "x.wasm", "--memory", "-1"], /"-1" is not a size/],
    [["run", "x.wasm", "--memory", "1TiB"], /write it like .*64MiB/],
    [["run", "x.wasm", "--memory", "5GiB"], /must be from 0 to 4294967296/],
    [["run", "x.wasm", "--timeout", "5"], /write it like 500ms, 2s/],
    [["run", "x.wasm", "--timeout", "0s"], /must be from 1 to/],
    [["run", "x.wasm", "--fuel", "lots"], /"lots" is not a count/],
    [["run", "x.wasm", "--allow-feature", "sims"], /did you mean "simd"/],
    [["run", "x.wasm", "--allow-feature", "?"], /known are bulkMemory,/],
    [["run", "http://"], /"http:\/\/" is no URL/],
  ];
  for (const [args, expected] of rows) {
    const { code, stdout, stderr } = await run(args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^error: [^\n]+\n(?:hint: [^\n]+\n)?$/);
    assertMatch(stderr, expected);
  }
});

Deno.test("main() ends with 3 for what is no module", async () => {
  const folder = await Deno.makeTempDir();
  const write = async (name: string, content: string | Uint8Array) => {
    const path = `${folder}/${name}`;
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    await Deno.writeFile(path, bytes);
    return path;
  };
  try {
    const whole = await Deno.readFile(new URL(TEXT_STATS));
    const rows: readonly (readonly [string, RegExp])[] = [
      [`${folder}/gone.wasm`, /it does not exist/],
      [folder, /it is a directory/],
      [await write("empty.wasm", ""), /it is empty/],
      [await write("text.wat", "(module)"), /text must be assembled first/],
      [await write("cut.wasm", whole.slice(0, 300)), /more than there are/],
      [
        await write(
          "component.wasm",
          Uint8Array.of(0, 97, 115, 109, 13, 0, 1, 0),
        ),
        /it is a component/,
      ],
      ["ftp://host.invalid/a.wasm", /does not exist|No such file/],
    ];
    for (const [file, expected] of rows) {
      for (const command of [["run", file], ["call", file, "f"]]) {
        const { code, stdout, stderr } = await run(command);
        assertEquals([code, stdout], [3, ""], stderr);
        assertMatch(stderr, /^error: [^\n]+\n$/);
        assertMatch(stderr, expected);
      }
    }
    const { code, stdout, stderr } = await run(["inspect", folder]);
    assertEquals([code, stdout], [3, ""]);
    assertStringIncludes(stderr, "it is a directory");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("main() reads a module from a server", async () => {
  const module = await Deno.readFile(new URL(TEXT_STATS));
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) =>
      request.url.endsWith("/m.wasm")
        ? new Response(module)
        : new Response("no", { status: 404 }),
  );
  const at = `http://127.0.0.1:${server.addr.port}`;
  const well = await run(["call", `${at}/m.wasm`, "add", "2", "3"]);
  assertEquals([well.code, well.stdout], [0, "5\n"]);
  const gone = await run(["call", `${at}/gone.wasm`, "add", "2", "3"]);
  assertEquals(gone.code, 3);
  assertStringIncludes(gone.stderr, "status 404");
});

Deno.test("main() ends with 5 for what it does not expect", async () => {
  const { main } = await import("../../cli/main.ts");
  let stderr = "";
  const code = await main(["--version"], {
    stdout: () => Promise.reject(new Error("the disk\nis full")),
    stderr: (text) => {
      stderr += text;
      return Promise.resolve();
    },
    readStdin: () => Promise.resolve(new Uint8Array()),
    readFile: () => Promise.resolve(new Uint8Array()),
    streams: () => ({
      stdin: new ReadableStream(),
      stdout: new WritableStream(),
      stderr: new WritableStream(),
    }),
    onStop: () => ({ [Symbol.dispose]: () => {} }),
    isTerminal: () => false,
    columns: () => undefined,
    readLine: () => Promise.resolve(undefined),
    noColor: true,
  });
  assertEquals([code, stderr], [5, "error: the disk\\u{a}is full\n"]);
});

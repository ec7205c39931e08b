import { assert, assertEquals, assertMatch } from "@std/assert";
import { buildApp } from "../../examples/apps/build.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a message of MCP begins with, which a client would send. */
const HELLO = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
}) + "\n";

/** What each block of commands of docs/apps.md prints, and is given to read. */
const PRINTED: readonly (readonly [
  start: string,
  output: RegExp,
  stdin?: string,
])[] = [
  ["deno task app c http", /^$/],
  ["printf 'name", /^\[\{"n":1,"name":"x"\}\]\n$/],
  ["deno task app js mcp", /^\{"result":\{.*"name":"calc".*\n$/, HELLO],
  ["cd examples/apps", /^42\n\[1, 4\]\n8\n\["ARGUMENT"\]\n$/],
  ["deno run -A examples/apps/quickjs/pack.ts", /^4\n$/],
  [
    "wasm-sandbox mcp",
    /^\{"result":\{.*"name":"code-execution".*\n$/,
    HELLO,
  ],
];

/** The commands of the documentation: those of a block together, but for tasks. */
async function blocks(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("docs/apps.md", ROOT));
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(
    ([, commands = ""]) =>
      commands.includes("deno task")
        ? commands.trimEnd().split("\n")
        : [commands],
  );
}

/** A folder of commands: this Deno, and this command line. */
async function commands(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "wasm-sandbox-docs-" });
  const deno = `"${Deno.execPath()}"`;
  const cli = new URL("cli.ts", ROOT).pathname;
  const texts = {
    deno: `exec ${deno} "$@"`,
    "wasm-sandbox": `exec ${deno} run -A "${cli}" "$@"`,
  };
  for (const [name, text] of Object.entries(texts)) {
    const path = `${folder}/${name}`;
    await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return folder;
}

Deno.test({
  name: "docs/apps.md has commands that do what it says",
  ignore: Deno.build.os === "windows",
  async fn(test) {
    const folder = await commands();
    try {
      const all = await blocks();
      assertEquals(all.length, PRINTED.length);
      for (const [index, block] of all.entries()) {
        const [start, output, stdin = ""] = PRINTED[index] ?? ["?", /$^/];
        assert(block.startsWith(start), block);
        const needsGo = block.includes("app go");
        await test.step({
          name: start,
          ignore: needsGo && await buildApp("go") === undefined,
          fn: async () => {
            assertMatch(await execute(block, folder, stdin), output);
          },
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Runs commands as somebody who reads the documentation would. */
async function execute(
  script: string,
  folder: string,
  stdin: string,
): Promise<string> {
  const isServer = script.includes(" http");
  const child = new Deno.Command("bash", {
    // any port and file: those of the documentation may be in use
    args: [
      "-euc",
      (isServer ? `exec ${script}` : script).replace(/--port \d+/, "--port 0")
        .replaceAll("/tmp", folder),
    ],
    cwd: ROOT,
    env: { PATH: `${folder}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  if (stdin !== "") await writer.write(new TextEncoder().encode(stdin));
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    untilListening(child, isServer),
    isServer ? undefined : writer.close(),
  ]);
  if (isServer) await writer.close().catch(() => {});
  assertEquals((await child.status).code, 0, stderr);
  return stdout;
}

/** Reads what is told; ends what listens as soon as it does. */
async function untilListening(
  child: Deno.ChildProcess,
  isServer: boolean,
): Promise<string> {
  let text = "";
  let isAsked = false;
  for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (!isServer || isAsked || !text.includes("listening on http")) continue;
    isAsked = true;
    child.kill("SIGINT");
  }
  assertEquals(isAsked, isServer, text);
  return text;
}

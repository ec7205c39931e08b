import { assert, assertEquals, assertMatch } from "@std/assert";
import { descendants, isAlive } from "./_processes.ts";
import { run } from "./_run.ts";
import { serving } from "./_serving.ts";

const ROOT = new URL("../../", import.meta.url);
const APPS = new URL("examples/apps/", ROOT);
const MANIFEST = new URL("c/mcp.yaml", APPS).pathname;
const HTTP = new URL("c/http.yaml", APPS).pathname;

async function filesOf(...paths: string[]): Promise<Record<string, string>> {
  return Object.fromEntries(
    await Promise.all(
      paths.map(async (path) => [path, await Deno.readTextFile(path)] as const),
    ),
  );
}

const HELLO = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};
const READY = { jsonrpc: "2.0", method: "notifications/initialized" };
const CALL = {
  jsonrpc: "2.0",
  id: 2,
  method: "tools/call",
  params: {
    name: "markdown_to_text",
    arguments: { markdown: "# A", width: 40 },
  },
};

Deno.test("mcp talks over the standard streams, and of nothing else", async () => {
  const messages = [HELLO, READY, CALL];
  const stdin = messages.map((each) => `${JSON.stringify(each)}\n`).join("");
  const files = await filesOf(MANIFEST);
  const ended = await run(["mcp", MANIFEST], { stdin, files });
  assertEquals([ended.code, ended.stderr], [0, ""]);
  const [hello, answer, ...more] = ended.stdout.trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(hello.result.serverInfo.name, "mdtext");
  assertEquals(answer.id, 2);
  assertEquals(answer.result.content, [{ type: "text", text: "A\n=\n" }]);
  assertEquals(more, []);
});

Deno.test("mcp tells failures of guests on the standard error alone", async () => {
  const text = await Deno.readTextFile(MANIFEST);
  const files = { [MANIFEST]: text.replace("memoryBytes: 32MiB", "fuel: 100") };
  const stdin = [HELLO, READY, CALL].map((each) => `${JSON.stringify(each)}\n`)
    .join("");
  const ended = await run(["mcp", MANIFEST], { stdin, files });
  assertEquals(ended.code, 0);
  const lines = ended.stdout.trim().split("\n");
  assertEquals(JSON.parse(lines[1] ?? "").result.isError, true);
  assertMatch(ended.stderr, /^\S+Z tools\/call markdown_to_text: .*fuel.*\n$/);
});

/** A call of the tool that runs code, in a line. */
function runCode(id: number, code: string): string {
  const params = { name: "run_javascript", arguments: { code } };
  const message = { jsonrpc: "2.0", id, method: "tools/call", params };
  return `${JSON.stringify(message)}\n`;
}

const OPENING = [HELLO, READY].map((each) => `${JSON.stringify(each)}\n`)
  .join("");

const CODE_EXECUTION = "examples/apps/code_execution.yaml";

/** The server that runs code, as a process that an agent has started. */
function spawn(manifest = CODE_EXECUTION) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "cli.ts", "mcp", manifest],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const begun = Promise.withResolvers<void>();
  const stdout = collect(child.stdout, begun.resolve);
  const stderr = collect(child.stderr);
  return {
    pid: child.pid,
    /** Resolves when it has answered something. */
    begun: begun.promise,
    send: (text: string) => writer.write(new TextEncoder().encode(text)),
    close: () => writer.close(),
    kill: (signal: Deno.Signal) => child.kill(signal),
    /** Waits until it has ended. */
    async end() {
      const { code } = await child.status;
      await writer.close().catch(() => {});
      return { code, stdout: await stdout, stderr: await stderr };
    },
  };
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  onText = () => {},
): Promise<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    onText();
  }
  return text;
}

Deno.test("mcp writes protocol and nothing else to its output, whatever a guest says", async () => {
  const server = spawn();
  await server.send(OPENING);
  const codes = [
    'print(JSON.stringify({ jsonrpc: "2.0", id: 7, result: {} }))',
    'console.error("{}\\n[1]"); null.x',
    'for (;;) std.writeError("x")',
    'print("\\u001b[2J\\r\\n\\0")',
    "std.exit(9)",
  ];
  for (const [index, code] of codes.entries()) {
    await server.send(runCode(index + 10, code));
  }
  await server.send("this is no message\n");
  await server.close();
  const { code, stdout, stderr } = await server.end();
  assertEquals(code, 0, stderr);
  assert(stdout.endsWith("\n"));
  const messages = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert(messages.every(({ jsonrpc }) => jsonrpc === "2.0"));
  const ids = messages.map(({ id }) => id)
    .filter((id) => typeof id === "number");
  assertEquals(ids.sort((a, b) => a - b), [1, 10, 11, 12, 13, 14]);
  assertMatch(stderr, /tools\/call run_javascript: .*stderrBytes/);
});

/** A manifest as the one that runs code, with a shorter deadline. */
async function impatient(): Promise<string> {
  const text = await Deno.readTextFile(new URL(CODE_EXECUTION, ROOT));
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  const module = new URL("quickjs/quickjs.wasm", APPS).pathname;
  const own = text.replace("./quickjs/quickjs.wasm", module)
    .replace("timeoutMs: 5s", "timeoutMs: 1500ms");
  await Deno.writeTextFile(path, own);
  return path;
}

Deno.test("mcp ends with its client, and leaves no process", async () => {
  const manifest = await impatient();
  const server = spawn(manifest);
  await server.send(OPENING + runCode(2, "for (;;) {}") + runCode(3, "1"));
  await server.begun;
  await new Promise((resolve) => setTimeout(resolve, 300));
  const family = await descendants(server.pid);
  assert(Deno.build.os !== "linux" || family.length > 0);
  await server.close();
  const { code, stdout } = await server.end();
  const messages = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const answers = messages.map((
    { id, result },
  ) => [id, result.isError ?? false]);
  assertEquals(code, 0);
  assertEquals(answers.sort(), [[1, false], [2, true], [3, false]]);
  assertEquals(family.filter(isAlive), []);
  await Deno.remove(manifest);
});

Deno.test("mcp ends at once when it is told to, and leaves no process", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const server = spawn();
    await server.send(OPENING + runCode(2, "for (;;) {}"));
    await server.begun;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const family = await descendants(server.pid);
    const started = performance.now();
    server.kill(signal);
    assertEquals((await server.end()).code, 0);
    // it does not wait for the call's deadline of five seconds
    assert(performance.now() - started < 3_500);
    assertEquals(family.filter(isAlive), []);
  }
});

Deno.test("mcp listens with --http until it is asked to stop", async () => {
  const files = await filesOf(MANIFEST);
  const args = ["mcp", MANIFEST, "--http", "--port", "0"];
  const server = await serving(args, { files });
  assertMatch(server.url, /^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  const hello = await send(server.url, HELLO, headers);
  const session = hello.headers.get("mcp-session-id");
  assert(session !== null);
  const own = { ...headers, "mcp-session-id": session };
  await send(server.url, READY, own);
  const answer = await send(server.url, CALL, own);
  assertMatch(answer.text, /"text":"A\\n=\\n"/);
  const foreign = await send(server.url, HELLO, {
    ...headers,
    origin: "http://evil.test",
  });
  assertEquals(foreign.status, 403);
  const { code, stdout } = await server.stop();
  assertEquals([code, stdout], [0, ""]);
});

async function send(
  url: string,
  message: unknown,
  headers: Record<string, string>,
) {
  const body = JSON.stringify(message);
  const answer = await fetch(url, { method: "POST", headers, body });
  return {
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  };
}

Deno.test("mcp refuses what it cannot do", async () => {
  using taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const port = String(taken.addr.port);
  const files = {
    ...await filesOf(MANIFEST, HTTP),
    "/bad.yaml": "version: 1\nmcp_server: { name: x }\n",
  };
  const rows: readonly (readonly [string[], number, RegExp])[] = [
    [[MANIFEST, "--port", "1"], 2, /"--port": .* nothing listens/],
    [[MANIFEST, "--http", "--port", port], 5, /the port is in use/],
    [[MANIFEST, "--http", "--cert", "x"], 2, /TLS takes both/],
    [[MANIFEST, "--htp"], 2, /did you mean "--http"/],
    [[MANIFEST, "--", "x"], 2, /Too many arguments/],
    [[HTTP], 2, /manifest of http_server, expected one of mcp_server/],
    [["/bad.yaml"], 2, /version/],
    [["/gone.yaml"], 2, /gone\.yaml/],
    [[], 2, /Missing argument/],
  ];
  for (const [args, code, message] of rows) {
    const ended = await run(["mcp", ...args], { files });
    assertEquals([ended.code, ended.stdout], [code, ""], ended.stderr);
    assertMatch(ended.stderr, message);
  }
});

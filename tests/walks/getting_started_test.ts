import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parsePolicy } from "../../security/policy_file/mod.ts";
import { readSection } from "./_document.ts";
import { processesIn } from "./_processes.ts";
import { Terminal, words } from "./_terminal.ts";

const PAGE = "docs/getting-started.md";
const HEADING = "From nothing to a server";

const CHECKOUT = decodeURIComponent(new URL("../../", import.meta.url).pathname)
  .replace(/^\/(?=[A-Za-z]:)|\/$/g, "");

/** More than any machine needs; a reader is promised no more. */
const PROMISED_SECONDS = 120;

Deno.test("README.md and the guide tell the same way to a server", async () => {
  const { commands, answer } = await readSection(PAGE, HEADING);
  const short = await readSection("README.md", HEADING);
  assertEquals(short.commands, commands.slice(0, short.commands.length));
  assertEquals(short.answer, answer);
});

Deno.test("whoever follows README.md has a server that answers", async () => {
  await using folder = await makeFolder();
  const port = freePort();
  const terminal = new Terminal({
    folder: folder.path,
    words: {
      // nothing else of what the reader types is changed
      "jsr:@wasm-sandbox/core/cli": `'${CHECKOUT}/cli.ts'`,
      "http_server my-server":
        `http_server my-server --link '${CHECKOUT}' --set port=${port}`,
      ":8000": `:${port}`,
    },
  });
  const { commands, answer } = await readSection("README.md", HEADING);
  const [start = "", ask = "", ...rest] = commands.slice(3);
  assertEquals(rest, []);

  const began = performance.now();
  for (const line of commands.slice(0, 3)) await terminal.run(line);
  await using server = new Server(terminal.start(start));
  await server.printed(`http://127.0.0.1:${port}/`);
  assertEquals(await asCurl(terminal.line(ask)), answer);
  const seconds = (performance.now() - began) / 1_000;
  // deno-lint-ignore no-console -- what the promise of the document rests on
  console.log(`a server from nothing: ${seconds.toFixed(1)} s`);
  assert(seconds < PROMISED_SECONDS, `it took ${seconds.toFixed(0)} s`);

  assert((await processesIn(folder.path)).length > 0 || !hasProc());
  await server[Symbol.asyncDispose]();
  assertEquals(await processesIn(folder.path), []);
});

Deno.test("whoever has a checkout generates the same project", async () => {
  await using folder = await makeFolder();
  const { commands } = await readSection(PAGE, HEADING);
  const line = commands.at(-1) ?? "";
  assertStringIncludes(line, "cli.ts generate http_server ../my-server");
  const terminal = new Terminal({
    folder: folder.path,
    words: {
      "cli.ts": `'${CHECKOUT}/cli.ts'`,
      "../my-server": "my-server",
      "--link .": `--link '${CHECKOUT}'`,
    },
  });
  await terminal.run(line);
  const main = await Deno.readTextFile(`${folder.path}/my-server/main.ts`);
  assertStringIncludes(main, "HttpServer.create(");
});

Deno.test("the policy that the guide tightens is one", async () => {
  const { answer } = await readSection(PAGE, "Tighten what it may use");
  const { isolation, limits } = parsePolicy(answer);
  assertEquals(isolation, "process");
  assertEquals(limits.timeoutMs, 100);
});

/** An empty folder that goes when the test does. */
async function makeFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** What `curl --data TEXT URL` gets. */
async function asCurl(line: string): Promise<string> {
  const [program, flag, body, url = ""] = words(line);
  assertEquals([program, flag], ["curl", "--data"]);
  const response = await fetch(url, { method: "POST", body: body ?? "" });
  assert(response.ok, `${line}: ${response.status}`);
  return await response.text();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function hasProc(): boolean {
  return Deno.build.os === "linux";
}

/** The server that a reader has started. */
class Server implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  #text = "";

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#reader = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#errors = new Response(process.stderr).text();
  }

  /** Waits until it has printed something. */
  async printed(what: string): Promise<void> {
    while (!this.#text.includes(what)) {
      const { done, value } = await this.#reader.read();
      assert(!done, `it ended: ${this.#text}${done && await this.#errors}`);
      this.#text += value;
    }
  }

  /** Presses Ctrl-C, and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGINT");
    } catch {
      // it has ended
    }
    await this.#process.status;
    await this.#errors;
    await this.#reader.cancel();
  }
}

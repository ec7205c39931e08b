import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { packScript } from "../../examples/apps/quickjs/pack.ts";
import { descendants, isAlive } from "./_processes.ts";
import { run } from "./_run.ts";
import { serving } from "./_serving.ts";

const ROOT = new URL("../../", import.meta.url);
const MDTEXT = app("c/mdtext.wasm");
const MANIFEST = app("c/http.yaml");
const CERTS = new URL("../http/certs/", import.meta.url).pathname;

function app(path: string): string {
  return new URL(`examples/apps/${path}`, ROOT).pathname;
}

/** A CGI program that takes its time. */
const BUSY = "const t = Date.now(); while (Date.now() - t < 700);" +
  'print("Content-Type: text/plain\\n\\ndone")';

async function post(url: string, body: string): Promise<string> {
  return await (await fetch(url, { method: "POST", body })).text();
}

/** A folder with a module of a script, and with other files. */
async function withFolder(
  use: (folder: string, pack: (script: string) => Promise<string>) => Promise<
    void
  >,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "wasm-sandbox-serve-" });
  try {
    let count = 0;
    await use(folder, async (script) => {
      const path = `${folder}/${count++}.wasm`;
      await Deno.writeFile(path, await packScript(script));
      return path;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("serve answers requests until it is asked to stop", async () => {
  const server = await serving(["serve", MDTEXT, "--port", "0"]);
  assertMatch(server.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assertEquals(await post(server.url, "# A\n*b*\n"), "A\n=\nb\n");
  const refused = await fetch(`${server.url}x?secret=1`);
  assertEquals(refused.status, 405);
  await refused.body?.cancel();
  const { code, stdout, stderr } = await server.stop();
  assertEquals([code, stdout], [0, ""]);
  const [, first = "", second = "", ...more] = stderr.trim().split("\n");
  assertMatch(first, /^\d{4}-\S+Z 127\.0\.0\.1 200 [\d.]+ms 8>6 POST \/$/);
  assertMatch(second, / 405 .* GET \/x$/);
  assertEquals(more, []);
  const gone = await fetch(server.url).catch((error) => error);
  assert(gone instanceof TypeError);
});

Deno.test("serve takes a manifest, and limits above its own", async () => {
  await withFolder(async (folder, pack) => {
    const module = await pack("for (;;) {}");
    const manifest = `${folder}/app.json`;
    const limits = { timeoutMs: 60_000 };
    const text = JSON.stringify({
      version: 1,
      http_server: { module, limits },
    });
    const files = { [manifest]: text };
    const args = ["serve", manifest, "--port", "0", "--timeout", "300ms"];
    const server = await serving(args, { files });
    const answer = await fetch(server.url);
    assertEquals(answer.status, 504);
    await answer.body?.cancel();
    assertEquals((await server.stop()).code, 0);
  });
});

Deno.test("serve prints JSON with --json, and nothing of requests with --quiet", async () => {
  const child = spawn(["serve", MANIFEST, "--port", "0", "--json", "--quiet"]);
  const { url, hostname, port } = JSON.parse(await child.firstLine());
  assertEquals([url, hostname], [`http://127.0.0.1:${port}/`, "127.0.0.1"]);
  assertEquals(await post(url, "x"), "x\n");
  const { code, stderr } = await child.stop("SIGTERM");
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("serve answers what it has accepted when a signal comes", async () => {
  await withFolder(async (_folder, pack) => {
    const module = await pack(BUSY);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const child = spawn([
        "serve",
        module,
        "--port",
        "0",
        "--json",
        "--isolation",
        "process",
      ]);
      const { url } = JSON.parse(await child.firstLine());
      const answers = Array.from({ length: 3 }, async () => {
        const answer = await fetch(url);
        return `${answer.status} ${await answer.text()}`;
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      const ended = child.stop(signal);
      const all = await Promise.all(answers);
      assertEquals(all, Array(3).fill("200 done\n"));
      const { code, stderr } = await ended;
      // nothing else, such as a warning of Deno's
      const lines = stderr.trim().split("\n").map((line) => JSON.parse(line));
      const statuses = lines.map(({ status }) => status);
      assertEquals([code, statuses], [0, [200, 200, 200]], stderr);
    }
  });
});

Deno.test("serve takes the rest of a body when a signal comes", async () => {
  const child = spawn(["serve", MANIFEST, "--port", "0", "--json"]);
  const { port } = JSON.parse(await child.firstLine());
  using client = await Deno.connect({ port, hostname: "127.0.0.1" });
  const send = (text: string) => client.write(new TextEncoder().encode(text));
  await send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n# A");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const ended = child.stop("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 300));
  await send("\nb");
  const buffer = new Uint8Array(4_096);
  const read = await client.read(buffer);
  const answer = new TextDecoder().decode(buffer.subarray(0, read ?? 0));
  assertMatch(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nA\n=\nb\n$/);
  const { code, stderr } = await ended;
  assertEquals([code, JSON.parse(stderr).status], [0, 200]);
});

/** A CGI program that does what the query says. */
const HOSTILE = `const query = std.getenv("QUERY_STRING");
const all = [];
if (query === "loop") for (;;);
if (query === "bomb") for (;;) all.push(new Uint8Array(1e6));
if (query === "crash") JSON.parse("[".repeat(1e5));
if (query === "throw") null.x;
if (query === "flood") for (;;) print("x".repeat(1e5));
print("Content-Type: text/plain\\n\\nfine");`;

Deno.test("serve loses one request to a hostile app, and no other", async () => {
  await withFolder(async (_folder, pack) => {
    const module = await pack(HOSTILE);
    const child = spawn([
      ...["serve", module, "--port", "0", "--json", "--quiet"],
      ...["--timeout", "1s", "--memory", "32MiB"],
    ]);
    const { url } = JSON.parse(await child.firstLine());
    const ask = async (query: string) => {
      const answer = await fetch(`${url}?${query}`);
      return `${answer.status} ${await answer.text()}`;
    };
    const rows = [
      ["loop", "504"],
      ["bomb", "502"],
      ["crash", "500"],
      ["throw", "502"],
      ["flood", "502"],
    ] as const;
    for (const [query, status] of rows) {
      const [bad, ...good] = await Promise.all([
        ask(query),
        ask("a"),
        ask("b"),
      ]);
      assertMatch(bad, new RegExp(`^${status} \\{"type"`), query);
      assertEquals(good, ["200 fine\n", "200 fine\n"], query);
    }
    assertEquals(await child.stop("SIGTERM"), { code: 0, stderr: "" });
  });
});

Deno.test("serve ends at once when a second signal comes, with all it started", async () => {
  await withFolder(async (_folder, pack) => {
    const module = await pack("for (;;) {}");
    const child = spawn([
      ...["serve", module, "--port", "0", "--json", "--quiet"],
      ...["--timeout", "60s", "--isolation", "process"],
    ]);
    const { url } = JSON.parse(await child.firstLine());
    const answer = fetch(url).then(
      async (response) => `${response.status} ${await response.text()}`,
      () => "cut off",
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const family = await descendants(child.pid);
    child.send("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 400));
    const ended = await child.stop("SIGTERM");
    assertEquals(ended, { code: 5, stderr: "" });
    assertMatch(await answer, /^50[0-3] |^cut off$/);
    assert(Deno.build.os !== "linux" || family.length > 0);
    assertEquals(family.filter(isAlive), []);
  });
});

Deno.test("serve goes on when nobody reads what it says", async () => {
  const child = spawn(["serve", MDTEXT, "--port", "0", "--json"]);
  const { url } = JSON.parse(await child.firstLine());
  await child.closeOutputs();
  for (const text of ["a", "b", "c"]) {
    assertEquals(await post(url, text), `${text}\n`);
  }
  assertEquals((await child.stop("SIGINT")).code, 0);
});

Deno.test("serve listens at an address of IPv6", async (test) => {
  if (!hasLoopback6()) {
    await test.step({ name: "skipped: no IPv6", ignore: true, fn() {} });
    return;
  }
  const server = await serving([
    ...["serve", MDTEXT, "--port", "0", "--host", "::1"],
  ]);
  assertMatch(server.url, /^http:\/\/\[::1\]:\d+\/$/);
  assertEquals(await post(server.url, "x"), "x\n");
  assertEquals((await server.stop()).code, 0);
});

function hasLoopback6(): boolean {
  return Deno.networkInterfaces().some(({ address }) => address === "::1");
}

Deno.test("serve takes the echo of a signal for none of its own", async () => {
  await withFolder(async (_folder, pack) => {
    const module = await pack(BUSY);
    const args = ["--port", "0", "--json", "--isolation", "process"];
    const child = spawn(["serve", module, ...args]);
    const { url } = JSON.parse(await child.firstLine());
    const answer = fetch(url).then((response) => response.text());
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.send("SIGTERM");
    child.send("SIGINT");
    const ended = child.stop("SIGTERM");
    assertEquals(await answer, "done\n");
    assertEquals((await ended).code, 0);
  });
});

Deno.test("serve waits for nobody when it is asked twice", async () => {
  await withFolder(async (_folder, pack) => {
    const module = await pack("for (;;) {}");
    const args = ["serve", module, "--port", "0", "--timeout", "60s"];
    const server = await serving([...args, "--isolation", "process"]);
    const answer = fetch(server.url).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => "cut off",
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    server.ask();
    const { code } = await server.stop();
    assertEquals(code, 5);
    assert([500, 502, 503, "cut off"].includes(await answer));
  });
});

Deno.test("serve speaks TLS", async () => {
  const args = ["--cert", `${CERTS}server.pem`, "--key", `${CERTS}server.key`];
  const files: Record<string, string> = {};
  for (const path of [args[1] ?? "", args[3] ?? ""]) {
    files[path] = await Deno.readTextFile(path);
  }
  const server = await serving(["serve", MDTEXT, "--port", "0", ...args], {
    files,
  });
  const { port, protocol } = new URL(server.url);
  assertEquals(protocol, "https:");
  const caCerts = [await Deno.readTextFile(`${CERTS}ca.pem`)];
  using client = Deno.createHttpClient({ caCerts });
  const answer = await fetch(`https://127.0.0.1:${port}/`, {
    method: "POST",
    body: "x",
    client,
  });
  assertEquals(await answer.text(), "x\n");
  assertEquals((await server.stop()).code, 0);
});

Deno.test("serve says that a port is in use, and ends with 5", async () => {
  using taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const port = String(taken.addr.port);
  const { code, stderr } = await run(["serve", MDTEXT, "--port", port]);
  assertEquals(code, 5);
  assertStringIncludes(stderr, `127.0.0.1:${port}: the port is in use`);
});

Deno.test("serve refuses what it cannot do before it listens", async () => {
  const manifest = { [MANIFEST]: await Deno.readTextFile(MANIFEST) };
  const files = {
    ...manifest,
    "/plugin.yaml": "version: 1\nplugin: {}\n",
    "/wrong.yaml": "version: 1\nhttp_server: { module: x.wasm, prot: 1 }\n",
    "/lies.yaml": "version: 1\nhttp_server: { module: ./gone.wasm }\n",
  };
  const rows: readonly (readonly [string[], number, RegExp])[] = [
    [["--port", "70000"], 2, /"70000" is no port/],
    [["--port", "http"], 2, /"http" is no port/],
    [["--form", "cgi"], 2, /"cgi" is not known \(known are handler, command\)/],
    [["--max-concurrent", "0"], 2, /"0" is no count/],
    [["--cert", "x"], 2, /TLS takes both/],
    [["--cert", "x", "--key", "y"], 2, /the certificate "x": it does not/],
    [["--handler", "nope", "--form", "handler"], 2, /nope/],
    [["--prot", "1"], 2, /did you mean "--port"/],
    [["--", "x"], 2, /Too many arguments/],
  ];
  for (const [args, code, message] of rows) {
    const ended = await run(["serve", MDTEXT, ...args]);
    assertEquals([ended.code, ended.stdout], [code, ""], ended.stderr);
    assertMatch(ended.stderr, message);
  }
  const manifests: readonly (readonly [string[], number, RegExp])[] = [
    [["/gone.yaml"], 2, /gone\.yaml/],
    [["/plugin.yaml"], 2, /plugin/],
    [["/wrong.yaml"], 2, /did you mean "port"|prot is not known/],
    [["/lies.yaml"], 3, /gone\.wasm/],
    [[MANIFEST, "--env", "A=1"], 2, /"--env": .* says by itself/],
    [[MANIFEST, "--dir", "/a::/tmp"], 2, /"--dir": .* says by itself/],
    [["gone.wasm"], 3, /gone\.wasm/],
  ];
  for (const [args, code, message] of manifests) {
    const ended = await run(["serve", ...args], { files });
    assertEquals([ended.code, ended.stdout], [code, ""], ended.stderr);
    assertMatch(ended.stderr, message);
  }
});

/** The command line as a process of its own. */
function spawn(args: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "cli.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const noise = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  const stderr = textOf(noise);
  return {
    pid: child.pid,
    async closeOutputs(): Promise<void> {
      await Promise.all([lines.cancel(), noise.cancel()]);
    },
    async firstLine(): Promise<string> {
      let text = "";
      while (!text.includes("\n")) {
        const { value, done } = await lines.read();
        if (done) throw new Error(`it ended: ${await stderr}`);
        text += value;
      }
      return text;
    },
    send: (signal: Deno.Signal) => child.kill(signal),
    async stop(signal: Deno.Signal) {
      child.kill(signal);
      const { code } = await child.status;
      await lines.cancel();
      // what Deno itself says of its downloads is not the command's
      const own = (await stderr).replace(/^Download .*\n/gm, "");
      return { code, stderr: own };
    },
  };
}

async function textOf(
  reader: ReadableStreamDefaultReader<string>,
): Promise<string> {
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += value;
  }
}

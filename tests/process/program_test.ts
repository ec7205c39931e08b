import { assert, assertEquals } from "@std/assert";
import { bundle, PROGRAM } from "../../runtime/process/build.ts";
import { text } from "./_process.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("child_program.js is what its sources give", async () => {
  let built: string;
  try {
    built = await bundle();
  } catch (error) {
    if (Deno.env.has("CI")) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    // deno-lint-ignore no-console -- a skipped test is to be seen
    console.warn(`not checked: there is no bundler here (${reason})`);
    return;
  }
  const committed = await Deno.readTextFile(PROGRAM);
  assert(
    built === committed,
    "child_program.js is stale: run `deno task child` and commit it",
  );
});

Deno.test("a process can be started by a package from a URL", async () => {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async (request) => {
    const path = new URL(request.url).pathname.slice(1);
    if (path.includes("..")) return new Response(null, { status: 404 });
    try {
      const body = await Deno.readFile(new URL(path, ROOT));
      const type = path.endsWith(".ts") ? "typescript" : "javascript";
      return new Response(body, {
        headers: { "content-type": `application/${type}` },
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
  const cache = await Deno.makeTempDir();
  try {
    const { hostname, port } = server.addr;
    const address = `${hostname}:${port}`;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-config",
        "--no-lock",
        `--allow-import=${address}`,
        `--allow-run=${Deno.execPath()}`,
        `http://${address}/tests/process/host.ts`,
      ],
      env: { DENO_DIR: cache, NO_COLOR: "1" },
    }).output();
    const line = text(stdout).trim();
    assert(line !== "", text(stderr));
    assertEquals(JSON.parse(line).result, 5);
  } finally {
    await server.shutdown();
    await Deno.remove(cache, { recursive: true });
  }
});

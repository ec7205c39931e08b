import {
  assert,
  assertEquals,
  assertFalse,
  assertLess,
  assertRejects,
} from "@std/assert";
import { type Configuration, importMap } from "./import_map.ts";
import { answers, JSR_VARIABLE } from "./jsr.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a child gets: no answer from JSR, and no time spent on asking. */
const NO_JSR = { [JSR_VARIABLE]: "no", JSR_URL: "http://127.0.0.1:0/" };

async function configuration(): Promise<Configuration> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
}

function serve(handler: Deno.ServeHandler): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    handler,
  );
}

function addressOf({ addr }: { addr: Deno.Addr }): string {
  return `http://127.0.0.1:${(addr as Deno.NetAddr).port}/`;
}

Deno.test("answers() tells JSR from a portal", async () => {
  await using jsr = serve(() =>
    Response.json({ scope: "std", name: "assert" })
  );
  assert(await answers(addressOf(jsr)));
  await using portal = serve(() => new Response("<h1>Please log in</h1>"));
  assertFalse(await answers(addressOf(portal)));
});

Deno.test("answers() gives up on silence", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const start = performance.now();
  assertFalse(await answers(addressOf(listener)));
  assertLess(performance.now() - start, 10_000);
});

Deno.test("importMap() covers every import of the package", async () => {
  const { imports } = await (await fetch(await importMap())).json();
  const config = await configuration();
  for (const [name, target] of Object.entries(config.imports)) {
    if (target.startsWith("npm:")) assertEquals(imports[name], target);
    else assert(imports[name].startsWith("file:"));
  }
});

Deno.test("importMap() refuses a JSR package without a stand-in", async () => {
  const folder = await Deno.makeTempDir();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const config = new URL(`file://${folder}/deno.json`);
  await Deno.writeTextFile(
    config,
    JSON.stringify({ imports: { "@std/log": "jsr:@std/log@1" } }),
  );
  await assertRejects(() => importMap(config), TypeError, '"@std/log"');
});

async function run(args: string[]): Promise<[number, string]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    env: NO_JSR,
    stderr: "null",
  }).output();
  return [code, new TextDecoder().decode(stdout)];
}

Deno.test("task.ts passes on arguments, output and exit code", async () => {
  const folder = await Deno.makeTempDir();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const script = `${folder}/script.ts`;
  await Deno.writeTextFile(
    script,
    `import { assertEquals } from "@std/assert";
    assertEquals(1, 1);
    console.log(JSON.stringify(Deno.args));
    Deno.exit(7);`,
  );
  const task = new URL("task.ts", import.meta.url).href;
  const args = ["--json", "two words", "$HOME"];
  assertEquals(
    await run(["run", "-A", task, "run", "-A", script, ...args]),
    [7, `${JSON.stringify(args)}\n`],
  );
});

/** A checkout whose command line is one small file. */
async function checkout(
  main: string,
): Promise<AsyncDisposable & { cli: string }> {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/tests/npm_only`, { recursive: true });
  await Deno.mkdir(`${folder}/cli`);
  await Deno.copyFile(new URL("cli.ts", ROOT), `${folder}/cli.ts`);
  // not the whole: a local `links` setting would miss its folders
  const { imports } = await configuration();
  const config = JSON.stringify({ imports, lock: false });
  await Deno.writeTextFile(`${folder}/deno.json`, config);
  for await (const { name } of Deno.readDir(new URL("./", import.meta.url))) {
    await Deno.copyFile(
      new URL(name, import.meta.url),
      `${folder}/tests/npm_only/${name}`,
    );
  }
  await Deno.writeTextFile(`${folder}/cli/main.ts`, main);
  return {
    cli: `${folder}/cli.ts`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("cli.ts starts itself again with the stand-ins", async () => {
  await using copy = await checkout(`
    import { Command } from "@cliffy/command";
    export async function main(args) {
      await new Command().name(args[0]).noExit()
        .action(function () { console.log(this.getName()); }).parse([]);
      return 7;
    }`);
  assertEquals(await run(["run", "-A", copy.cli, "a b"]), [7, "a b\n"]);
});

Deno.test("cli.ts shows an error that has another cause", async () => {
  await using copy = await checkout(`import "./missing.ts";`);
  assertEquals(await run(["run", "-A", copy.cli]), [1, ""]);
});

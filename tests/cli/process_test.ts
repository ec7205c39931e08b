import { assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Starts the command line as a process of its own. */
async function spawn(args: readonly string[], stdin = "") {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "cli.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await ReadableStream.from([new TextEncoder().encode(stdin)])
    .pipeTo(child.stdin);
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("cli.ts calls a guest, from a path, as a process", async () => {
  const guest = "examples/guests/c/text_stats.wasm";
  const well = await spawn(["call", guest, "add", "2", "3"]);
  assertEquals([well.code, well.stdout], [0, "5\n"]);
  const ill = await spawn(["call", guest, "ad", "2", "3"]);
  assertEquals([ill.code, ill.stdout], [2, ""]);
  assertStringIncludes(ill.stderr, 'did you mean "add"?');
  const piped = await spawn(
    ["call", guest, "reverse", "--bytes", "-", "--message", "3"],
    "abc",
  );
  assertEquals([piped.code, piped.stdout], [0, "cba"]);
  const file = await spawn(
    ["call", guest, "reverse", "--bytes", "--input-file", "deno.json"],
  );
  assertEquals([file.code, file.stdout.trim()[0]], [0, "}"]);
  const completions = await spawn(["completions", "bash"]);
  assertEquals(completions.code, 0);
  assertStringIncludes(completions.stdout, "wasm-sandbox");
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ProgressLine } from "../../cli/progress.ts";
import { run } from "./_run.ts";

const TERMINAL = { isTerminal: true, columns: 40 } as const;

Deno.test("errors are broken between words on a terminal, and whole in a pipe", async () => {
  const args = ["inspect", "gone.wasm", "--memory", "much"];
  const piped = await run(args);
  assertEquals(piped.stderr.trimEnd().split("\n").length, 1);
  const { stderr } = await run(args, { ...TERMINAL, color: true });
  // deno-lint-ignore no-control-regex -- what colours are made of
  const plain = stderr.replace(/\x1b\[\d+m/g, "");
  const lines = plain.trimEnd().split("\n");
  assert(lines.length > 1 && lines.every(({ length }) => length <= 40), plain);
  assertEquals(lines.join(" "), piped.stderr.trimEnd());
  assert(stderr.startsWith("\x1b[31merror:\x1b[39m "));
});

Deno.test("wrong usage is told in the same words everywhere", async () => {
  for (
    const [args, text] of [
      [["cal"], 'error: Unknown command "cal" (did you mean "call"?)\n'],
      [
        ["frobnicate"],
        'error: Unknown command "frobnicate"\nhint: --help lists the commands\n',
      ],
      [
        ["inspect"],
        "error: Missing argument: file\n" +
        "hint: inspect --help tells what it takes\n",
      ],
      [
        ["generate", "--lst"],
        'error: Unknown option "--lst" (did you mean "--list"?)\n',
      ],
    ] as const
  ) {
    const { code, stdout, stderr } = await run(args);
    assertEquals([code, stdout, stderr], [2, "", text]);
    const { stderr: data } = await run([...args, "--json"]);
    const [first = ""] = text.split("\n");
    assertEquals(`error: ${JSON.parse(data).error.message}`, first);
  }
});

Deno.test("ProgressLine shows nothing where a line cannot be cleared", async () => {
  let text = "";
  const host = {
    stdout: () => Promise.resolve(),
    stderr: (more: string) => {
      text += more;
      return Promise.resolve();
    },
    isTerminal: () => true,
    columns: () => 80,
    noColor: true,
  } as unknown as ConstructorParameters<typeof ProgressLine>[0];
  const seen = new ProgressLine(host, { isShown: true });
  seen.show({ text: "working" });
  await seen.clear();
  assertStringIncludes(text, "working");
  text = "";
  const dumb = new ProgressLine({ ...host, isDumb: true }, { isShown: true });
  dumb.show({ text: "working" });
  await dumb.clear();
  assertEquals(text, "");
});

/** Runs the command line at a terminal of its own. */
async function atTerminal(
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const cli = await Deno.realPath("cli/main.ts");
  const map = (await import("../npm_only/import_map.ts")).importMap;
  const code = `const { main } = await import("file://${cli}");` +
    `Deno.exitCode = await main(["generate", "--list"]);`;
  const args = ["eval", "--quiet", "--import-map", await map(), code];
  const quoted = [Deno.execPath(), ...args]
    .map((each) => `'${each.replaceAll("'", "'\\''")}'`).join(" ");
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", quoted, "/dev/null"],
    env,
    stdin: "null",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "colours are for terminals that have them, and for who wants them",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const looks = [
      [{ TERM: "xterm", NO_COLOR: "" }, true],
      [{ TERM: "dumb", NO_COLOR: "" }, false],
      [{ TERM: "xterm", NO_COLOR: "1" }, false],
    ] as const;
    for (const [env, isColoured] of looks) {
      const text = await atTerminal(env);
      // it does not know how wide it is, and no table is squeezed into that
      assertStringIncludes(
        text,
        "  A web server whose requests a guest answers",
      );
      assertEquals(text.includes("\x1b["), isColoured, JSON.stringify(env));
    }
  },
});

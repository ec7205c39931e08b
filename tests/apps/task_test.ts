import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Language, LANGUAGES } from "../../examples/apps/build.ts";
import { manifestOf } from "./_apps.ts";

const ROOT = new URL("../../", import.meta.url);

/** What each program makes of a text. */
const WORK: Readonly<
  Record<Language, {
    readonly input: string;
    readonly args: readonly string[];
    readonly path: string;
    readonly output: string;
    /** Input, more arguments, and then: exit code, and text of its output. */
    readonly tool: readonly (readonly [
      input: string | undefined,
      args: readonly string[],
      code: number,
      text: string,
    ])[];
  }>
> = {
  c: {
    input: "# A\n*b* c",
    args: ["--width", "40"],
    path: "/?width=40",
    output: "A\n=\nb c\n",
    tool: [
      [undefined, [], 0, "A\n=\nb c\n"],
      [undefined, ["--nope"], 2, "usage: mdtext"],
    ],
  },
  go: {
    input: "a;b\n1;x\n",
    args: ["-numbers", "-delimiter", ";"],
    path: "/?numbers&delimiter=%3B",
    output: '[{"a":1,"b":"x"}]\n',
    tool: [
      [undefined, [], 0, '[{"a":1,"b":"x"}]\n'],
      ["a\n1;2\n", [], 1, "csvjson: record on line 2: wrong number"],
      [undefined, ["-nope"], 2, "Usage of"],
    ],
  },
  js: {
    input: "2 * 3",
    args: [],
    path: "/",
    output: '{"expression":"2 * 3","result":6}\n',
    tool: [
      [undefined, [], 0, "6\n"],
      ["", ["2 * (3 + x)", "x=4"], 0, "14\n"],
      ["2 +", [], 1, "calc: the expression ends early"],
      ["", ["1", "y"], 1, 'calc: "y" is not NAME=NUMBER'],
    ],
  },
};

function task(...args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", "app", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

for (const language of LANGUAGES) {
  const { input, path, output } = WORK[language];

  Deno.test(`deno task app ${language} http serves until SIGINT`, async (test) => {
    if (await manifestOf(test, language, "http") === undefined) return;
    const child = task(language, "http", "--port", "0", "--json").spawn();
    await child.stdin.close();
    const [said, noise] = [child.stdout, child.stderr].map((stream) =>
      stream.pipeThrough(new TextDecoderStream())
    );
    const stderr = Array.fromAsync(noise ?? []);
    const lines = said?.getReader();
    const { value = "" } = await lines?.read() ?? {};
    const { url } = JSON.parse(value);
    const answer = await fetch(new URL(path, url), {
      method: "POST",
      body: input,
    });
    assertEquals(await answer.text(), output);
    child.kill("SIGINT");
    await lines?.cancel();
    assertEquals((await child.status).code, 0, (await stderr).join(""));
  });
}

for (const language of LANGUAGES) {
  const { input, args, tool } = WORK[language];

  Deno.test(`deno task app ${language} tool is a command`, async (test) => {
    if (await manifestOf(test, language, "tool") === undefined) return;
    for (const [given, more, code, text] of tool) {
      const child = task(language, "tool", ...args, ...more).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(given ?? input));
      await writer.close();
      const ended = await child.output();
      const [stdout, stderr] = [ended.stdout, ended.stderr].map((bytes) =>
        new TextDecoder().decode(bytes)
      );
      assertEquals(ended.code, code, stderr);
      if (code === 0) assertEquals(stdout, text);
      else assertStringIncludes(stderr ?? "", text);
    }
  });
}

Deno.test("deno task app says what there is", async () => {
  for (const args of [[], ["c"], ["c", "cgi"], ["rust", "http"]]) {
    const child = task(...args).spawn();
    await child.stdin.close();
    const { code, stdout, stderr } = await child.output();
    assertEquals([code, stdout.length], [2, 0]);
    assertStringIncludes(new TextDecoder().decode(stderr), "usage: deno task");
  }
});

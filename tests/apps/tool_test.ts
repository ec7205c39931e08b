import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Language } from "../../examples/apps/build.ts";
import { CliTool } from "../../wrappers/cli_tool.ts";
import { openManifest } from "../../wrappers/manifest/mod.ts";
import { manifestOf } from "./_apps.ts";

/** Arguments and input, and then: exit code, output, text on the standard error. */
type Row = readonly [
  args: readonly string[],
  stdin: string,
  code: number,
  stdout: string,
  stderr: string,
];

const ROWS: Readonly<Record<Language, readonly Row[]>> = {
  c: [
    [["--width", "12"], "# Ü\n*b* and words", 0, "Ü\n=\nb and words\n", ""],
    [[], "", 0, "", ""],
    [["--width", "x"], "a", 2, "", "usage: mdtext"],
  ],
  go: [
    [["-numbers"], "a,b\n1,x\n", 0, '[{"a":1,"b":"x"}]\n', ""],
    [[], "a\n1\n", 0, '[{"a":"1"}]\n', ""],
    [["-delimiter", ""], "", 2, "", "Usage of csvjson"],
    [[], 'a\n"', 1, "", "csvjson: "],
  ],
  js: [
    [["2 * (3 + x)", "x=4"], "", 0, "14\n", ""],
    [[], "max(1, 2) ^ 3", 0, "8\n", ""],
    [["1/0"], "", 1, "", "calc: the result is Infinity"],
  ],
};

for (const [language, rows] of Object.entries(ROWS)) {
  Deno.test(`the ${language} program is a command, by its manifest`, async (test) => {
    const manifest = await manifestOf(test, language as Language, "tool");
    if (manifest === undefined) return;
    await using tool = await openManifest(manifest);
    assert(tool instanceof CliTool);
    // all at a time, as commands are
    await Promise.all(rows.map(async ([args, stdin, code, stdout, stderr]) => {
      const ended = await tool.run(args, { stdin });
      const { exitCode, stdoutText, stderrText } = ended;
      assertStringIncludes(stderrText, stderr);
      assertEquals([exitCode, stdoutText], [code, stdout], stderrText);
      assertEquals(ended.files.size, 0);
    }));
  });
}

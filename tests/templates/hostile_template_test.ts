import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { HandlebarsTemplate, writeProject } from "../../templates/mod.ts";
import { inFolder, tree } from "./_folders.ts";

const LIST = { type: "array", items: { type: "string" } } as const;

function template(files: Record<string, unknown>): HandlebarsTemplate {
  return new HandlebarsTemplate({
    name: "probe",
    description: "A probe.",
    schema: {
      type: "object",
      properties: {
        name: { type: "string", default: "x" },
        list: { ...LIST, default: [..."abcdefghij"] },
        constructor: { type: "string" as const, default: "own" },
      },
      additionalProperties: false,
    },
    files: files as Record<string, string>,
  });
}

async function failure(
  files: Record<string, unknown>,
  text: string,
): Promise<void> {
  const error = await assertRejects(
    () => template(files).render({}),
    SandboxError,
    text,
  );
  assertEquals(error.code, "template-failed");
}

Deno.test("render() refuses what is no text, a parsed template too", async () => {
  const parsed = {
    type: "Program",
    body: [{
      type: "MustacheStatement",
      path: { type: "PathExpression", original: "literal", parts: ["literal"] },
      params: [{ type: "NumberLiteral", value: "globalThis.evil = 1" }],
    }],
  };
  for (const source of [parsed, undefined, null, 1, new Uint8Array(3)]) {
    await failure({ "a.ts": source }, '"a.ts": it is no text');
  }
  assertEquals("evil" in globalThis, false);
});

Deno.test("render() stops lists within lists, and what they would make", async () => {
  const nested = (depth: number, text: string): string =>
    depth === 0
      ? text
      : `{{#each @root.list}}${nested(depth - 1, text)}{{/each}}`;
  await failure({ "a.md": nested(12, "x\n") }, "go round over 100000 times");
  await failure({ "a.md": nested(12, "") }, "go round over 100000 times");
  const long = "x".repeat(100_000);
  await failure({ "a.md": nested(3, long) }, "over 4194304 characters");
  await failure({ "a.md": "x".repeat(5_000_000) }, "over 4194304 characters");
  const files = await template({ "a.md": nested(3, "x\n") }).render({});
  assertEquals(files.get("a.md"), "x\n".repeat(1_000));
});

Deno.test("render() refuses partials, and whatever would call itself", async () => {
  for (
    const source of [
      "{{> me}}",
      "{{#> me}}{{/me}}",
      '{{#*inline "me"}}{{> me}}{{/inline}}{{> me}}',
      "{{> @partial-block}}",
      "{{* decorated}}",
    ]
  ) await failure({ "a.md": source }, '"a.md"');
  const nested = (depth: number): Record<string, string> => ({
    "a.md": "{{#if name}}".repeat(depth) + "{{/if}}".repeat(depth),
  });
  await failure(nested(100), "nests so deep");
  const helpers = "(camel ".repeat(100) + "name" + ")".repeat(100);
  await failure({ "a.md": `{{literal ${helpers}}}` }, "nests so deep");
  // to parse these would take minutes
  await failure(nested(20_000), "over 2000 holes");
  await failure({ "a.md": `{{literal ${"(camel ".repeat(2e4)}` }, "too long");
});

Deno.test("render() refuses named values, which no helper takes", async () => {
  for (
    const source of [
      "x({{literal name x=(log name)}});\n",
      "x({{literal (camel name x=1)}});\n",
      "{{#if name x=(log name)}}x();\n{{/if}}",
    ]
  ) await failure({ "a.ts": source }, '"a.ts"');
});

Deno.test("render() takes a property's default, whatever objects inherit", async () => {
  const source = "x({{literal constructor}});\n";
  const files = await template({ "a.ts": source }).render({});
  assertEquals(files.get("a.ts"), 'x("own");\n');
});

Deno.test("render() puts no text where it does not know how", async () => {
  for (
    const [path, source] of [
      ["a.html", '<a title="{{prose name}}">\n'],
      ["Dockerfile", "RUN {{prose name}}\n"],
      ["Makefile", "all:\n\t{{prose name}}\n"],
      ["a.unknown", "{{literal name}}\n"],
    ] as const
  ) await failure({ [path]: source }, "language that is not known");
  const files = await template({
    "Dockerfile": "ENV NAME={{identifier name}}\n",
    "a.txt": "{{prose name}}, {{literal name}}\n",
  }).render({ name: "fine" });
  assertEquals([...files.values()], ["ENV NAME=fine\n", 'fine, "fine"\n']);
});

Deno.test("render() writes characters of any plane as YAML and TOML read them", async () => {
  const name = "\u{e0041}\u2028\u0000<é";
  const files = await template({
    "a.yaml": "a: {{literal name}}\n",
    "a.toml": "a = {{literal name}}\n",
  }).render({ name });
  const { parse } = await import("@std/yaml");
  assertEquals(parse(files.get("a.yaml") ?? ""), { a: name });
  // a pair of halves is no character in TOML
  assertEquals(
    files.get("a.toml"),
    'a = "\\U000e0041\\u2028\\u0000<é"\n',
  );
});

Deno.test("render() refuses files that are one, or lie below one another", async () => {
  await failure({ "a.ts": "x();\n", "A.ts": "x();\n" }, "the same for some");
  await failure({ "src/a.md": "x\n", "SRC/A.md": "x\n" }, "the same for some");
  await failure({ "a": "x\n", "a/b.md": "x\n" }, "below the file");
  await failure({ "a/b.md": "x\n", "A": "x\n" }, "would lie below it");
  for (const path of [".git/config", ".GIT/hooks/pre-commit", "a/.git"]) {
    await failure({ [path]: "x\n" }, "nothing in .git");
  }
  const files = await template({
    ".gitignore": "x\n",
    ".github/a.yml": "a: 1\n",
  })
    .render({});
  assertEquals(files.size, 2);
});

Deno.test("writeProject() refuses what another renderer gives", () =>
  inFolder(async (folder) => {
    for (
      const files of [
        [["a.md", 1]],
        [["a.md", null]],
        [["a.md", new Uint8Array(1)]],
        [["a.md", "half \ud800"]],
        [["a.md", "x"], ["A.md", "x"]],
        [["a", "x"], ["a/b", "x"]],
        [[".git/config", "x"]],
        [["con.txt", "x"]],
        [["a\0b", "x"]],
        [["a".repeat(201), "x"]],
      ]
    ) {
      const all = new Map(files as [string, string][]);
      for (const target of [folder, `${folder}/new`, `${folder}/n/e/w`]) {
        const error = await assertRejects(
          () => writeProject(all, target, { force: true }),
          SandboxError,
        );
        assert(SandboxError.is(error, "project-unwritable"));
        assertEquals(await tree(folder), {});
      }
    }
  }));

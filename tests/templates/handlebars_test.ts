import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  HandlebarsTemplate,
  type HandlebarsTemplateOptions,
  TemplateFactory,
} from "../../templates/mod.ts";
import { ODD_TEXTS } from "./_odd.ts";

function template(
  files: Record<string, string>,
  options: Partial<HandlebarsTemplateOptions> = {},
): HandlebarsTemplate {
  return new HandlebarsTemplate({
    name: "probe",
    description: "A probe.",
    schema: {
      type: "object",
      properties: {
        name: { type: "string" },
        list: { type: "array", items: { type: "string" }, default: ["a"] },
        count: { type: "number", default: 1 },
        isOn: { type: "boolean", default: false },
      },
      required: ["name"],
      additionalProperties: false,
    },
    files,
    ...options,
  });
}

async function failure(
  files: Record<string, string>,
  name = "x",
): Promise<string> {
  const error = await assertRejects(() => template(files).render({ name }));
  assert(SandboxError.is(error, "template-failed"), String(error));
  return error.message;
}

Deno.test("render() writes each text as a literal of TypeScript", async () => {
  const probe = template({
    "a.ts": "// {{prose name}}\n/* {{prose name}} */\n" +
      "export const name = {{literal name}}, all = {{literal list}};\n",
  });
  for (const name of ODD_TEXTS) {
    const files = await probe.render({ name, list: [name, "b"] });
    const url = `data:application/typescript,${
      encodeURIComponent(files.get("a.ts") ?? "")
    }`;
    assertEquals({ ...await import(url) }, { name, all: [name, "b"] });
  }
});

Deno.test("render() writes each text as a literal of JSON and YAML", async () => {
  const probe = template({
    "a.json": '{ "name": {{literal name}}, "list": {{literal list}} }\n',
    "a.yaml":
      "# {{prose name}}\nname: {{literal name}}\nlist: {{literal list}}\n",
  });
  const { parse } = await import("@std/yaml");
  for (const name of ODD_TEXTS) {
    const files = await probe.render({ name, list: [name] });
    const expected = { name, list: [name] };
    assertEquals(JSON.parse(files.get("a.json") ?? ""), expected);
    assertEquals(parse(files.get("a.yaml") ?? ""), expected);
  }
});

Deno.test("render() gives pages as many lines, whatever the values are", async () => {
  const probe = template({ "a.md": "# {{prose name}}\n\n{{literal name}}\n" });
  for (const name of ODD_TEXTS) {
    const text = (await probe.render({ name })).get("a.md") ?? "";
    assertEquals(text.split("\n").length, 4);
    assert(!/[<>\[\]]/.test(text.split("\n")[0] ?? ""), text);
  }
});

Deno.test("render() writes code in pages as formatters do", async () => {
  const probe = template({ "a.md": "{{literal name}}\n" });
  for (
    const [name, text] of [
      ["./a b.wasm", "`./a b.wasm`"],
      ["", "`  `"],
      [" a", "`  a `"],
      ["`a", "`` `a ``"],
      ["a``b", "```a``b```"],
    ] as const
  ) {
    assertEquals((await probe.render({ name })).get("a.md"), `${text}\n`);
  }
});

Deno.test("render() takes conditions and lists", async () => {
  const probe = template({
    "a.ts": "{{#each list}}\nf({{literal this}});\n{{/each}}" +
      '{{#if (eq name "x")}}g({{literal count}});\n{{else}}h();\n{{/if}}',
    "b.ts": "{{#if isOn}}g();{{/if}}\n",
  });
  const files = await probe.render({
    name: "x",
    list: ["1", "2"],
    count: -1.5,
  });
  assertEquals(Object.fromEntries(files), {
    "a.ts": 'f("1");\nf("2");\ng(-1.5);\n',
  });
  assertEquals((await probe.render({ name: "y", isOn: true })).size, 2);
});

Deno.test("render() refuses values that cannot be what they are to be", async () => {
  const probe = template({
    "{{identifier name}}.ts": "const {{identifier name}} = 1;\n",
  });
  assertEquals([...(await probe.render({ name: "fine_1" })).keys()], [
    "fine_1.ts",
  ]);
  const wrong = [
    "",
    "1a",
    "a b",
    "a-b",
    "class",
    "fn",
    "func",
    "__proto__",
    "_",
    "../x",
    "日本",
    "a".repeat(65),
    "x;y",
    "ª",
  ];
  for (const name of wrong) {
    await assertRejects(() => probe.render({ name }), TypeError, "probe");
  }
});

Deno.test("render() refuses a wrong config, all of it at once", async () => {
  const error = await assertRejects(
    () => template({}).render({ nam: 1, list: "x", count: "1" }),
    TypeError,
  );
  for (const text of ["Cannot render probe:", "nam", "list", "count", "name"]) {
    assertStringIncludes(error.message, text);
  }
});

Deno.test("render() refuses holes without a helper", async () => {
  for (
    const hole of [
      "{{name}}",
      "{{{name}}}",
      "{{&name}}",
      "{{{literal name}}}",
      "{{> name}}",
      "{{lookup this name}}",
      "{{log name}}",
      "{{literal (lookup this name)}}",
      "{{#name}}{{/name}}",
      "{{#list}}x{{/list}}",
      "{{literal}}",
      "{{#*inline name}}{{/inline}}",
      "{{helperMissing name}}",
      "{{unknown name}}",
    ]
  ) {
    assertStringIncludes(await failure({ "a.ts": `x(${hole});\n` }), "a.ts");
  }
});

Deno.test("render() refuses a text that is no template, or no code", async () => {
  assertStringIncludes(await failure({ "a.ts": "{{#if name}}" }), "a.ts");
  assertStringIncludes(
    await failure({ "a.ts": "let = {{literal name}};" }),
    "cannot be read",
  );
  assertStringIncludes(await failure({ "a.json": "{" }), "cannot be read");
});

Deno.test("render() refuses a template that lets values become code", async () => {
  // each of them would be well-formed for a harmless value
  const evil: readonly (readonly [string, string, string])[] = [
    ["a.ts", "x('{{identifier name}}' + {{prose name}});\n", "1); evil("],
    ["a.ts", "x(`${ {{prose name}} }`);\n", "a + b"],
    ["a.c", "int x = {{prose name}};\n", "1; evil()"],
    ["a.yaml", "x: {{prose name}}\n", "a: b"],
  ];
  for (const [path, source, name] of evil) {
    const error = await assertRejects(() =>
      template({ [path]: source }).render({ name })
    );
    assert(
      SandboxError.is(error, "template-failed") || error instanceof TypeError,
    );
  }
});

Deno.test("render() refuses paths that lie elsewhere", async () => {
  for (
    const path of [
      "../a.ts",
      "/a.ts",
      "a/../b.ts",
      "a\\b.ts",
      "a//b.ts",
      "con.ts",
      "a/nul",
      "a.",
      "a b.ts",
      "C:a.ts",
      ".",
      "a/..",
    ]
  ) {
    await failure({ [path]: "x();\n" });
  }
});

Deno.test("render() inserts nothing that is inherited", async () => {
  const files = await template({
    "a.ts": "x({{#if isOn}}{{literal constructor}}{{/if}});\n",
  }).render({ name: "x" });
  assertEquals(files.get("a.ts"), "x();\n");
  await failure({ "a.ts": "x({{literal constructor}});\n" });
  await failure({ "a.ts": "x({{literal name.length.constructor}});\n" });
});

Deno.test("TemplateFactory() renders what is registered, and suggests", async () => {
  const templates = new TemplateFactory().register(
    "probe",
    () => template({ "a.ts": "x({{literal name}});\n" }),
  );
  const files = await templates.render("probe", { name: "x" });
  assertEquals(files.get("a.ts"), 'x("x");\n');
  await assertRejects(
    () => templates.render("prob", {}),
    SandboxError,
    'did you mean "probe"?',
  );
});

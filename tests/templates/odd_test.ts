import { assert, assertEquals } from "@std/assert";
import { languageOf } from "../../templates/languages.ts";
import {
  type RenderedFiles,
  type TemplateConfig,
  TemplateFactory,
} from "../../templates/mod.ts";
import { ODD_TEXTS } from "./_odd.ts";

const TEMPLATES = new TemplateFactory();

/** A template, a config of it, and which of its texts may be any. */
interface Probe {
  readonly template: string;
  readonly config?: TemplateConfig;
  readonly texts: readonly string[];
}

const APPLICATIONS = [
  "cli_tool",
  "generic",
  "http_server",
  "mcp_server",
  "plugin",
];
const POINTS = ["capability", "channel", "runtime", "template", "wrapper"];
const LANGUAGES = ["assemblyscript", "c", "go", "javascript", "rust", "zig"];

const PROBES: readonly Probe[] = [
  ...APPLICATIONS.flatMap((template): Probe[] => [
    { template, texts: ["name"] },
    { template, config: { module: "plain" }, texts: ["name", "module"] },
  ]),
  ...POINTS.flatMap((template): Probe[] => [
    { template, config: { name: "mine" }, texts: ["description"] },
    {
      template,
      config: { name: "mine", into: true },
      texts: ["description"],
    },
  ]),
  ...LANGUAGES.map((language): Probe => ({
    template: "guest",
    config: { language },
    texts: ["name", "greeting"],
  })),
];

/** What stays the same whatever the values are: the paths, and each shape. */
async function shapesOf(
  files: RenderedFiles,
): Promise<Readonly<Record<string, string>>> {
  const shapes: Record<string, string> = {};
  for (const [path, text] of files) {
    shapes[path] = await languageOf(path)?.shape(text) ?? text;
  }
  return shapes;
}

/** What strings hold in the scripts of a project that Deno runs. */
async function stringsOf(files: RenderedFiles): Promise<ReadonlySet<string>> {
  const { parse } = await import("@babel/parser");
  const strings = new Set<string>();
  for (const [path, text] of files) {
    if (!path.endsWith(".ts") || path.startsWith("assembly/")) continue;
    const { tokens } = parse(text, {
      sourceType: "module",
      plugins: ["typescript"],
      tokens: true,
    });
    for (const { type, value } of tokens ?? []) {
      if (type.label === "string") strings.add(String(value));
    }
  }
  return strings;
}

/** Renders, or tells nothing if the config is refused with a reason. */
async function rendered(
  template: string,
  config: TemplateConfig,
): Promise<RenderedFiles | undefined> {
  try {
    return await TEMPLATES.render(template, config);
  } catch (error) {
    assert(error instanceof TypeError, String(error));
    assert(error.message.startsWith(`Cannot render ${template}: `));
    return undefined;
  }
}

/** Values that come to light as they are; the others are in comments alone. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  name: ["cli_tool", "http_server", "mcp_server"],
  module: APPLICATIONS,
  description: ["capability", "wrapper"],
  greeting: ["guest"],
};

Deno.test("all templates are looked at", () => {
  const names = new Set(PROBES.map(({ template }) => template));
  assertEquals([...names].toSorted(), [...TEMPLATES].toSorted());
});

for (const { template, config = {}, texts } of PROBES) {
  const title = `${template} ${JSON.stringify(config)}`;
  Deno.test(`${title} has its shape, whatever its texts are`, async () => {
    const plain = Object.fromEntries(texts.map((text) => [text, "plain"]));
    const base = { ...config, ...plain };
    const first = await TEMPLATES.render(template, base);
    const expected = await shapesOf(first);
    for (const text of texts) {
      let taken = 0;
      for (const odd of ODD_TEXTS) {
        const files = await rendered(template, { ...base, [text]: odd });
        if (files === undefined) continue;
        taken++;
        assertEquals(await shapesOf(files), expected, JSON.stringify(odd));
        if (!SHOWN[text]?.includes(template)) continue;
        const strings = await stringsOf(files);
        assert(strings.has(odd), `${JSON.stringify(odd)} is not there`);
      }
      // what is empty, or what no title of MCP may hold, may be refused
      assert(taken >= ODD_TEXTS.length - 12, `${text}: only ${taken}`);
    }
  });
}

Deno.test("names in code are names, or refused", async () => {
  const probes = [
    ...POINTS.map((template) => ({
      template,
      of: (name: string) => ({ name }),
    })),
    { template: "generic", of: (entryPoint: string) => ({ entryPoint }) },
    { template: "mcp_server", of: (tool: string) => ({ tools: [tool] }) },
    { template: "guest", of: (language: string) => ({ language }) },
  ];
  for (const { template, of } of probes) {
    const expected = Object.keys(
      await shapesOf(await TEMPLATES.render(template, {})),
    );
    for (const odd of ODD_TEXTS) {
      const files = await rendered(template, of(odd));
      if (files === undefined) continue;
      assert(/^[A-Za-z]\w*$/.test(odd), odd);
      assertEquals(files.size, expected.length);
      await shapesOf(files);
    }
  }
});

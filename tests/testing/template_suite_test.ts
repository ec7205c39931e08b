import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  HandlebarsTemplate,
  type RenderedFiles,
  type TemplateConfig,
  type TemplateRenderer,
} from "../../templates/mod.ts";
import { testTemplate } from "../../testing/mod.ts";

/** A template that conforms. */
const GOOD = new HandlebarsTemplate({
  name: "probe",
  description: "A probe.",
  schema: {
    type: "object",
    properties: {
      name: {
        description: "A name.",
        type: "string",
        pattern: "^[a-z]\\w*$",
      },
      message: { description: "Any text.", type: "string", default: "hello" },
      tags: {
        description: "Any texts.",
        type: "array",
        items: { type: "string" },
        default: [],
      },
      count: { description: "How many.", type: "integer", default: 1 },
    },
    required: ["name"],
    additionalProperties: false,
  },
  files: {
    "{{identifier name}}.ts": "/* {{prose message}} */\n" +
      "export const it = [{{literal message}}, {{literal count}}, " +
      "{{literal tags}}];\n",
  },
  next: () => ["deno test"],
});

const CONFIG = { name: "mine", message: "hello", tags: ["a"], count: 1 };

/** The template, with other parts. */
function broken(parts: Partial<TemplateRenderer>): TemplateRenderer {
  return {
    name: GOOD.name,
    description: GOOD.description,
    schema: GOOD.schema,
    render: (config) => GOOD.render(config),
    next: (config) => GOOD.next(config),
    ...parts,
  };
}

/** The template, with what it renders changed. */
function rendering(
  change: (files: Map<string, string>, config: TemplateConfig) => void,
): TemplateRenderer {
  return broken({
    async render(config): Promise<RenderedFiles> {
      const files = new Map(await GOOD.render(config));
      change(files, config);
      return files;
    },
  });
}

/** Names of the tests that a template fails. */
async function failures(
  template: TemplateRenderer,
  typeCheck = false,
): Promise<string[]> {
  const failed: string[] = [];
  const tests: [string, () => Promise<void>][] = [];
  testTemplate("It", template, {
    configs: [CONFIG],
    typeCheck,
    test: (name, run) => void tests.push([name.slice("It ".length), run]),
  });
  for (const [name, run] of tests) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

Deno.test("testTemplate() passes a template that conforms", async () => {
  assertEquals(await failures(GOOD), []);
});

Deno.test("testTemplate() refuses to test nothing", () => {
  const run = () => testTemplate("It", GOOD, { configs: [] });
  assertThrows(run, TypeError, "config");
});

Deno.test("testTemplate() type-checks when it is asked to", async () => {
  const wrong = rendering((files) =>
    files.set("wrong.ts", "export const it: number = 'text';\n")
  );
  assertEquals(await failures(wrong), []);
  const title = "render() gives code that type-checks";
  assertEquals(await failures(wrong, true), [title]);
});

/** The text that a template inserts as it is. */
const MAIN = "main.ts";
let turn = 0;

/** Templates that are broken, by the test that has to tell. */
const BROKEN: Readonly<Record<string, readonly TemplateRenderer[]>> = {
  "says what it is and takes": [
    broken({ name: "My Probe" }),
    broken({ description: "a probe" }),
    broken({ schema: { type: "object", properties: {} } }),
    broken({
      schema: { ...GOOD.schema, properties: { x: { type: "string" } } },
    }),
  ],
  "render() gives files that can be written": [
    broken({ render: () => Promise.resolve(new Map()) }),
    rendering((files) => files.set("../evil.ts", "export {};\n")),
    rendering((files) => files.set("/etc/evil", "evil\n")),
    rendering((files) => files.set("MINE.ts", "export {};\n")),
    rendering((files) => files.set("con.md", "page\n")),
    rendering((files) => files.set(MAIN, "export {};")),
    rendering((files) => files.set(MAIN, "export {}; \n")),
    rendering((files) => files.set(MAIN, "export {\n")),
    rendering((files) => files.set("a.json", "{,}\n")),
    broken({ render: () => Promise.reject(new RangeError("mine")) }),
  ],
  "render() gives the same twice": [
    rendering((files) => files.set("a.md", `${turn++}\n`)),
    rendering((_, config) => {
      Object.assign(config, { message: "changed" });
    }),
  ],
  "render() keeps odd texts within literals": [
    rendering((files, { message }) =>
      files.set(MAIN, `export const it = "${message}";\n`)
    ),
    rendering((files, { message }) =>
      files.set(MAIN, `export const it = 1; // ${message}\n`)
    ),
    rendering((files, { tags }) =>
      files.set(MAIN, `export const it = \`${tags}\`;\n`)
    ),
    rendering((files, { message }) => files.set(`${message}.md`, "page\n")),
  ],
  "render() keeps odd texts out of paths and names": [
    broken({
      render: ({ name }) =>
        Promise.resolve(new Map([[`${name}.md`, "page\n"]])),
    }),
    broken({
      render: ({ name }) =>
        Promise.resolve(new Map([[MAIN, `export const ${name} = 1;\n`]])),
    }),
  ],
  "render() refuses values of other types": [
    broken({
      async render(config) {
        const { count } = config;
        const files = await GOOD.render({ ...config, count: 1 });
        return new Map([...files, [MAIN, `export const it = ${count};\n`]]);
      },
    }),
    broken({ render: () => GOOD.render(CONFIG) }),
  ],
  "render() takes nothing inherited or unknown": [
    broken({
      render: ({ name, message, tags, count }) =>
        GOOD.render({ name, message, tags, count }),
    }),
    broken({
      render: (config) => GOOD.render({ ...CONFIG, ...config }),
    }),
  ],
  "next() gives steps that can be printed": [
    broken({ next: ({ message }) => [`deno run ${message}`] }),
    broken({ next: () => [""] }),
  ],
};

for (const [title, templates] of Object.entries(BROKEN)) {
  Deno.test(`testTemplate() tells by: ${title}`, async () => {
    for (const [index, template] of templates.entries()) {
      const failed = await failures(template);
      assert(failed.includes(title), `${index}: ${failed}`);
    }
  });
}

Deno.test("testTemplate() has a broken template for each of its tests", () => {
  const titles: string[] = [];
  testTemplate("It", GOOD, {
    test: (name) => void titles.push(name.slice("It ".length)),
  });
  assertEquals(titles.toSorted(), Object.keys(BROKEN).toSorted());
});

import { assert, assertEquals } from "@std/assert";
import type { JsonSchema } from "../../security/json_schema.ts";
import { manifestSchema, parseManifest } from "../../wrappers/manifest/mod.ts";
import {
  manifestReference,
  REFERENCE_START,
} from "../../wrappers/manifest/reference.ts";
import { WrapperFactory } from "../../wrappers/mod.ts";

function docs(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../docs/${name}`, import.meta.url));
}

Deno.test("docs/manifest.schema.json is what manifestSchema() gives", async () => {
  // tests/wrappers/update_docs.ts writes both anew
  assertEquals(
    await docs("manifest.schema.json"),
    `${JSON.stringify(await manifestSchema(new WrapperFactory()), null, 2)}\n`,
  );
});

Deno.test("docs/wrappers.md ends in what manifestReference() gives", async () => {
  const text = await docs("wrappers.md");
  assertEquals(
    text.slice(text.indexOf(REFERENCE_START)),
    await manifestReference(new WrapperFactory()),
  );
});

Deno.test("docs/wrappers.md shows a manifest that can be used", async () => {
  const [, example = ""] =
    /```yaml\n(.*?)```/s.exec(await docs("wrappers.md")) ??
      [];
  const { type, options } = await parseManifest(example, {
    baseDirectory: "/srv",
    read: () => Promise.resolve(new TextEncoder().encode("version: 1\n")),
  });
  assertEquals(type, "custom");
  assertEquals(options.timeoutMs, 100);
});

Deno.test("manifestSchema() describes every built-in kind, and nothing of code", async () => {
  const schema = await manifestSchema(new WrapperFactory());
  const visit = (each: JsonSchema, path: string): void => {
    assertEquals(each.format, undefined, path);
    for (const [name, part] of Object.entries(each.properties ?? {})) {
      visit(part, `${path}.${name}`);
    }
    for (const part of each.oneOf ?? []) visit(part, path);
    if (each.items !== undefined) visit(each.items, `${path}[]`);
    if (each.additionalProperties) {
      visit(each.additionalProperties, `${path}.*`);
    }
  };
  visit(schema, "");
  for (const name of new WrapperFactory()) {
    const section = schema.properties?.[name];
    assert(section?.description, name);
    assertEquals(section.type, "object", name);
    assertEquals(section.additionalProperties, false, name);
  }
});

Deno.test("WrapperFactory() has kinds whose name is that of their section", async () => {
  const wrappers = new WrapperFactory();
  for (const name of wrappers) {
    const { type, schema } = await wrappers.create(name);
    assertEquals(type, name);
    // what is left out of a manifest is what is left out in code
    for (
      const [option, { default: value, ...rest }] of Object.entries(
        schema.properties ?? {},
      )
    ) {
      assert(value === undefined || Object.keys(rest).length > 0, option);
    }
  }
});

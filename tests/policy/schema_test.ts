import { assert, assertEquals, assertThrows } from "@std/assert";
import { LIMIT_TABLE } from "../../security/limit_table.ts";
import {
  DEFAULT_LIMITS,
  LIMIT_NAMES,
  resolveLimits,
} from "../../security/limits.ts";
import { parsePolicy, policySchema } from "../../security/policy_file/mod.ts";
import {
  policyReference,
  REFERENCE_START,
} from "../../security/policy_file/reference.ts";
import type { JsonSchema } from "../../security/json_schema.ts";

function docs(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../docs/${name}`, import.meta.url));
}

Deno.test("docs/policy.schema.json is what policySchema() gives", async () => {
  // tests/policy/update_docs.ts writes both anew
  assertEquals(
    await docs("policy.schema.json"),
    `${JSON.stringify(policySchema(), null, 2)}\n`,
  );
});

Deno.test("docs/policy.md ends in what policyReference() gives", async () => {
  const text = await docs("policy.md");
  assertEquals(text.slice(text.indexOf(REFERENCE_START)), policyReference());
});

Deno.test("docs/policy.md shows a policy that can be used", async () => {
  const [, example = ""] = /```yaml\n(.*?)```/s.exec(await docs("policy.md")) ??
    [];
  const { policy } = parsePolicy(example, { baseDirectory: "/srv" });
  assertEquals(policy.capabilities.length, 3);
});

Deno.test("policySchema() names every limit with its bounds and default", () => {
  const { properties = {} } = policySchema().properties?.limits ?? {};
  assertEquals(Object.keys(properties), [...LIMIT_NAMES]);
  for (const name of LIMIT_NAMES) {
    const { min, max } = LIMIT_TABLE[name];
    assertEquals(resolveLimits({ [name]: min })[name], min);
    assertEquals(resolveLimits({ [name]: max })[name], max);
    assertThrows(() => resolveLimits({ [name]: min - 1 }), RangeError);
    const [plain, text] = properties[name]?.oneOf ?? [];
    assertEquals([plain?.minimum, plain?.maximum], [min, max]);
    const standard = properties[name]?.default;
    assertEquals(standard === undefined, DEFAULT_LIMITS[name] === undefined);
    if (typeof standard === "string") {
      assert(new RegExp(text?.pattern ?? "$.").test(standard), standard);
      const written = `version: 1\nlimits: { ${name}: ${standard} }`;
      assertEquals(parsePolicy(written).limits[name], DEFAULT_LIMITS[name]);
    }
  }
});

Deno.test("policySchema() describes every name, and refuses others", () => {
  const schema = policySchema();
  const visit = (each: JsonSchema, path: string): void => {
    if (each.type === "object") {
      assert(each.additionalProperties !== undefined, path);
    }
    for (const [name, part] of Object.entries(each.properties ?? {})) {
      visit(part, `${path}.${name}`);
    }
    for (const part of each.oneOf ?? []) visit(part, path);
    if (each.items !== undefined) visit(each.items, `${path}[]`);
  };
  visit(schema, "");
  assertEquals(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  for (const part of Object.values(schema.properties ?? {})) {
    assert(part.description);
  }
});

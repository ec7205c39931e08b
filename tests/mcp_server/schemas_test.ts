import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MCP_DEFAULTS, MCP_SERVER_SCHEMA } from "../../wrappers/mcp/schema.ts";
import { UriTemplate } from "../../wrappers/mcp/uri_template.ts";
import { compileSchema } from "../../wrappers/mcp/validators.ts";

Deno.test("UriTemplate.match() finds what gives a URI", () => {
  const one = new UriTemplate("notes://{user}/{id}");
  assertEquals(one.variables, ["user", "id"]);
  assertEquals(one.match("notes://ann/1"), { user: "ann", id: "1" });
  assertEquals(one.match("notes://a%2Fb/%C3%A9"), { user: "a/b", id: "é" });
  for (
    const uri of [
      "notes://ann/",
      "notes:///1",
      "notes://ann/1/2",
      "notes://ann/1?x",
      "notes://ann/%ff",
      "notes://ann/%2",
      "note://ann/1",
      "",
    ]
  ) assertEquals(one.match(uri), undefined, uri);
  const two = new UriTemplate("x://a/{id}.a.txt");
  assertEquals(two.match("x://a/b.a.txt"), { id: "b" });
  assertEquals(two.match("x://a/.a.a.txt"), { id: ".a" });
  assertEquals(two.match("x://a/.a.txt"), undefined);
});

Deno.test("UriTemplate refuses what is not of level 1", () => {
  for (
    const text of [
      "x://{+path}",
      "x://{a*}",
      "x://{a,b}",
      "x://{}",
      "x://{a",
      "x://a}",
      "x://{a}{b}",
      "x://{a}/{a}",
      "x://none",
      "{a}",
      "x://a b/{c}",
      "x://{__proto__}",
      `x://${"a".repeat(3_000)}/{b}`,
    ]
  ) assertThrows(() => new UriTemplate(text), TypeError, undefined, text);
});

Deno.test("compileSchema() knows both drafts", async () => {
  const { validate } = await compileSchema({
    type: "object",
    $defs: { n: { type: "integer", minimum: 1 } },
    properties: { list: { type: "array", items: { $ref: "#/$defs/n" } } },
    additionalProperties: false,
  });
  assertEquals(validate({ list: [1, 2] }), undefined);
  assertEquals(validate({ list: [0] }), "/list/0 must be >= 1");
  assertEquals(
    validate(JSON.parse('{"__proto__":1}')),
    'must NOT have additional properties: "__proto__"',
  );
  const seven = await compileSchema({
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    definitions: { mail: { type: "string", format: "email" } },
    properties: { to: { $ref: "#/definitions/mail" } },
  });
  assertEquals(seven.validate({ to: "a@b.example" }), undefined);
  assertEquals(seven.validate({ to: "a" }), '/to must match format "email"');
});

Deno.test("compileSchema() takes no prototype for a property", async () => {
  const { validate } = await compileSchema({
    type: "object",
    required: ["constructor"],
  });
  assertEquals(validate({}), "must have required property 'constructor'");
});

/** A schema whose references unfold to 2⁴⁰ checks. */
function doubling() {
  const $defs: Record<string, unknown> = { d0: { type: "number" } };
  for (let count = 1; count <= 40; count++) {
    const $ref = `#/$defs/d${count - 1}`;
    $defs[`d${count}`] = { allOf: [{ $ref }, { $ref }] };
  }
  return { type: "object", $defs, properties: { a: { $ref: "#/$defs/d40" } } };
}

function nested(depth: number): object {
  let schema: object = { type: "object" };
  for (let count = 0; count < depth; count++) {
    schema = { properties: { a: schema } };
  }
  return schema;
}

const BOMBS: readonly (readonly [string, object, string])[] = [
  ["doubles", doubling(), "unfolds to more than 1000 checks"],
  ["is recursive", { properties: { a: { $ref: "#" } } }, "leads back"],
  ["is deep", nested(1_000), "is nested deeper than 64"],
  ["is long", { description: "a".repeat(70_000) }, "it is longer than"],
  ["has a dynamic reference", { $dynamicRef: "#a" }, "is not supported"],
  ["has an id within", { properties: { a: { $id: "x" } } }, "is not supported"],
  ["has an id aside", { $defs: { a: { $id: "#" } } }, "is not supported"],
  ["is of another draft", { $schema: "http://x.example" }, "expected draft"],
  [
    "has states",
    { pattern: "(?:a{30}){30}|(?:b{30}){30}|(?:c{30}){30}" },
    "states",
  ],
  [
    "has states in many patterns",
    {
      patternProperties: Object.fromEntries(
        Array.from({ length: 900 }, (_, each) => [`a{990}${each}`, {}]),
      ),
    },
    "more than 8000 states together",
  ],
  ["has a long pattern", { pattern: "a".repeat(2_000) }, "is longer than 1024"],
  ["repeats", { pattern: "((a{1000}){1000}){1000}" }, "linear time"],
  ["looks ahead", { pattern: "(?=a)" }, "linear time"],
  ["refers back", { patternProperties: { "(a)\\1": {} } }, "linear time"],
  ["points to nothing", { $ref: "#/$defs/absent" }, "refers to nothing"],
  ["points to a prototype", { $ref: "#/constructor" }, "refers to nothing"],
  [
    "is recursive by another name of the root",
    { "": {}, properties: { a: { $ref: "#/" } } },
    "ambiguous",
  ],
  [
    "hides a slash in a name",
    { $defs: { "a/b": {} }, $ref: "#/$defs/a%2Fb" },
    "ambiguous",
  ],
  ["gives promises", { $async: true, required: ["a"] }, "is not supported"],
  [
    "gives promises within",
    { properties: { a: { $async: true } } },
    "is not supported",
  ],
  ["points elsewhere", { $ref: "other.json" }, "refers to elsewhere"],
];

for (const [what, schema, problem] of BOMBS) {
  Deno.test(`compileSchema() refuses a schema that ${what}`, async () => {
    await assertRejects(() => compileSchema(schema), TypeError, problem);
  });
}

Deno.test("formats are told from what they are not", async () => {
  const cases: readonly (readonly [string, readonly string[], string[]])[] = [
    ["date", ["2024-02-29"], ["2024-13-01", "2024-1-1", "2024-01-32", ""]],
    [
      "date-time",
      ["2024-02-29T23:59:60Z", "2024-02-29t01:02:03.5+01:00"],
      ["2024-02-29 01:02:03Z", "2024-02-29T01:02:03", "2024-02-29T24:00:00Z"],
    ],
    ["duration", ["P1Y2M3DT4H5M6S", "PT1S", "P3W"], ["P", "PT", "P1DT", "1D"]],
    ["email", ["a.b+c@d.example"], [
      "a",
      "@b",
      "a@",
      "a@-b",
      "a b@c",
      "a@b..c",
    ]],
    ["hostname", ["a.b-c.example."], ["-a", "a..b", "a_b", "a".repeat(64)]],
    ["ipv4", ["255.0.10.1"], ["256.0.0.1", "1.2.3", "01.2.3.4"]],
    [
      "ipv6",
      ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1::8"],
      ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8::", "g::"],
    ],
    ["json-pointer", ["", "/a~0b~1c/0"], ["a", "/~", "/~2"]],
    ["time", ["01:02:03Z"], ["01:02", "25:00:00Z"]],
    ["uri", ["urn:a", "https://a/b?c#d"], ["a", "/a", "a b:c", "1a:b"]],
    ["uri-reference", ["", "/a", "a#b"], ["a b", "a\\b", "a#b\\"]],
    ["uuid", ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], ["6ba7b810"]],
    // one that nobody knows, and those that a prototype would know
    ["phone", ["a"], []],
    ["constructor", ["a"], []],
  ];
  for (const [format, good, bad] of cases) {
    const { validate } = await compileSchema({ type: "string", format });
    for (const text of good) assertEquals(validate(text), undefined, text);
    for (const text of bad) {
      assertEquals(validate(text), `must match format "${format}"`, text);
    }
  }
});

Deno.test("formats are checked in linear time", async () => {
  const formats = [
    ["date", "2020-01-01"],
    ["date-time", "2020-01-01T00:00:00Z"],
    ["duration", "P1D"],
    ["email", "a@b.example"],
    ["hostname", "b.example"],
    ["ipv4", "127.0.0.1"],
    ["ipv6", "::1"],
    ["json-pointer", "/a"],
    ["time", "00:00:00Z"],
    ["uri", "https://b.example/"],
    ["uri-reference", "/a"],
    ["uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
  ] as const;
  for (const [format, good] of formats) {
    const { validate } = await compileSchema({ type: "string", format });
    assertEquals(validate(good), undefined, format);
    const start = performance.now();
    for (const piece of ["a", ":", ".", "a.", "-", "1", "/", "%", "a@", "P1"]) {
      validate(`${piece.repeat(500_000)}\n`);
    }
    const took = performance.now() - start;
    if (took > 2_000) throw new Error(`${format} took ${took} ms`);
  }
});

Deno.test("a check that would take too long is not made", async () => {
  const unique = await compileSchema({
    properties: { a: { type: "array", uniqueItems: true } },
  });
  const items = (count: number) => ({
    a: Array.from({ length: count }, (_, index) => ({ index })),
  });
  assertEquals(unique.validate(items(1_000)), undefined);
  assertEquals(unique.validate(items(10_000)), "too large to be checked");
  const wide = await compileSchema({
    items: {
      anyOf: Array.from({ length: 300 }, (_, each) => ({ const: each })),
    },
  });
  assertEquals(wide.validate(Array(100).fill(299)), undefined);
  assertEquals(
    wide.validate(Array(100_000).fill(299)),
    "too large to be checked",
  );
});

Deno.test("a long text is not walked through again and again", async () => {
  const allOf = Array.from({ length: 400 }, () => ({ maxLength: 1e9 }));
  const { validate } = await compileSchema({ properties: { a: { allOf } } });
  assertEquals(validate({ a: "a".repeat(100_000) }), undefined);
  assertEquals(
    validate({ a: "a".repeat(4_000_000) }),
    "too large to be checked",
  );
  // of many properties a text is one
  const names = Array.from({ length: 300 }, (_, each) => `p${each}`);
  const wide = await compileSchema({
    properties: Object.fromEntries(
      names.map((name) => [name, { type: "string", maxLength: 1e9 }]),
    ),
  });
  assertEquals(wide.validate({ p1: "a".repeat(4_000_000) }), undefined);
});

Deno.test("the schema of the options tells the defaults", () => {
  for (const [name, value] of Object.entries(MCP_DEFAULTS)) {
    assertEquals(MCP_SERVER_SCHEMA.properties?.[name]?.default, value, name);
  }
});

Deno.test("the documentation of the options tells the defaults", async () => {
  const text = await Deno.readTextFile("wrappers/mcp/types.ts");
  const options = text.slice(text.indexOf("export interface McpServerOptions"));
  for (const [name, value] of Object.entries(MCP_DEFAULTS)) {
    const [, said] =
      new RegExp(`@default \\{(.+)\\}\\s+\\*/\\s+readonly ${name}\\?`)
        .exec(options) ?? [];
    assertEquals(said, JSON.stringify(value), name);
  }
});

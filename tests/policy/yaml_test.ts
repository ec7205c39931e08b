import { assertEquals, assertStringIncludes } from "@std/assert";
import { parsePolicy } from "../../security/policy_file/mod.ts";
import { firstProblem } from "./_policy.ts";

/** A policy whose variable `V` has the value that is written so. */
function withValue(written: string): string {
  return `version: 1
capabilities: [{ type: environment, variables: { V: ${written} } }]`;
}

function valueOf(written: string): string | undefined {
  return parsePolicy(withValue(written)).policy.find("environment")
    ?.variables.V;
}

Deno.test("parsePolicy() takes text as it is written", () => {
  for (
    const [written, value] of [
      ["yes", "yes"],
      ["No", "No"],
      ["on", "on"],
      ["off", "off"],
      ["2024-01-01", "2024-01-01"],
      ["a b#c", "a b#c"],
      ["http://a.example:80/?x", "http://a.example:80/?x"],
      ["127.0.0.1", "127.0.0.1"],
      ["1.2.3", "1.2.3"],
      ["''", ""],
      ["'it''s: #x'", "it's: #x"],
      ['"\\u00e4\\n\\x41\\U0001f600\\ud83d\\ude00\\/"', "ä\nA😀😀/"],
      ['"a \\" b"', 'a " b'],
    ] as const
  ) assertEquals(valueOf(written), value, written);
});

Deno.test("parsePolicy() refuses what YAML makes something else of", () => {
  for (
    const written of [
      "0777",
      "0o17",
      "0x1F",
      "0b11",
      "1_000",
      "1:30",
      "190:20:30",
      "+1",
      "1.",
      ".5",
      ".inf",
      "-.INF",
      ".nan",
      "True",
      "FALSE",
      "~",
      "Null",
    ]
  ) {
    const message = firstProblem(withValue(written)) ?? "";
    assertStringIncludes(message, `there is ${written}, of which YAML makes`);
    assertStringIncludes(message, "line 2, column 53");
    assertEquals(valueOf(`"${written}"`), written);
  }
});

Deno.test("parsePolicy() refuses values of another type than is expected", () => {
  for (
    const [written, actual] of [
      ["1.10", "the number 1.1, written 1.10"],
      ["8080", "8080"],
      ["true", "true"],
      ["null", "null"],
      ["[a]", "a list"],
      ["{a: b}", "an object"],
    ]
  ) {
    assertStringIncludes(
      firstProblem(withValue(written ?? "")) ?? "",
      `capabilities[0].variables.V is ${actual}, expected text`,
    );
  }
  assertStringIncludes(
    firstProblem("version: 1\nlimits:\ncapabilities: []") ?? "",
    "line 2, column 8: limits is empty, expected an object",
  );
});

Deno.test("parsePolicy() refuses what policy files do without", () => {
  const refused: Readonly<Record<string, string>> = {
    "version: &a 1": "an anchor",
    "version: *a": "an alias",
    "version: !!int 1": "a tag",
    "version: !x 1": "a tag",
    "a: &a [*a]": "an anchor",
    "<<: { version: 1 }": "a merge key",
    "version: |\n  1": "a block of text",
    "version: >-\n  1": "a block of text",
    "? version\n: 1": "a name of several lines",
    "%YAML 1.2\n---\nversion: 1": "a directive",
    "---\nversion: 1\n---\nversion: 1": "a second document",
    "version: 1\n...\n": "a second document",
    "version: 1\nversion: 1": 'the name "version" is there twice',
    "version: 1\n'version': 1": 'the name "version" is there twice',
    "{ version: 1, version: 1 }": 'the name "version" is there twice',
    "__proto__: { version: 1 }": 'the name "__proto__"',
    '"__proto__": 1': 'the name "__proto__"',
    '"\\u005f_proto__": 1': 'the name "__proto__"',
    "1: x": 'the name is "1", expected a text',
    "true: x": 'the name is "true", expected a text',
    "null: x": 'the name is "null", expected a text',
    "0x1: x": "readers of YAML do not agree",
    "[a, b]: x": "expected the end of the line",
    "{ [a]: x }": "",
    "\tversion: 1": "a tab",
    "version:\t1": "a tab",
    "limits:\n\tfuel: 1": "a tab",
    "version: a\n  b": "belongs to nothing",
    "version: 'a\n  b'": "expected a closing '",
    'version: "a\n  b"': 'expected a closing "',
    "version: 1 x: 2": "",
    "a: b: c": 'a second ":"',
    "a: - b": '"-" after a name',
    "a:\n  - b\n    - c\n": "belongs to nothing",
    " a: 1\nb: 2": "belongs to nothing",
    "a: 1\n b: 2": "belongs to nothing",
    "a: [b: c]": 'there is ":"',
    "a: [1, 2": "the file ends",
    "a: {b}": "",
    "a: [,]": 'there is ","',
    "a: @x": "a reserved character",
    "a: `x`": "a reserved character",
    'a: "\\q"': "no escape",
    'a: "\\ud800"': "half of a surrogate pair",
    "a: 1e400": "cannot be kept exactly",
    "a: 9007199254740993": "cannot be kept exactly",
    "a: 1\rb: 2": "a carriage return",
    "a: \u202eb": "U+202E",
    "# \u200b": "U+200B",
    "a: \x1b[2J": "U+001B",
    "a: \ufeffb": "U+FEFF",
    "a: \ud800": "U+D800",
    "a: b\0": "NUL",
    "": "it is empty",
    "# nothing": "it is empty",
    "5": "it is 5",
    "- version: 1": "it is a list",
  };
  for (const [text, part] of Object.entries(refused)) {
    const message = firstProblem(text);
    assertStringIncludes(message ?? "nothing", part, JSON.stringify(text));
  }
});

Deno.test("parsePolicy() bounds the depth in both formats", () => {
  const json = (depth: number) => `${"[".repeat(depth)}1${"]".repeat(depth)}`;
  for (
    const text of [
      json(33),
      json(200_000).slice(0, 250_000),
      "- ".repeat(33) + "a",
      Array.from({ length: 34 }, (_, index) => `${" ".repeat(index)}a:`)
        .join("\n"),
      `${"{a: ".repeat(33)}1`,
    ]
  ) assertStringIncludes(firstProblem(text) ?? "", "nested too deep");
  assertStringIncludes(
    firstProblem(json(33), { format: "json" }) ?? "",
    "nested too deep",
  );
  assertStringIncludes(firstProblem(json(32)) ?? "", "it is a list");
});

Deno.test("parsePolicy() refuses files that are too long, binary or no text", () => {
  const text = (source: string | Uint8Array) => firstProblem(source) ?? "";
  assertStringIncludes(text("#".repeat(262_145)), "too long");
  assertStringIncludes(text(`# ${"ä".repeat(131_072)}`), "too long");
  assertStringIncludes(text(new Uint8Array(262_145)), "too long");
  assertStringIncludes(text(new Uint8Array(16)), "NUL");
  assertStringIncludes(text(Uint8Array.of(0xff, 0xfe, 0x61, 0)), "UTF-8");
  assertStringIncludes(text(Uint8Array.of(0x61, 0xc0, 0x80)), "UTF-8");
  assertStringIncludes(text(Uint8Array.of(0xed, 0xa0, 0x80)), "UTF-8");
  assertEquals(firstProblem(`version: 1\n#${"x".repeat(262_132)}`), undefined);
});

Deno.test("parsePolicy() takes JSON as RFC 8259 has it", () => {
  const json = (text: string) =>
    firstProblem(text, { format: "json" }) ?? "nothing";
  assertEquals(json(' { "version" : 1.0 } \r\n'), "nothing");
  const refused: Readonly<Record<string, string>> = {
    "": "the file ends",
    "{": "the file ends",
    '{"version":1,}': "a name in double quotes",
    '{"version":1,"version":1}': "there twice",
    '{"version":1,"versio\\u006e":1}': "there twice",
    '{"version":1} // x': "expected the end of the file",
    '/* x */ {"version":1}': "expected a value",
    "{version:1}": "a name in double quotes",
    "{'version':1}": "a name in double quotes",
    '{"version":01}': '"01"',
    '{"version":+1}': '"+1"',
    '{"version":0x1}': '"0x1"',
    '{"version":NaN}': '"NaN"',
    '{"version":1e999}': "cannot be kept exactly",
    '{"version":9007199254740992}': "cannot be kept exactly",
    '{"__proto__":{"version":1}}': "__proto__",
    '{"version":"\t"}': "a tab",
    '{"version":"\\x41"}': "no escape",
    '{"version":"\\udc00"}': "half of a surrogate pair",
    '{"version":\u00a01}': "expected a value",
    "version: 1": '"version"',
    '[{"version":1}]': "it is a list",
    '{"version":1}{"version":1}': "expected the end of the file",
    '{"constructor":1,"version":1}': "constructor is not known",
    '{"version":1,"limits":{"toString":1}}': "limits.toString is not known",
    '{"version":1,"capabilities":[{"type":"toString"}]}': '"toString"',
  };
  for (const [text, part] of Object.entries(refused)) {
    assertStringIncludes(json(text), part, text);
  }
});

import { assertEquals } from "@std/assert";
import { LIMIT_PRESETS } from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import {
  parsePolicy,
  type PolicyDocument,
  stringifyPolicy,
} from "../../security/policy_file/mod.ts";
import { WHOLE } from "./_policy.ts";

function again(document: PolicyDocument, format: "yaml" | "json") {
  return parsePolicy(stringifyPolicy(document, format), { format });
}

function assertSame(actual: PolicyDocument, expected: PolicyDocument): void {
  assertEquals(actual.policy.capabilities, expected.policy.capabilities);
  assertEquals(actual.limits, expected.limits);
  assertEquals(actual.isolation, expected.isolation);
}

Deno.test("stringifyPolicy() writes what parsePolicy() reads as the same", () => {
  const document = parsePolicy(WHOLE, { baseDirectory: "/srv" });
  for (const format of ["yaml", "json"] as const) {
    const copy = again(document, format);
    assertSame(copy, document);
    assertEquals(
      stringifyPolicy(copy, format),
      stringifyPolicy(document, format),
    );
  }
});

Deno.test("stringifyPolicy() writes limits as people do, exactly", () => {
  const policy = SecurityPolicy.strict();
  const limits = {
    memoryBytes: 3 * 2 ** 20,
    writtenBytes: 2 ** 20 + 1,
    timeoutMs: 1_500,
    cpuMs: 120_000,
    fuel: 10_000_000,
    stdinBytes: 0,
  };
  assertEquals(
    stringifyPolicy({ policy, limits, isolation: "inline" }),
    `version: 1
limits:
  memoryBytes: 3MiB
  timeoutMs: 1500ms
  fuel: 10000000
  cpuMs: 2m
  writtenBytes: 1048577
  stdinBytes: 0
isolation: inline
capabilities: []
`,
  );
  for (
    const each of [
      limits,
      { timeoutMs: Infinity, fuel: 1 },
      ...Object.values(LIMIT_PRESETS),
    ]
  ) {
    assertSame(again({ policy, limits: each }, "yaml"), {
      policy,
      limits: each,
    });
  }
});

Deno.test("stringifyPolicy() keeps every text, and shows all of it", () => {
  const texts = [
    "",
    " ",
    "yes",
    "No",
    "null",
    "~",
    "1",
    "1.10",
    "0o17",
    "0x1",
    "1_000",
    "1:30",
    ".5",
    "-",
    "- a",
    "a: b",
    "a #b",
    "#",
    "*x",
    "&x",
    "!x",
    "| x",
    "'",
    '"',
    "\\",
    "a\nb\r\n\tc",
    "\x1b[2J\x7f\u0085",
    "\u202e\u2028\ufeff\u{e0041}",
    "ä😀\u200d",
    "---",
    "...",
    "{}",
    "[a]",
    "<<",
    "64MiB",
    "1e5",
    "Infinity",
  ];
  for (const [index, text] of texts.entries()) {
    const policy = SecurityPolicy.from([
      { type: "environment", variables: { V: text, [`n${index}`]: text } },
    ]);
    for (const format of ["yaml", "json"] as const) {
      const written = stringifyPolicy({ policy, limits: {} }, format);
      assertSame(again({ policy, limits: {} }, format), { policy, limits: {} });
      assertEquals(/(?!\n)[\p{Cc}\u2028\u202e\ufeff]/u.test(written), false);
    }
  }
});

Deno.test("stringifyPolicy() quotes names that are not plain", () => {
  const names = ["yes", "1", "a b", "null", "constructor", "ä", "<<", "a:b"];
  const policy = SecurityPolicy.from([{
    type: "environment",
    variables: Object.fromEntries(names.map((name) => [name, "x"])),
  }]);
  for (const format of ["yaml", "json"] as const) {
    assertSame(again({ policy, limits: {} }, format), { policy, limits: {} });
  }
});

// deno-lint-ignore-file no-explicit-any -- `any` as in cli/

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertLess,
  assertMatch,
  assertObjectMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parse, stringify } from "@std/yaml";
import { Command, ValidationError } from "@cliffy/command";

// These run on the real packages and on their stand-ins, and hold the two
// together: a test that passes on one only shows a stand-in that is wrong.

const thrown = new RangeError("the message");
const raise = () => {
  throw thrown;
};

const FAILING: Readonly<Record<string, () => void>> = {
  assert: () => assert(0, "why"),
  assertFalse: () => assertFalse(1, "why"),
  assertLess: () => assertLess(1, 1, "why"),
  assertMatch: () => assertMatch("abc", /z/, "why"),
  assertStringIncludes: () => assertStringIncludes("abc", "z", "why"),
  assertInstanceOf: () => assertInstanceOf({}, Error, "why"),
  assertObjectMatch: () => assertObjectMatch({ a: { b: 1 } }, { a: { b: 2 } }),
  assertThrows: () => assertThrows(() => 1),
  "assertThrows(Class)": () => assertThrows(raise, TypeError, "", "why"),
  "assertThrows(text)": () => assertThrows(raise, Error, "other", "why"),
  "assertEquals(text)": () => assertEquals<unknown>(1, "1", "why"),
  "assertEquals(absent)": () => assertEquals<unknown>({ a: undefined }, {}),
  "assertEquals(length)": () => assertEquals([1], [1, 2]),
  "assertEquals(bytes)": () => assertEquals(Uint8Array.of(1), Uint8Array.of(2)),
  "assertEquals(class)": () => assertEquals<unknown>([1], { 0: 1 }),
  "assertEquals(map)": () => assertEquals(new Map([[1, 1]]), new Map([[1, 2]])),
};

for (const [name, fails] of Object.entries(FAILING)) {
  Deno.test(`${name} fails`, () => {
    const error = assertThrows(fails, Error);
    assertEquals(error.name, "AssertionError");
    if (`${fails}`.includes('"why"')) {
      assertStringIncludes(error.message, "why");
    }
  });
}

Deno.test("the assertions hold", async () => {
  assert(1);
  assertFalse(0);
  assertLess(1, 2);
  assertMatch("abc", /b/);
  assertObjectMatch({ a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 } });
  assertEquals({ a: [NaN, { b: 2n }] }, { a: [NaN, { b: 2n }] });
  assertEquals(new Map([[1, [1]]]), new Map([[1, [1]]]));
  assertEquals(Uint8Array.of(1), Uint8Array.of(1));
  for (
    const caught of [
      assertThrows(raise),
      assertThrows(raise, Error, "mess"),
      await assertRejects(() => Promise.reject(thrown)),
      await assertRejects(() => Promise.reject(thrown), RangeError, "mess"),
    ]
  ) assert(caught === thrown);
});

Deno.test("assertRejects() fails for what does not reject", async () => {
  for (
    const [fn, expected] of [
      [() => Promise.resolve(), "Expected function to reject"],
      [raise, "Function throws when expected to reject"],
    ] as const
  ) await assertRejects(() => assertRejects(fn), Error, expected);
});

Deno.test("parse() reads what stringify() writes", () => {
  const value = { a: [1, { b: "x: y" }], c: "", d: null, e: "1" };
  const text = stringify(value, { schema: "core" });
  assertEquals(parse(text, { schema: "core" }), value);
  assertEquals(parse("", { schema: "core" }), null);
  for (const wrong of ["a: [1\nb: }", "a: 1\na: 2", "a\n---\nb"]) {
    assertThrows(() => parse(wrong, { schema: "core" }), SyntaxError);
  }
});

/** A command line with one of everything that ours uses. */
function sample(seen: unknown[]) {
  const run = new Command<any>()
    .description("Runs a module.\nAt length.")
    .type("digits", ({ name, value }: { name: string; value: string }) => {
      if (/^\d+$/.test(value)) return Number(value);
      throw new ValidationError(`${name} is no number: ${value}`);
    })
    .arguments("<file:string> [inputs...:digits]", ["A file.", "Numbers."])
    .option("--max-size <size:digits>", "How much.")
    .option("--env <pair:string>", "A variable.", { collect: true })
    .option("--quiet", "Without words.")
    .example("Run it", "sample run a.wasm")
    .action(function (
      this: Command<any>,
      options: unknown,
      ...args: unknown[]
    ) {
      seen.push({ options, args, literal: this.getLiteralArgs() });
    });
  const stop = new Command<any>().arguments("<file:string>").action(raise);
  return new Command<any>()
    .name("sample")
    .version("1.2.3")
    .description("A sample.")
    .noExit()
    .help({ colors: false })
    .globalOption("--json", "Print JSON.")
    .command("run", run)
    .command("stop", stop)
    .reset();
}

Deno.test("Command.parse() hands options and arguments to the action", async () => {
  for (
    const line of [
      "run --max-size 10 --env A=1 --env --B a.wasm 1 2 --quiet --json -- -x --json",
      "--json run --quiet a.wasm --env=A=1 1 2 --env --B --max-size=10 -- -x --json",
    ]
  ) {
    const seen: unknown[] = [];
    await sample(seen).parse(line.split(" "));
    assertEquals(seen, [{
      options: { maxSize: 10, env: ["A=1", "--B"], quiet: true, json: true },
      args: ["a.wasm", 1, 2],
      literal: ["-x", "--json"],
    }]);
  }
});

const WRONG: Readonly<Record<string, string>> = {
  "rum a": 'Unknown command "rum". Did you mean command "run"?',
  "--jsn": 'Unknown option "--jsn". Did you mean option "--json"?',
  "stop a --jsn": 'Unknown option "--jsn". Did you mean option "--json"?',
  "stop a b": "Too many arguments: b",
  "run": "Missing argument(s): file",
  "run a x": "inputs is no number: x",
  "run a --env": 'Missing value for option "--env".',
  "run a --max-size x": "--max-size is no number: x",
  "run a --max-size 1 --max-size 2":
    'Option "--max-size" can only occur once, but was found several times.',
};

for (const [line, message] of Object.entries(WRONG)) {
  Deno.test(`Command.parse() refuses "${line}"`, async () => {
    const seen: unknown[] = [];
    const parsing = () => sample(seen).parse(line.split(" "));
    await assertRejects(parsing, ValidationError, message);
    assertEquals(seen, []);
  });
}

Deno.test("Command.parse() passes on what the action throws", async () => {
  const parsing = () => sample([]).parse(["stop", "a"]);
  assert(await assertRejects(parsing) === thrown);
});

Deno.test("Command tells what it is made of", () => {
  const [run, stop] = sample([]).getCommands();
  assertEquals(run?.getName(), "run");
  assertStringIncludes(run?.getDescription() ?? "", "At length.");
  assertEquals(
    run?.getExamples().map(({ name, description }) => [name, description]),
    [["Run it", "sample run a.wasm"]],
  );
  assertEquals(
    run?.getArguments().map(({ name, description, optional, variadic }) => [
      name,
      description,
      !!optional,
      !!variadic,
    ]),
    [["file", "A file.", false, false], ["inputs", "Numbers.", true, true]],
  );
  const options = (run?.getOptions() ?? []).filter(({ flags }) =>
    !flags.includes("--help")
  ).map(({ flags, description, typeDefinition, global }) => [
    flags.join(),
    description,
    typeDefinition ?? "",
    !!global,
  ]);
  assertEquals(options, [
    ["--json", "Print JSON.", "", true],
    ["--max-size", "How much.", "<size:digits>", false],
    ["--env", "A variable.", "<pair:string>", false],
    ["--quiet", "Without words.", "", false],
  ]);
  assertEquals(stop?.getOptions().map(({ flags }) => flags.join()), ["--json"]);
});

import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parse, stringify, YamlSyntaxError } from "@std/yaml";
import {
  type ArgumentValue,
  Command,
  EnumType,
  ValidationError,
} from "@cliffy/command";

// These run on the real packages and on their stand-ins, and hold the two
// together: a test that passes on one only shows a stand-in that is wrong.

const SAME: readonly (readonly [unknown, unknown])[] = [
  [0, -0],
  [NaN, NaN],
  [{ a: [1, { b: 2n }] }, { a: [1, { b: 2n }] }],
  [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  [new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]])],
  [new Set([{ a: 1 }]), new Set([{ a: 1 }])],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2]).buffer],
  [new Date(5), new Date(5)],
  [/a/g, /a/g],
  [new URL("https://a.example/"), new URL("https://a.example")],
];

const DIFFERENT: readonly (readonly [unknown, unknown])[] = [
  [1, "1"],
  [1, 1n],
  [null, undefined],
  [{ a: undefined }, {}],
  [[1, 2], [1, 2, 3]],
  [[1], { 0: 1 }],
  [new Uint8Array([1]), new Uint16Array([1])],
  [new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  [new Map([["a", 1]]), new Map([["a", 2]])],
  [new Set([1]), new Set([2])],
  [new Date(5), new Date(6)],
  [/a/g, /a/i],
  [new URL("https://a.example/"), new URL("https://b.example")],
  [() => 1, () => 1],
  [
    new class A {
      x = 1;
    }(),
    { x: 1 },
  ],
];

Deno.test("assertEquals() compares structure", () => {
  for (const [a, b] of SAME) {
    assertEquals(a, b);
    assertThrows(() => assertNotEquals(a, b), AssertionError);
  }
  for (const [a, b] of DIFFERENT) {
    assertNotEquals(a, b);
    const error = assertThrows(() => assertEquals(a, b, "why"), AssertionError);
    assertStringIncludes(error.message, "Values are not equal: why");
  }
});

Deno.test("assertEquals() follows cycles", () => {
  const cycle = () => {
    const value: Record<string, unknown> = { a: 1 };
    value.self = value;
    return value;
  };
  assertEquals(cycle(), cycle());
});

Deno.test("assertThrows() returns what was thrown", () => {
  const thrown = new RangeError("the message");
  const raise = () => {
    throw thrown;
  };
  assertStrictEquals(assertThrows(raise), thrown);
  assertStrictEquals(assertThrows(raise, RangeError, "mess"), thrown);
  assertStrictEquals(assertThrows(raise, Error), thrown);
  assertThrows(() => assertThrows(raise, TypeError), AssertionError);
  assertThrows(() => assertThrows(raise, Error, "other"), AssertionError);
  assertThrows(() => assertThrows(() => 1), AssertionError);
});

Deno.test("assertRejects() resolves to the reason", async () => {
  const reason = new RangeError("the message");
  const rejected = () => Promise.reject(reason);
  assertStrictEquals(await assertRejects(rejected), reason);
  assertStrictEquals(await assertRejects(rejected, RangeError, "mess"), reason);
  await assertRejects(
    () => assertRejects(rejected, TypeError),
    AssertionError,
  );
  await assertRejects(
    () => assertRejects(() => Promise.resolve()),
    AssertionError,
  );
  await assertRejects(
    () =>
      assertRejects(() => {
        throw reason;
      }),
    AssertionError,
    "Function throws when expected to reject",
  );
});

Deno.test("assertObjectMatch() ignores what was not asked for", () => {
  const actual = { a: 1, b: { c: [{ d: 1, e: 2 }], f: 3 }, date: new Date(5) };
  assertObjectMatch(actual, { b: { c: [{ d: 1 }] }, date: new Date(5) });
  assertThrows(() => assertObjectMatch(actual, { a: 2 }), AssertionError);
  assertThrows(() => assertObjectMatch(actual, { z: 1 }), AssertionError);
  assertThrows(
    () => assertObjectMatch(actual, { b: { c: [{ d: 2 }] } }),
    AssertionError,
  );
});

Deno.test("the small assertions hold and fail", () => {
  assert(1);
  assertFalse(0);
  assertExists(0);
  assertMatch("abc", /b/);
  assertStringIncludes("abc", "b");
  assertInstanceOf(new TypeError(""), Error);
  assertArrayIncludes([1, { a: 1 }], [{ a: 1 }]);
  assertGreater(2, 1);
  assertGreaterOrEqual(2, 2);
  assertLess(1n, 2n);
  assertLessOrEqual(2, 2);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  for (
    const failing of [
      () => assert(0, "why"),
      () => assertFalse(1, "why"),
      () => assertExists(null, "why"),
      () => assertMatch("abc", /z/, "why"),
      () => assertStringIncludes("abc", "z", "why"),
      () => assertInstanceOf({}, Error, "why"),
      () => assertArrayIncludes([1], [2], "why"),
      () => assertGreater(1, 1, "why"),
      () => assertGreaterOrEqual(1, 2, "why"),
      () => assertLess(1, 1, "why"),
      () => assertLessOrEqual(2, 1, "why"),
      () => assertAlmostEquals(1, 2, 0.5, "why"),
      () => assertStrictEquals([], [], "why"),
      () => fail("why"),
    ]
  ) assertThrows(failing, AssertionError, "why");
});

Deno.test("parse() reads YAML by the core schema", () => {
  const text = "a: 1\nb: [x, true, ~]\nc:\n  - 0x10\n  - 1.5\n  - 2024-01-01\n";
  assertEquals(parse(text, { schema: "core" }), {
    a: 1,
    b: ["x", true, null],
    c: [16, 1.5, "2024-01-01"],
  });
  assertEquals(parse("", { schema: "core" }), null);
  assertEquals(parse("__proto__: {a: 1}", { schema: "core" }), {
    ["__proto__"]: { a: 1 },
  });
});

Deno.test("parse() says where a text is no YAML", () => {
  const error = assertThrows(
    () => parse("a: 1\nb: [1\nc: }", { schema: "core" }),
    YamlSyntaxError,
  );
  assertInstanceOf(error, SyntaxError);
  assertEquals([error.line, error.column], [3, 1]);
  assertThrows(() => parse("a: 1\na: 2", { schema: "core" }), SyntaxError);
  assertThrows(() => parse("a\n---\nb"), SyntaxError);
  assertThrows(
    () => parse("!!js/regexp /a/", { schema: "core" }),
    SyntaxError,
  );
});

Deno.test("stringify() writes what parse() reads", () => {
  const value = { a: [1, { b: "x: y" }], c: "", d: null, e: "1" };
  const text = stringify(value, { schema: "core" });
  assertEquals(parse(text, { schema: "core" }), value);
  assertStringIncludes(text, "a:\n  - 1\n  - b: 'x: y'\n");
});

/** A command line with one of everything that ours uses. */
function sample(seen: unknown[]): Command {
  const bytes = ({ label, name, value }: ArgumentValue): number => {
    if (/^\d+$/.test(value)) return Number(value);
    throw new ValidationError(`${label} "${name}" is no size: "${value}"`);
  };
  const run = new Command()
    .description("Runs a module.\nAt length.")
    .type("bytes", bytes)
    .type("level", new EnumType(["low", "high"]))
    .option("-t, --timeout <time:string>", "How long.", { default: "5s" })
    .option("--max-memory <size:bytes>", "How much.")
    .option("--level <level:level>", "How hard.")
    .option("--env <pair:string>", "A variable.", { collect: true })
    .option("--names <names:string[]>", "Names.")
    .option("--seed [seed:integer]", "A seed.")
    .option("--secret <secret:string>", "Hidden.", { hidden: true })
    .option("--twice <n:number>", "Mapped.", { value: (n) => n * 2 })
    .option("--no-color", "Without colors.")
    .arguments("<file:string> [args...:string]")
    .example("Run it", "sample run a.wasm")
    .action(function (options, file, ...args) {
      const { timeout, maxMemory, json } = options as {
        timeout: string;
        maxMemory?: number;
        json?: boolean;
      };
      const typed: [string, number | undefined, boolean | undefined] = [
        timeout,
        maxMemory,
        json,
      ];
      const name: string = file;
      const rest: string[] = args;
      seen.push({ options, typed, name, rest, literal: this.getLiteralArgs() });
    });
  const list = new Command()
    .alias("ls")
    .description("Lists.")
    .action(() => {
      seen.push("list");
    });
  return new Command()
    .name("sample")
    .version("1.2.3")
    .description("A sample.")
    .noExit()
    .help({ colors: false })
    .globalOption("--json", "Print JSON.")
    .command("run", run)
    .command("list", list) as unknown as Command;
}

Deno.test("Command.parse() hands options and arguments to the action", async () => {
  const seen: unknown[] = [];
  await sample(seen).parse(
    "run --max-memory 10 --level=high --env A=1 --env B=2 --names a,b --seed --twice 4 a.wasm x y -- --json z"
      .split(" "),
  );
  assertEquals(seen, [{
    options: {
      timeout: "5s",
      maxMemory: 10,
      level: "high",
      env: ["A=1", "B=2"],
      names: ["a", "b"],
      seed: true,
      twice: 8,
      color: true,
    },
    typed: ["5s", 10, undefined],
    name: "a.wasm",
    rest: ["x", "y"],
    literal: ["--json", "z"],
  }]);
});

Deno.test("Command.parse() takes a global option before and after the sub-command", async () => {
  for (
    const line of ["run a --json", "--json run a", "run --json a --no-color"]
  ) {
    const seen: unknown[] = [];
    await sample(seen).parse(line.split(" "));
    const [call] = seen;
    assertObjectMatch({ call }, { call: { options: { json: true } } });
  }
});

Deno.test("Command.parse() knows a command by its alias", async () => {
  const seen: unknown[] = [];
  await sample(seen).parse(["ls"]);
  assertEquals(seen, ["list"]);
});

const WRONG: Readonly<Record<string, string>> = {
  "list --jsn": 'Unknown option "--jsn". Did you mean option "--json"?',
  "rum a": 'Unknown command "rum". Did you mean command "run"?',
  "run": "Missing argument(s): file",
  "list x": 'No arguments allowed for command "sample list".',
  "run a --timeout": 'Missing value for option "--timeout".',
  "run a --timeout 1s --timeout 2s":
    'Option "--timeout" can only occur once, but was found several times.',
  "run a --max-memory x": 'Option "--max-memory" is no size: "x"',
  "run a --level mid":
    'Option "--level" must be of type "level", but got "mid". Expected values: "low", "high"',
  "run a --seed=x": 'Option "--seed" must be of type "integer", but got "x".',
};

for (const [line, message] of Object.entries(WRONG)) {
  Deno.test(`Command.parse() refuses "${line}"`, async () => {
    const seen: unknown[] = [];
    const error = await assertRejects(
      () => sample(seen).parse(line.split(" ")),
      ValidationError,
      message,
    );
    assertEquals(error.exitCode, 2);
    assertEquals(seen, []);
  });
}

Deno.test("Command.parse() passes on what the action throws", async () => {
  const thrown = new RangeError("the message");
  const command = new Command().noExit().action(() => {
    throw thrown;
  });
  const error = await assertRejects(() => command.parse([]), RangeError);
  assertStrictEquals(error, thrown);
});

Deno.test("Command.getHelp() names what can be given", () => {
  const command = sample([]);
  const help = command.getHelp();
  for (
    const word of [
      "sample",
      "A sample.",
      "run",
      "list",
      "--json",
      "-h, --help",
      "Runs a module.",
    ]
  ) {
    assertStringIncludes(help, word);
  }
});

Deno.test("Command.parse() prints help and version without an exit", async () => {
  const lines: string[] = [];
  await using stack = new AsyncDisposableStack();
  const { log } = globalThis.console;
  stack.defer(() => {
    globalThis.console.log = log;
  });
  globalThis.console.log = (line: string) => lines.push(line);
  await sample([]).parse(["run", "--help"]);
  await sample([]).parse(["-V"]);
  await sample([]).parse([]);
  const [run = "", version = "", top = ""] = lines;
  assertStringIncludes(run, "--timeout");
  assertStringIncludes(run, "sample run a.wasm");
  assertFalse(run.includes("--secret"));
  assertStringIncludes(version, "1.2.3");
  assertStringIncludes(top, "list");
});

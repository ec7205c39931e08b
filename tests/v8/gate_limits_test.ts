import { assert, assertEquals, assertLess } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { instrument } from "../../runtime/v8/gate.ts";
import type { GateOptions } from "../../runtime/v8/layout.ts";
import {
  body,
  build,
  type Bytes,
  flat,
  funcType,
  leb,
  name,
  section,
  wasm,
  wat,
} from "../wasm.ts";
import { ALL_FEATURES, BOTH, MODES, refusal, refusalReason } from "./_gate.ts";

const I32 = 0x7f;
const FUNC_REF = 0x70;
const EXTERN_REF = 0x6f;

const repeat = (count: number, ...code: number[]) =>
  new Uint8Array(count * code.length).map((_, at) =>
    code[at % code.length] ?? 0
  );

/** One function of the given code and locals; its parameter is an i32. */
function code(
  instructions: Bytes,
  locals: readonly (readonly [number, Bytes])[] = [],
) {
  return build({
    types: [funcType([I32]), funcType()],
    functions: [0],
    tags: [[0, 1]],
    bodies: [body(instructions, locals)],
  });
}

const blocks = (count: number) => repeat(count, 0x02, 0x40, 0x0b);
const ifs = (count: number) => repeat(count, 0x20, 0, 0x04, 0x40, 0x0b);
const nested = (count: number) =>
  flat(repeat(count, 0x02, 0x40), repeat(count, 0x0b));

Deno.test("instrument() refuses the names that are ours", async () => {
  const own = ["wasm_sandbox:fuel", "wasm_sandbox:", "wasm_sandbox:start"];
  for (const reserved of own) {
    for (
      const module of [
        await wat(`(module (func (export "${reserved}")))`),
        await wat(`(module (import "${reserved}" "f" (func)))`),
        await wat(`(module (import "m" "${reserved}" (func)))`),
        await wat(`(module (import "${reserved}" "flag" (memory 1)))`),
      ]
    ) assertEquals(refusalReason(module), "reserved name");
  }
  const near = await wat(`(module (import "wasm_sandbox" "f" (func))
    (func (export "Wasm_sandbox:")) (func (export " wasm_sandbox:")))`);
  instrument(near, BOTH);
});

const exporting = (count: number) =>
  build({
    types: [funcType()],
    functions: [0],
    exports: Array.from({ length: count }, (_, i) => [name(`f${i}`), 0, 0]),
    bodies: [body([])],
  });
const importing = (count: number) =>
  build({
    imports: Array.from({ length: count }, () => [0, 0, 3, I32, 0]),
  });
const withTables = (count: number) =>
  build({ tables: Array.from({ length: count }, () => [FUNC_REF, 0, 0]) });
const withMemories = (count: number) =>
  build({ memories: Array.from({ length: count }, () => [0, 0]) });
const tag = (count: number) =>
  build({ types: [funcType([...repeat(count, I32)])], tags: [[0, 0]] });
const withIfs = (locals: number, count: number) =>
  code(ifs(count), [[locals, I32]]);

/** A module at its bound, one beyond it, and why that one is refused. */
const BOUNDS: Readonly<
  Record<
    string,
    readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, string]
  >
> = {
  exports: [exporting(10_000), exporting(10_001), "too many exports"],
  imports: [importing(10_000), importing(10_001), "too many imports"],
  tables: [withTables(1000), withTables(1001), "too many tables"],
  memories: [withMemories(100), withMemories(101), "too many memories"],
  locals: [
    code([], [[49_998, I32]]),
    code([], [[49_999, I32]]),
    "too many locals",
  ],
  "locals in groups": [
    code([], [[49_000, I32], [998, 0x7e]]),
    code([], [[2 ** 32 - 1, I32], [2 ** 32 - 1, I32]]),
    "too many locals",
  ],
  nesting: [code(nested(20_000)), code(nested(20_001)), "nesting too deep"],
  "values of an exception": [tag(32), tag(33), "exception too large"],
  blocks: [withIfs(9998, 500), withIfs(9998, 501), "function too complex"],
};

for (const [what, [atBound, beyond, reason]] of Object.entries(BOUNDS)) {
  Deno.test(`instrument() bounds ${what}`, () => {
    for (const mode of Object.values(MODES)) {
      instrument(atBound, mode, { features: ALL_FEATURES });
    }
    assertEquals(refusalReason(beyond, { features: ALL_FEATURES }), reason);
  });
}

const LOCALS: [number, number][] = [[10_000, I32]];
const COUNT = 1001;

/** Each makes as many edges of control flow as there are repetitions. */
const EDGES: Readonly<Record<string, Bytes>> = {
  "blocks": blocks(COUNT),
  "branches": [0x02, 0x40, repeat(COUNT, 0x20, 0, 0x0d, 0), 0x0b],
  "targets of br_table": [
    [0x02, 0x40, 0x20, 0, 0x0e, leb(COUNT), repeat(COUNT + 1, 0), 0x0b],
  ],
  "calls in a try": [0x06, 0x40, repeat(COUNT, 0x20, 0, 0x10, 0), 0x19, 0x0b],
  "calls in a try_table": [
    [0x02, 0x40, 0x1f, 0x40, 1, 2, 0],
    [repeat(COUNT, 0x20, 0, 0x10, 0), 0x0b, 0x0b],
  ],
  "clauses of try_table": [
    [0x02, 0x40, 0x1f, 0x40, leb(COUNT), repeat(COUNT, 2, 0), 0x0b, 0x0b],
  ],
};

for (const [what, instructions] of Object.entries(EDGES)) {
  Deno.test(`instrument() counts ${what} against the locals`, () => {
    const module = code(instructions, LOCALS);
    assert(WebAssembly.validate(module));
    assertEquals(refusalReason(module), "function too complex");
    instrument(code(instructions, [[900, I32]]), BOTH);
  });
}

Deno.test("instrument() counts what is on the stack at a branch", () => {
  const onStack = (count: number, ...more: Bytes[]) =>
    code([repeat(count, 0x20, 0), more, repeat(count, 0x1a)]);
  const tooMany = {
    "ifs": onStack(10_000, ifs(COUNT)),
    "values that a call returns": build({
      types: [funcType(), funcType([], [...repeat(100, I32)])],
      functions: [0, 1],
      bodies: [
        body([repeat(100, 0x10, 1), repeat(COUNT, 0x02, 0x40, 0x0b), 0x0f]),
        body(0x00),
      ],
    }),
  };
  assertEquals(refusalReason(tooMany.ifs), "function too complex");
  assertEquals(
    refusalReason(tooMany["values that a call returns"]),
    "function too complex",
  );
  // what was dropped does not count
  instrument(
    onStack(10_000, repeat(10_000, 0x1a), ifs(COUNT), repeat(10_000, 0x20, 0)),
    BOTH,
  );
  instrument(onStack(900, ifs(COUNT)), BOTH);
});

Deno.test("instrument() counts the values that calls and blocks move", () => {
  const wide = repeat(500, I32);
  const caller = (calls: number) =>
    build({
      types: [funcType(), funcType([...wide], [...wide])],
      functions: [0, 1],
      bodies: [
        body([repeat(500, 0x41, 0), repeat(calls, 0x10, 1), repeat(500, 0x1a)]),
        body(repeat(500, 0x41, 0)),
      ],
    });
  assert(WebAssembly.validate(caller(1000)));
  assertEquals(refusalReason(caller(1000)), "function too complex");
  instrument(caller(100), BOTH);
});

Deno.test("instrument() bounds what calls make the engine walk over", () => {
  const calls = (count: number, type: number) =>
    code(repeat(count, 0x20, 0, 0x10, 0), [[40_000, type]]);
  assertEquals(refusalReason(calls(6000, I32)), "function too complex");
  instrument(calls(4000, I32), BOTH);
  // references take far longer
  assertEquals(refusalReason(calls(60, FUNC_REF)), "function too complex");
  instrument(calls(40, FUNC_REF), BOTH);
});

Deno.test("instrument() refuses exceptions that outlive a call", () => {
  const EXNREF = 0x69;
  for (const type of [[EXNREF], [0x63, EXNREF], [0x63, 0xe9, 0x7f]]) {
    const kept = [
      build({ globals: [[type, 1, 0xd0, EXNREF, 0x0b]] }),
      build({ tables: [[type, 0, 1]] }),
    ];
    for (const module of kept) {
      assert(WebAssembly.validate(module));
      assertEquals(
        refusalReason(module, { features: { functionReferences: true } }),
        "feature gc",
      );
    }
  }
});

Deno.test("instrument() refuses a function that grows beyond the engine", () => {
  const results = repeat(1000, I32);
  const branches = flat(0x10, 1, repeat(1000, 0x0d, 0));
  const module = build({
    types: [funcType(), [0x60, 0, leb(1000), results]],
    functions: [0, 1],
    globals: Array.from({ length: 16_500 }, () => [0x7e, 0, 0x42, 0, 0x0b]),
    bodies: [
      body(Array.from({ length: 523 }, () => branches)),
      body(0x00),
    ],
  });
  const options = { functionBytes: 2 ** 21 };
  assertEquals(refusalReason(module, options), "function too complex");
});

function overLimit(
  module: Uint8Array<ArrayBuffer>,
  options: GateOptions = { features: ALL_FEATURES },
) {
  const { details } = refusal(module, "limit-exceeded", options);
  assert(details.used !== undefined && details.used > details.allowed);
  return { limit: details.limit, used: details.used };
}

Deno.test("instrument() bounds functionBytes", () => {
  const module = code(repeat(2 ** 20, 0x01));
  assertEquals(overLimit(module), {
    limit: "functionBytes",
    used: 2 ** 20 + 2,
  });
  instrument(module, BOTH, { functionBytes: 2 ** 20 + 2 });
  overLimit(module, { functionBytes: 2 ** 20 + 1 });
});

Deno.test("instrument() bounds moduleBytes", () => {
  const module = code([]);
  instrument(module, BOTH, { moduleBytes: module.length });
  const moduleBytes = module.length - 1;
  assertEquals(overLimit(module, { moduleBytes }), {
    limit: "moduleBytes",
    used: module.length,
  });
});

Deno.test("instrument() bounds all tables together", () => {
  const tables = (...sizes: readonly number[]) =>
    build({ tables: sizes.map((size) => [EXTERN_REF, 0, leb(size)]) });
  instrument(tables(100_000), BOTH);
  instrument(tables(50_000, 50_000), BOTH);
  for (const sizes of [[100_001], [50_000, 50_001], [0, 1e7], [2 ** 32 - 1]]) {
    const used = sizes.reduce((sum, size) => sum + size);
    const expected = { limit: "tableElements", used };
    assertEquals(overLimit(tables(...sizes)), expected);
  }
});

Deno.test("instrument() bounds tables of 64 bits", () => {
  const module = build({ tables: [[FUNC_REF, 4, leb(2n ** 64n - 1n)]] });
  assertEquals(overLimit(module).limit, "tableElements");
});

/** Small inputs that cost an engine without a gate a lot. */
const BOMBS: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
  "a table of 10 million": () =>
    build({ tables: [[FUNC_REF, 0, leb(10_000_000)]] }),
  "30 tables of 10 million": () =>
    build({
      tables: Array.from({ length: 30 }, () => [
        EXTERN_REF,
        0,
        leb(10_000_000),
      ]),
    }),
  "a table of more than the engine takes": () =>
    build({ tables: [[FUNC_REF, 0, leb(10_000_001)]] }),
  "50,000 locals and 1000 ifs": () => withIfs(49_000, 1000),
  "10,000 locals and 4000 ifs": () => withIfs(10_000, 4000),
  "10,000 locals and 20,000 ifs": () => withIfs(10_000, 20_000),
  "400,000 blocks in each other": () => code(nested(400_000)),
  "250,000 blocks in each other": () => code(nested(250_000)),
  "a million functions": () =>
    build({
      types: [funcType()],
      functions: Array.from({ length: 1_000_000 }, () => 0),
      bodies: Array.from({ length: 1_000_000 }, () => [2, 0, 0x0b]),
    }),
  "a br_table of 1.1 MB": () =>
    code(flat(0x20, 0, 0x0e, leb(1_100_000), new Uint8Array(1_100_001))),
  "10,000 locals and a br_table": () =>
    code(flat(0x20, 0, 0x0e, leb(100_000), new Uint8Array(100_001)), LOCALS),
  "1.2 MB of calls": () => code(repeat(300_000, 0x20, 0, 0x10, 0)),
  "a million tables": () =>
    wasm(section(4, leb(1_000_000), repeat(1_000_000, FUNC_REF, 0, 0))),
  "a million memories": () =>
    wasm(section(5, leb(1_000_000), repeat(1_000_000, 0, 0))),
  "a million types in a group": () =>
    wasm(section(1, 1, 0x4e, leb(1_000_000), repeat(1_000_000, 0x60, 0, 0))),
  "50,000 memories": () => withMemories(50_000),
  "100,000 tables": () => withTables(100_000),
};

for (const [what, make] of Object.entries(BOMBS)) {
  Deno.test(`instrument() refuses ${what} at little cost`, () => {
    const module = make();
    const before = Deno.memoryUsage().rss;
    const start = performance.now();
    try {
      instrument(module, BOTH, { features: ALL_FEATURES });
      assert(false, "accepted");
    } catch (error) {
      if (!SandboxError.is(error)) throw error;
    }
    assertLess(performance.now() - start, 5000);
    assertLess(Deno.memoryUsage().rss - before, 128 * 2 ** 20);
  });
}

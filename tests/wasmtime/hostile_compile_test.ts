import { assert, assertEquals, assertRejects } from "@std/assert";
import { Sandbox, SandboxError } from "../../mod.ts";
import { wasmtimeTest } from "../_wasmtime.ts";
import { body, build, bytes, funcType, leb, name, wat } from "../wasm.ts";

const INLINE = { runtime: "wasmtime", isolation: "inline" } as const;

const repeat = (count: number, each: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => each(index)).join("\n");

/** Loops in each other, each left by one branch. */
function nested(count: number): Uint8Array<ArrayBuffer> {
  const each = Array.from({ length: count }, (_, index) => index);
  return build({
    types: [bytes("60 01 7f 00")],
    functions: [0],
    exports: [[...name("f"), 0, 0]],
    bodies: [
      body([
        each.map(() => [0x03, 0x40]),
        each.map((label) => [0x20, 0, 0x0d, leb(label)]),
        each.map(() => 0x0b),
      ]),
    ],
  });
}

/** Locals that all live through a loop with many branches. */
const merged = (locals: number, branches: number): string =>
  `(module (func (export "f") (param i32) (local ${"i64 ".repeat(locals)})
    (loop
      ${
    repeat(branches, (branch) =>
      `(if (local.get 0) (then ${
        repeat(20, (at) =>
          `(local.set ${1 + (20 * branch + at) % locals} (i64.const 1))`)
      }))`)
  }
      (br_if 0 (local.get 0)))
    ${repeat(locals, (at) => `(drop (local.get ${1 + at}))`)}))`;

/** Sums of locals that all live around a loop. */
const crossed = (locals: number): string =>
  `(module (func (export "f") (param i32) (local ${"i64 ".repeat(locals)})
    (loop
      ${
    repeat(locals, (at) =>
      `(local.set ${1 + (at + 1) % locals} (i64.add
        (local.get ${1 + at}) (local.get ${1 + (at * 7) % locals})))`)
  }
      (br_if 0 (local.get 0)))))`;

/** Bulk operations in a row, each of which becomes a loop. */
const bulk = (count: number): string =>
  `(module (table 9 funcref) (func (export "f") (param i32)
    ${"(table.fill (local.get 0) (ref.null func) (i32.const 5))".repeat(count)}
  ))`;

/** Functions of nothing but locals, in a few bytes each. */
function empty(functions: number, locals = 0): Uint8Array<ArrayBuffer> {
  const code = Uint8Array.from([1, ...leb(locals), 0x7e, 0x0b]);
  return build({
    types: [bytes("60 00 00")],
    functions: Array.from({ length: functions }, () => 0),
    bodies: Array.from(
      { length: functions },
      () => [...leb(code.length), ...code],
    ),
  });
}

/** Calls from which one handler is reached, with a local changed at each. */
function handled(calls: number, locals: number): Uint8Array<ArrayBuffer> {
  const all = Array.from({ length: locals }, (_, index) => leb(index));
  return build({
    types: [bytes("60 00 00")],
    functions: [0, 0],
    exports: [[...name("f"), 0, 1]],
    bodies: [
      body([]),
      body([
        [0x02, 0x40, 0x1f, 0x40, 1, 2, 0],
        Array.from(
          { length: calls },
          (_, at) => [0x10, 0, 0x42, 1, 0x21, leb(at % locals)],
        ),
        [0x0b, 0x0b],
        all.map((index) => [0x20, index, 0x1a]),
      ], [[locals, 0x7e]]),
    ],
  });
}

/** Functions of many parameters and results, which a table holds. */
function wide(functions: number, values: number): Uint8Array<ArrayBuffer> {
  const all = Array.from({ length: functions }, (_, index) => index);
  const types = Array.from({ length: values }, () => 0x7e);
  return build({
    types: [funcType(types, types)],
    functions: all.map(() => 0),
    tables: [bytes("70 00 00")],
    elements: [[3, 0, leb(functions), all.map((index) => leb(index))]],
    bodies: all.map(() => body([0])),
  });
}

/** Calls of what a table holds. */
function lookups(functions: number, calls: number): Uint8Array<ArrayBuffer> {
  const each = body(
    Array.from({ length: calls }, () => [0x41, 0, 0x11, 0, 0]),
  );
  return build({
    types: [bytes("60 00 00")],
    functions: Array.from({ length: functions }, () => 0),
    tables: [bytes("70 00 01")],
    bodies: Array.from({ length: functions }, () => each),
  });
}

wasmtimeTest(
  "Wasmtime does not compile what would take minutes",
  async (_library, t) => {
    const bombs: Readonly<
      Record<string, () => Promise<Uint8Array<ArrayBuffer>>>
    > = {
      "20,000 loops in each other": () => Promise.resolve(nested(19_900)),
      "5,000 locals and 900 branches": () => wat(merged(4_900, 900)),
      "15,000 locals that are summed up": () => wat(crossed(15_000)),
      "15,000 bulk operations": () => wat(bulk(15_000)),
      "300,000 functions of nothing": () => Promise.resolve(empty(300_000)),
      "5,000 functions of locals": () => Promise.resolve(empty(5_000, 49_999)),
      "2,000 calls in a handler": () => Promise.resolve(handled(2_000, 200)),
      "5,000 functions of 2,000 values": () =>
        Promise.resolve(wide(5_000, 1_000)),
      "20 times 12,000 calls by a table": () =>
        Promise.resolve(lookups(20, 12_000)),
    };
    for (const [name, bomb] of Object.entries(bombs)) {
      await t.step(name, async () => {
        const module = await bomb();
        const start = performance.now();
        const error = await assertRejects(() =>
          Sandbox.create({ ...INLINE, module })
        );
        assert(SandboxError.is(error, "module-refused"), String(error));
        assertEquals(error.details.reason, "too much to compile");
        // compiled, each takes more than a minute
        assert(performance.now() - start < 30_000);
      });
    }
  },
);

wasmtimeTest(
  "Wasmtime compiles loops, locals and branches as programs have them",
  async () => {
    const texts = [merged(150, 60), crossed(200), bulk(100)];
    const modules = await Promise.all(texts.map((text) => wat(text)));
    for (const module of [nested(40), ...modules]) {
      await using sandbox = await Sandbox.create({ ...INLINE, module });
      assertEquals(await sandbox.call("f", [0]), undefined);
    }
    await using sandbox = await Sandbox.create({
      ...INLINE,
      module: handled(50, 50),
    });
    assertEquals(await sandbox.call("f", []), undefined);
  },
);

wasmtimeTest(
  "Wasmtime compiles elsewhere what is short and much work",
  async () => {
    // shorter than what is compiled at once, and some 5,000,000 locals
    const module = empty(100, 49_999);
    assert(module.length < 1024);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    try {
      await using _sandbox = await Sandbox.create({ ...INLINE, module });
      assert(turns > 1);
    } finally {
      clearInterval(timer);
    }
  },
);

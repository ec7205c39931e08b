import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { instrument } from "../../runtime/v8/gate.ts";
import { memoryMaxima, PAGE_BYTES } from "../../runtime/v8/link.ts";
import { FUEL_EXPORT, TABLE_EXPORT } from "../../runtime/v8/rewrite.ts";
import { build, bytes, custom, leb, name, wat } from "../wasm.ts";
import { BOTH, call, FULL_TANK, makeGuest, MODES, startOf } from "./_gate.ts";

const NO_LIMITS = { deadline: false, fuel: false, tableElements: 100_000 };

Deno.test("instrument() turns the start function into an export", async () => {
  const module = await wat(`(module (global $g (export "g") (mut i32)
      (i32.const 0))
    (func $start (global.set $g (i32.add (global.get $g) (i32.const 1))))
    (start $start))`);
  for (const mode of [...Object.values(MODES), NO_LIMITS]) {
    const { exports } = makeGuest(module, mode);
    const { g } = exports;
    assert(g instanceof WebAssembly.Global);
    assertEquals(g.value, 0);
    const start = startOf(exports);
    assert(typeof start === "function");
    start();
    assertEquals(g.value, 1);
  }
});

Deno.test("instrument() gives a start export to none that had no start", async () => {
  const module = await wat(`(module (func (export "start")))`);
  assertEquals(startOf(makeGuest(module, BOTH).exports), undefined);
});

Deno.test("instrument() starts with an imported function too", async () => {
  const module = await wat(`(module (import "env" "f" (func $f)) (start $f))`);
  let calls = 0;
  const imports = { env: { f: () => void calls++ } };
  const start = startOf(makeGuest(module, BOTH, { imports }).exports);
  assertEquals(calls, 0);
  assert(typeof start === "function");
  start();
  assertEquals(calls, 1);
});

Deno.test("instrument() starts with no fuel", async () => {
  const module = await wat(`(module (func (export "f") (call $g)) (func $g))`);
  const guest = makeGuest(module, BOTH);
  const tank = guest.exports[FUEL_EXPORT];
  assert(tank instanceof WebAssembly.Global);
  assertEquals(guest.fuel, FULL_TANK);
  guest.fuel = 0n;
  guest.call("f");
  assert(guest.fuel < 0n);
  assertThrows(() => guest.call("f"), WebAssembly.RuntimeError);
});

const growTable = (index: number) =>
  `(func (export "grow${index}") (param i32) (result i32)
    (table.grow ${index} (ref.null func) (local.get 0)))`;

Deno.test("instrument() clamps the growth of a table", async () => {
  const module = await wat(`(module (table 10 funcref) ${growTable(0)})`);
  for (const mode of [...Object.values(MODES), NO_LIMITS]) {
    const guest = makeGuest(module, { ...mode, tableElements: 100 });
    assertEquals(guest.call("grow0", 91), -1);
    assertEquals(guest.call("grow0", 90), 10);
    assertEquals(guest.call("grow0", 1), -1);
    assertEquals(guest.call("grow0", 0), 100);
  }
});

Deno.test("instrument() keeps the maximum of a table that is below the cap", async () => {
  const module = await wat(`(module (table 1 5 funcref) ${growTable(0)})`);
  const guest = makeGuest(module, { ...BOTH, tableElements: 100 });
  assertEquals(guest.call("grow0", 5), -1);
  assertEquals(guest.call("grow0", 4), 1);
});

Deno.test("instrument() shares the cap among tables", async () => {
  const module = await wat(`(module
    (table 10 funcref) (table 20 funcref) (table 0 externref)
    ${growTable(0)} ${growTable(1)}
    (func (export "grow2") (param i32) (result i32)
      (table.grow 2 (ref.null extern) (local.get 0))))`);
  const guest = makeGuest(module, { ...BOTH, tableElements: 100 });
  for (const index of [0, 1, 2]) {
    while (guest.call(`grow${index}`, 1) !== -1);
  }
  const sizes = [0, 1, 2].map((index) => {
    const table = guest.exports[TABLE_EXPORT + index];
    assert(table instanceof WebAssembly.Table);
    return table.length;
  });
  assertEquals(sizes, [33, 43, 23]);
});

Deno.test("memoryImports() clamps the growth of a memory", async () => {
  const module = await wat(`(module (memory 2)
    (func (export "grow") (param i32) (result i32)
      (memory.grow (local.get 0)))
    (func (export "size") (result i32) (memory.size)))`);
  for (const mode of [...Object.values(MODES), NO_LIMITS]) {
    const guest = makeGuest(module, mode, { memoryBytes: 10 * PAGE_BYTES + 1 });
    assertEquals(guest.call("grow", 9), -1);
    assertEquals(guest.call("grow", 8), 2);
    assertEquals(guest.call("grow", 1), -1);
    assertEquals(guest.call("size"), 10);
    const [memory] = Object.values(guest.memories);
    assertThrows(() => memory?.grow(1), RangeError);
  }
});

Deno.test("memoryImports() keeps several memories under one cap", async () => {
  const module = await wat(`(module
    (memory 1) (memory 3) (memory i64 0) (memory 0 2)
    ${
    [["i32", 0], ["i32", 1], ["i64", 2], ["i32", 3]].map(([type, index]) =>
      `(func (export "grow${index}") (param ${type}) (result ${type})
        (memory.grow ${index} (local.get 0)))`
    ).join("\n")
  })`);
  const guest = makeGuest(module, BOTH, { memoryBytes: 24 * PAGE_BYTES });
  for (const index of [0, 1, 2, 3]) {
    const wide = index === 2;
    const failed = wide ? -1n : -1;
    while (guest.call(`grow${index}`, wide ? 1n : 1) !== failed);
  }
  const pages = [0, 1, 2, 3].map((index) =>
    (guest.memories[index]?.buffer.byteLength ?? 0) / PAGE_BYTES
  );
  assertEquals(pages, [6, 8, 5, 2]);
});

Deno.test("memoryMaxima() never gives more than the cap", () => {
  const page = { max: undefined, is64: false, shared: false, imported: false };
  for (const mins of [[0], [1, 2, 3], [100], Array(50).fill(1)]) {
    const memories = mins.map((min: number) => ({ ...page, min }));
    const maxima = memoryMaxima(memories, 101 * PAGE_BYTES - 1);
    assert(maxima.reduce((sum, max) => sum + max) <= 100);
    maxima.forEach((max, index) => assert(max >= (mins[index] ?? 0)));
  }
});

const NAMED = {
  types: [[0x60, 0, 0]],
  functions: [0],
  bodies: [[3, 0, 0, 0x0b]],
};
const functionName = (text: string | Uint8Array) => {
  const encoded = typeof text === "string"
    ? name(text)
    : [...leb(text.length), ...text];
  const payload = [1, 0, ...encoded];
  return [1, ...leb(payload.length), ...payload];
};

/** What an error's stack says of function 0. */
function stackOf(customs: number[][]): string {
  const module = build({
    ...NAMED,
    exports: [[name("f"), 0, 0]],
    customs,
  });
  const { exports } = makeGuest(module, BOTH);
  const error = assertThrows(() => call(exports, "f"));
  assert(error instanceof WebAssembly.RuntimeError);
  return error.stack ?? "";
}

Deno.test("instrument() keeps the names of functions", () => {
  const stack = stackOf([custom("name", functionName("some_function"))]);
  assert(stack.includes("some_function"), stack);
});

Deno.test("instrument() replaces what could forge a line in a name", () => {
  const evil = "a\n    at b (file:///c:1:2)\r\u001b[31m\u0000é\u202e~";
  const stack = stackOf([custom("name", functionName(evil))]);
  assert(stack.includes("a?    at b (file:///c:1:2)??[31m?"), stack);
  // deno-lint-ignore no-control-regex -- what must not be there
  assertFalse(/[\u0000-\u0009\u000b-\u001f\u007f-\uffff]/.test(stack), stack);
  const notText = Uint8Array.of(0x41, 0xff, 0xfe, 0x42);
  const other = stackOf([custom("name", functionName(notText))]);
  assert(other.includes("A??B"), other);
});

Deno.test("instrument() drops other custom sections", () => {
  const customs = [
    custom("a", 1, 2, 3),
    custom("producers", 0),
    custom("sourceMappingURL", name("https://example.com/")),
    custom(".debug_info", 0),
    custom("name", functionName("f")),
    custom("name", functionName("g")),
  ];
  const { code } = instrument(build({ ...NAMED, customs }), BOTH);
  const compiled = new WebAssembly.Module(code);
  const count = (title: string) =>
    WebAssembly.Module.customSections(compiled, title).length;
  assertEquals(
    ["a", "producers", "sourceMappingURL", ".debug_info"].map(count),
    [
      0,
      0,
      0,
      0,
    ],
  );
  assertEquals(count("name"), 1);
});

const MALFORMED_NAMES: Readonly<Record<string, Uint8Array>> = {
  "a size beyond the section": bytes("01 7f 01 00 01 61"),
  "a size that is too short": bytes("01 04 01 00 05 61 62"),
  "a count that does not fit": bytes("01 04 7f 00 01 61"),
  "a name beyond its map": bytes("01 04 01 00 7f 61"),
  "bytes behind a map": bytes("01 05 01 00 01 61 00"),
  "a number that does not end": bytes("01 80 80 80 80 80 80"),
};

for (const [what, payload] of Object.entries(MALFORMED_NAMES)) {
  Deno.test(`instrument() drops names with ${what}`, () => {
    const module = build({ ...NAMED, customs: [custom("name", payload)] });
    const { code } = instrument(module, BOTH);
    const compiled = new WebAssembly.Module(code);
    assertEquals(WebAssembly.Module.customSections(compiled, "name"), []);
  });
}

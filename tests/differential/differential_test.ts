import { assert, assertEquals } from "@std/assert";
import { wasmtimeTest } from "../_wasmtime.ts";
import { compareRange, enginesOf, openRuntimes } from "./_range.ts";
import { RAW } from "./_engines.ts";
import { compare, differ, EXPLAINED_NAME, run, shrink } from "./differ.ts";
import { generate } from "./generate.ts";
import { operators } from "./_operators.ts";

/** Modules that are compared on V8; the task `soak` compares more. */
const ON_V8 = 200;
/** Modules that are compared on all engines, others than those. */
const ON_ALL = 100;

Deno.test("generate() gives the same valid module for the same seed", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { bytes, calls } = generate(seed);
    assert(WebAssembly.validate(bytes), `module ${seed}`);
    assertEquals(generate(seed).bytes, bytes);
    assertEquals(generate(seed).calls, calls);
  }
});

Deno.test("generate() stays valid whatever is left out", () => {
  const { parts } = generate(3);
  for (const part of parts) {
    const { bytes } = generate(3, new Set([part]));
    assert(WebAssembly.validate(bytes), part);
  }
});

Deno.test("generate() uses every instruction that it knows", () => {
  const missing = new Set(
    [...operators(true).values()].flat()
      .map(({ bytes }) => Uint8Array.from(bytes).toHex()),
  );
  const all = missing.size;
  for (let seed = 0; seed < 300 && missing.size > 0; seed++) {
    for (const operator of generate(seed).operators) missing.delete(operator);
  }
  assert(all > 300, `${all}`);
  assertEquals([...missing], []);
});

Deno.test("run() sees when a module does something else", async () => {
  let seen = 0;
  let tried = 0;
  for (let seed = 1; seed < 40; seed++) {
    const module = generate(seed);
    const expected = await run(RAW, module);
    // what is left out here, an engine might get wrong
    for (const part of module.parts.filter((part) => !part.includes("."))) {
      const { bytes } = generate(seed, new Set([part]));
      tried++;
      const report = await run(RAW, { ...module, bytes });
      if (differ(expected, report).lines !== undefined) seen++;
    }
  }
  assert(seen > tried / 3, `${seen} of ${tried}`);
});

Deno.test("shrink() leaves only what makes a difference", async () => {
  const module = generate(5);
  const [first = "", ...others] = module.parts.filter((part) =>
    !part.includes(".")
  );
  const without = await shrink(
    module,
    (parts) => Promise.resolve(!parts.has(first)),
  );
  assert(others.every((part) => without.has(part)));
  assertEquals(without.has(first), false);
});

Deno.test("V8Runtime does what V8 does with random modules", async () => {
  const [runtime] = await openRuntimes();
  await using _ = runtime;
  const engines = enginesOf(runtime === undefined ? [] : [runtime]);
  assertEquals(engines.length, 4);
  const report = await compareRange(engines, { from: 0, count: ON_V8 });
  assertEquals(report.unexplained, []);
  // they must have done something: most calls return, and some trap
  const { returned = 0, "trap: memory": memory = 0 } = report.counts;
  assert(returned > 2 * ON_V8, `${returned} calls returned`);
  assert(memory > 0 && memory < returned, `${memory} calls trapped`);
});

wasmtimeTest(
  "WasmtimeRuntime does what V8 does with random modules",
  async (library) => {
    const [v8, wasmtime] = await openRuntimes(library);
    await using _ = v8;
    await using runtime = wasmtime;
    const engines = enginesOf(runtime === undefined ? [] : [runtime]);
    assertEquals(engines.length, 4);
    const range = { from: ON_V8, count: ON_ALL };
    const report = await compareRange(engines, range);
    assertEquals(report.unexplained, []);
    const { [EXPLAINED_NAME]: explained = 0 } = report.counts;
    assert(explained < ON_ALL, `${explained} differences are explained`);
  },
);

Deno.test("differ() goes on behind an explained difference", () => {
  const report = (...lines: string[]) => ({ lines, fuel: [] });
  const one = report("f(): trap: conversion |", "f() = 1 |");
  const other = report("f(): trap: overflow |", "f() = 2 |");
  assertEquals(differ(one, other), {
    lines: ["f() = 1 |", "f() = 2 |"],
    explained: 1,
  });
  // the other way round it is none
  assertEquals(differ(other, one).explained, 0);
  const full = report("f(): resource stack |", "f() = 1 |");
  assertEquals(differ(full, other), { explained: 1 });
});

Deno.test("compare() sees fuel that is not the same again", async () => {
  let opened = 0;
  const engine = {
    name: "fickle",
    countsFuel: true,
    open: async (...[module, host]: Parameters<typeof RAW.open>) => {
      const session = await RAW.open(module, host);
      const fuel = opened++;
      return { ...session, fuel: () => fuel };
    },
  };
  const found = await compare([RAW, engine], generate(1));
  assertEquals(found.map(({ engines }) => engines), [["fickle", "fickle"]]);
});

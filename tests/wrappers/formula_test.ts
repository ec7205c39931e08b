import { assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import {
  Formula,
  wrappersWithFormula,
} from "../../examples/wrappers/formula.ts";
import { openManifest } from "../../wrappers/manifest/mod.ts";

const module = "examples/wrappers/formula.wasm";

Deno.test("Formula.evaluate() works formulas out", async () => {
  await using formula = await Formula.create({ module });
  const cases: [string, number][] = [
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["-2 ^ 2", 4],
    ["2 ^ 3 ^ 2", 512],
    ["2 ^ -2", 0.25],
    ["10 / 4", 2.5],
    ["5!", 120],
    ["0", 0],
    ["1e20 * 10", 1e21],
    ["1 / 3", 0.333333333333333],
    ["123456789.25", 123456789.25],
    ["1e-7", 1e-7],
    ["-0.5", -0.5],
  ];
  for (const [text, value] of cases) {
    assertEquals(await formula.evaluate(text), value, text);
  }
  const values = { price: 100, vat: 0.19 };
  assertEquals(
    await formula.evaluate("price * (1 + vat)", values),
    119,
  );
});

Deno.test("Formula.evaluate() says what is wrong, and survives what is endless", async () => {
  await using formula = await Formula.create({ module });
  for (const text of ["", "1 +", "(1", "1 2", "x", "1 / 0", "(".repeat(99)]) {
    await assertRejects(() => formula.evaluate(text), SyntaxError);
  }
  await assertRejects(() => formula.evaluate("1".repeat(1_001)), RangeError);
  const error = await assertRejects(
    () => formula.evaluate("1e300!"),
    SandboxError,
  );
  assertEquals(error.code, "limit-exceeded");
  assertEquals(await formula.evaluate("6 * 7"), 42);
});

Deno.test("FORMULA is a section of a manifest, once it is registered", async () => {
  const path = "examples/wrappers/formula.yaml";
  const wrappers = wrappersWithFormula();
  await using formula = await openManifest(path, { wrappers }) as Formula;
  assertEquals(await formula.evaluate("2 * x", { x: 21 }), 42);
  await assertRejects(() => formula.evaluate("1".repeat(201)), RangeError);
});

import { assertEquals, assertStringIncludes } from "@std/assert";
import { createPlugin } from "../../wrappers/extism/mod.ts";
import { wat } from "../wasm.ts";
import { failure, ISOLATIONS, plugin } from "./_plugins.ts";

const CHAIN = [
  { name: "doubler", data: plugin("wat/chain_doubler.wasm") },
  { name: "main", data: plugin("wat/chain_main.wasm") },
];

const COMMAND = [
  { name: "command", data: plugin("wat/command.wasm") },
  { data: plugin("wat/command_main.wasm") },
];

for (const isolation of ISOLATIONS) {
  Deno.test(`createPlugin() links modules that call each other, ${isolation}`, async () => {
    await using chain = await createPlugin({ wasm: CHAIN }, { isolation });
    const output = await chain.call("run");
    // ((((1 * 2 + 1) * 2 + 1) * 2 + 1) … until it is above 100
    assertEquals(output?.getBigUint64(0, true), 126n);
  });

  Deno.test(`createPlugin() begins a linked command anew for each call, ${isolation}`, async () => {
    await using main = await createPlugin({ wasm: COMMAND }, { isolation });
    for (let round = 0; round < 5; round++) {
      // the start function of that one instance, and nothing else
      assertEquals((await main.call("run"))?.getBigUint64(0, true), 1n);
    }
  });
}

Deno.test("createPlugin() initializes linked reactors before the main module", async () => {
  const data = await wat(`(module
    (global $value (mut i64) (i64.const 1))
    (func (export "_initialize") (global.set $value (i64.const 7)))
    (func (export "double") (param i64) (result i64) (global.get $value)))`);
  const wasm = [{ name: "doubler", data }, ...CHAIN.slice(1)];
  await using chain = await createPlugin({ wasm });
  assertEquals((await chain.call("run"))?.getBigUint64(0, true), 7n);
});

Deno.test("createPlugin() says which linked module is missing", async () => {
  const error = await failure(
    createPlugin({ wasm: CHAIN.slice(1) }),
    "import-not-granted",
  );
  assertStringIncludes(error.message, '"doubler"');
  assertEquals(error.details.missing.map(({ name }) => name), ["double"]);
});

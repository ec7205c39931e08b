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

for (const isolation of ISOLATIONS) {
  Deno.test(`createPlugin() ends commands that call each other for ever, ${isolation}`, async () => {
    const command = (own: string, other: string) =>
      wat(`(module
        (import "${other}" "go" (func $go))
        (func (export "_start"))
        (func (export "go") (call $go))
        (func (export "${own}")))`);
    const wasm = [
      { name: "ping", data: await command("ping", "pong") },
      { name: "pong", data: await command("pong", "ping") },
      {
        data: await wat(`(module
          (import "ping" "go" (func $go))
          (import "ping" "ping" (func $ping))
          (func (export "well") (result i32) (call $ping) (i32.const 0))
          (func (export "run") (result i32) (call $go) (i32.const 0)))`),
      },
    ];
    await using main = await createPlugin({ wasm }, { isolation });
    for (let round = 0; round < 3; round++) {
      const { details } = await failure(main.call("run"), "limit-exceeded");
      assertEquals(details.limit, "instances");
      assertEquals(await main.call("well"), null);
    }
  });
}

Deno.test("createPlugin() refuses commands whose fuel nobody counts", async () => {
  const options = { limits: { fuel: 1_000_000 } };
  const { message } = await failure(
    createPlugin({ wasm: COMMAND }, options),
    "unsupported",
  );
  assertStringIncludes(message, "leave fuel out");
});

Deno.test("createPlugin() says which linked module is missing", async () => {
  const error = await failure(
    createPlugin({ wasm: CHAIN.slice(1) }),
    "import-not-granted",
  );
  assertStringIncludes(error.message, '"doubler"');
  assertEquals(error.details.missing.map(({ name }) => name), ["double"]);
});

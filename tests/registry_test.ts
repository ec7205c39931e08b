import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Registry, RuntimeFactory, SandboxError, V8Runtime } from "../mod.ts";

Deno.test("Registry.create() makes what was registered, with its options", async () => {
  const registry = new Registry<string, { readonly text: string }>("shout");
  registry
    .register("loud", ({ text }) => text.toUpperCase())
    .register("later", async ({ text }) => await Promise.resolve(`${text}!`));
  assertEquals(await registry.create("loud", { text: "a" }), "A");
  assertEquals(await registry.create("later", { text: "b" }), "b!");
  assertEquals([...registry], ["loud", "later"]);
  assert(registry.has("loud"));
});

Deno.test("Registry.create() suggests the nearest name", async () => {
  const registry = new Registry<string>("runtime").register(
    "wasmtime",
    () => "",
  );
  const error = await assertRejects(
    () => registry.create("wasmtme"),
    SandboxError,
    'did you mean "wasmtime"?',
  );
  assert(SandboxError.is(error, "unknown-name"));
  assertEquals(error.details, {
    kind: "runtime",
    name: "wasmtme",
    suggestion: "wasmtime",
  });
});

Deno.test("Registry.create() lists the names where none is near", async () => {
  const registry = new Registry<string>("runtime").register("v8", () => "");
  const error = await assertRejects(() => registry.create("spidermonkey"));
  assertStringIncludes((error as Error).message, 'known are: "v8"');
  for (const name of ["__proto__", "constructor", "toString", ""]) {
    await assertRejects(() => registry.create(name), SandboxError);
  }
});

Deno.test("Registry.register() refuses a name that is taken", async () => {
  const registry = new Registry<number>("thing").register("one", () => 1);
  assertThrows(
    () => registry.register("one", () => 2),
    TypeError,
    'Cannot register thing "one": the name is taken',
  );
  assertEquals(await registry.create("one"), 1);
  registry.register("one", () => 3, { override: true });
  assertEquals(await registry.create("one"), 3);
  assertThrows(() => registry.register("", () => 1), TypeError);
});

Deno.test("RuntimeFactory has the built-in runtimes, each factory its own", async () => {
  const factory = new RuntimeFactory();
  await using runtime = await factory.create("v8");
  assertInstanceOf(runtime, V8Runtime);
  factory.register("mine", () => new V8Runtime());
  assertEquals([...factory], ["v8", "wasmtime", "wasmer", "mine"]);
  assertEquals([...new RuntimeFactory()], ["v8", "wasmtime", "wasmer"]);
});

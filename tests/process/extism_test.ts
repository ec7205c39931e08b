import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type ExtismOptions,
  extismService,
  functionNames,
} from "../../communication/extism/mod.ts";
import { SandboxError } from "../../errors.ts";
import type { GuestInstance } from "../../runtime/guest_source.ts";
import { open, services, text } from "./_process.ts";
import { wat } from "../wasm.ts";

const ENCODER = new TextEncoder();

/** A plug-in whose output is what the host's function makes of its input. */
function plugin(): Promise<Uint8Array<ArrayBuffer>> {
  return wat(`(module
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "output_set"
      (func $output (param i64 i64)))
    (import "extism:host/user" "f" (func $f (param i64) (result i64)))
    (memory (export "memory") 1)
    (func (export "quiet") (result i32) (i32.const 0))
    (func (export "run") (result i32)
      (local $answer i64)
      (local.set $answer (call $f (call $input)))
      (call $output (local.get $answer) (call $length (local.get $answer)))
      (i32.const 0)))`);
}

async function start(
  options: ExtismOptions,
): Promise<{ instance: GuestInstance } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(
    await open(await plugin(), {
      limits: { hostCalls: 100 },
      services: services({ extism: extismService(options) }),
      extism: { settings: {}, functions: functionNames(options.functions) },
    }),
  );
  const instance = stack.use(await source.instantiate({}));
  const moved = stack.move();
  return { instance, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

Deno.test("a plug-in calls the host's functions with its blocks and variables", async () => {
  await using plugin = await start({
    functions: {
      "extism:host/user": {
        async f(context, block) {
          const count = context.getVariable("count")?.text() ?? "";
          context.setVariable("count", `${count}x`);
          await Promise.resolve();
          return context.store(
            `${context.read(block as bigint)?.text()}${count}`,
          );
        },
      },
    },
  });
  const run = async () =>
    text(await plugin.instance.exchange("run", ENCODER.encode("a\0ü")));
  assertEquals([await run(), await run(), await run()], [
    "a\0ü",
    "a\0üx",
    "a\0üxx",
  ]);
});

Deno.test("a plug-in whose function of the host throws ends with its error", async () => {
  const bug = new Error("boom");
  await using plugin = await start({
    functions: {
      "extism:host/user": {
        f() {
          throw bug;
        },
      },
    },
  });
  const error = await assertRejects(
    () => plugin.instance.exchange("run", new Uint8Array(1)),
    SandboxError,
  );
  assert(SandboxError.is(error, "host-function-failed"), error.message);
  assertEquals(error.details.import, { module: "extism:host/user", name: "f" });
  assert(error.cause === bug);
});

Deno.test("a plug-in without output is told of, as often as it is called", async () => {
  let told = 0;
  await using plugin = await start({
    functions: { "extism:host/user": { f: (_, block) => block } },
    onNoOutput: () => told++,
  });
  for (let call = 0; call < 120; call++) {
    const reply = await plugin.instance.exchange("quiet", new Uint8Array(1));
    assertEquals(reply.length, 0);
  }
  assertEquals(told, 120);
});

/**
 * Messages, modules, functions and the stack.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { SandboxOptions } from "../../mod.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import { wat } from "../wasm.ts";
import { assertRefused, create, ends, type Isolation } from "./_common.ts";
import { echo } from "./_guest.ts";

/** Tries out `messageBytes`. */
export async function testMessageBytes(isolation: Isolation): Promise<void> {
  const limits = { messageBytes: 100 };
  for (const instance of ["reuse", "fresh"] as const) {
    await using sandbox = await create(await echo(), isolation, {
      limits,
      instance,
    });
    const reply = (bytes: number) =>
      sandbox.call<Uint8Array>(
        "reply",
        new Uint8Array(Uint32Array.of(bytes).buffer),
      );
    assertEquals(await sandbox.call("echo", "x".repeat(98)), "x".repeat(98));
    // bytes are counted, not letters
    assertEquals(await sandbox.call("echo", "ä".repeat(49)), "ä".repeat(49));
    const bytes = new Uint8Array(100).fill(7);
    assertEquals(await sandbox.call("echo", bytes), bytes);
    assertEquals((await reply(100)).length, 100);
    for (
      const [run, size] of [
        [() => sandbox.call("echo", "x".repeat(99)), 101],
        [() => sandbox.call("echo", "ä".repeat(50)), 102],
        [() => sandbox.call("echo", new Uint8Array(101)), 101],
        [() => reply(101), 101],
      ] as const
    ) {
      const { allowed, used } = await ends("messageBytes", run);
      assertEquals({ allowed, used }, { allowed: 100, used: size });
      await sandbox.reset();
    }
    assertEquals(sandbox.usage().limits.messageBytes, { allowed: 100 });
  }
}

/** Tries out `moduleBytes`. */
export async function testModuleBytes(isolation: Isolation): Promise<void> {
  const bytes = await echo();
  const path = await Deno.makeTempFile({ suffix: ".wasm" });
  await Deno.writeFile(path, bytes);
  const pieces = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
          controller.close();
        },
      }),
    );
  const sources: (() => SandboxOptions["module"])[] = [
    () => bytes,
    () => path,
    () => new URL(`file://${path}`),
    () => new URL(`data:application/wasm;base64,${bytes.toBase64()}`),
    pieces,
  ];
  try {
    for (const source of sources) {
      const limits = { moduleBytes: bytes.length };
      await using sandbox = await create(source(), isolation, { limits });
      assertEquals(sandbox.usage().limits.moduleBytes, {
        allowed: bytes.length,
        used: bytes.length,
      });
      const { allowed, used } = await ends(
        "moduleBytes",
        () =>
          create(source(), isolation, {
            limits: { moduleBytes: bytes.length - 1 },
          }),
      );
      assertEquals(allowed, bytes.length - 1);
      assertEquals(used, bytes.length);
    }
  } finally {
    await Deno.remove(path);
  }
}

/** Tries out `functionBytes`. */
export async function testFunctionBytes(isolation: Isolation): Promise<void> {
  // a count of locals, no-operations, and an end
  const module = (length: number) =>
    wat(`(module (func (export "run") ${"nop ".repeat(length - 2)}))`);
  const limits = { functionBytes: 100 };
  await using sandbox = await create(await module(100), isolation, { limits });
  await sandbox.call("run");
  const tooLong = await module(101);
  const { allowed, used } = await ends(
    "functionBytes",
    () => create(tooLong, isolation, { limits }),
  );
  assertEquals({ allowed, used }, { allowed: 100, used: 101 });
}

/** How deep a guest recurses before its stack ends, and what that is told as. */
export async function testStack(isolation: Isolation): Promise<void> {
  const module = await wat(`(module
    (import "env" "deep" (func $deep (param i32)))
    (func $down (export "down") (param i32)
      (call $deep (local.get 0))
      (call $down (i32.add (local.get 0) (i32.const 1)))
      (drop (i32.const 0))))`);
  let depth = 0;
  const imports = { env: { deep: (at: number) => void (depth = at) } };
  const deepest = async (limits: ResourceLimits) => {
    await using sandbox = await create(module, isolation, { limits, imports });
    const details = await ends(
      limits.stackBytes === undefined ? "stack" : "stackBytes",
      () => sandbox.call("down", [0]),
    );
    assertEquals(details.allowed, limits.stackBytes ?? 984 * 1_024);
    assertEquals(sandbox.enforcement().limits.stack?.level, "hard");
    return depth;
  };
  const usual = await deepest({ timeoutMs: 60_000 });
  if (isolation === "inline") {
    return await assertRefused("stackBytes", isolation);
  }
  const short = await deepest({ stackBytes: 256 * 1_024, timeoutMs: 60_000 });
  assert(short * 2 < usual && short * 8 > usual, `${short} of ${usual}`);
}

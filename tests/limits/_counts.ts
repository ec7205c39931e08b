/**
 * What is counted: input, calls, messages and instances.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Sandbox } from "../../mod.ts";
import { create, ENDLESS, ends, type Isolation } from "./_common.ts";
import { echo, limitedGuest, times } from "./_guest.ts";

/** Tries out `stdin`. */
export async function testStdin(isolation: Isolation): Promise<void> {
  // reads pieces of so many bytes, to the end
  const module = await limitedGuest(`(call $buffer (local.get $n))
    (block (loop
      (br_if 1 (call $fd_read (i32.const 0) (i32.const 32) (i32.const 1)
        (i32.const 52)))
      (br_if 1 (i32.eqz (i32.load (i32.const 52))))
      (local.set $e (i32.add (local.get $e) (i32.load (i32.const 52))))
      (br 0)))
    (local.get $e)`);
  await using sandbox = await create(module, isolation, {
    limits: { stdinBytes: 1_000 },
    imports: { env: { tick: () => 0 } },
  });
  const stream = (length: number) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < length; at++) {
          controller.enqueue(new Uint8Array(1));
        }
        controller.close();
      },
    });
  const inputs = [(n: number) => new Uint8Array(n), stream];
  for (const input of inputs) {
    for (const piece of ["1", "7", "1000", "60000"]) {
      const run = async (length: number) =>
        (await sandbox.execute([piece], { stdin: input(length) })).exitCode;
      assertEquals(await run(1_000), 1_000);
      assertEquals(sandbox.usage().limits.stdinBytes?.used, 1_000);
      const { allowed, used } = await ends("stdinBytes", () => run(1_001));
      assertEquals({ allowed, used }, { allowed: 1_000, used: 1_001 });
    }
  }
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(500)),
  });
  await ends("stdinBytes", () => sandbox.execute(["99"], { stdin: endless }));
  assertEquals(sandbox.usage().limits.stdinBytes?.used, 1_000);
}

/** Tries out `hostCalls`. */
export async function testHostCalls(isolation: Isolation): Promise<void> {
  // functions of the host and of WASI, in turn
  const module = await limitedGuest(times(`(if (result i32)
    (i32.and (local.get $n) (i32.const 1))
    (then (call $tick (local.get $n)))
    (else (call $fd_close (i32.const 99))))`));
  let ticks = 0;
  for (const instance of ["reuse", "fresh"] as const) {
    await using sandbox = await create(module, isolation, {
      limits: { hostCalls: 6 },
      imports: { env: { tick: () => ++ticks } },
      instance,
    });
    const call = (calls: number) => sandbox.call("run", [calls]);
    // a program takes its arguments and exits as well
    const execute = (calls: number) => sandbox.execute([String(calls - 2)]);
    for (const run of [call, execute]) {
      await run(6);
      assertEquals(sandbox.usage().limits.hostCalls, { allowed: 6, used: 6 });
      await sandbox.reset();
      const { allowed, used } = await ends("hostCalls", () => run(7));
      assertEquals({ allowed, used }, { allowed: 6, used: 7 });
      assertEquals(sandbox.usage().limits.hostCalls, { allowed: 6, used: 6 });
      await sandbox.reset();
    }
    ticks = 0;
    await ends("hostCalls", () => sandbox.call("run", [1_000]));
    assertEquals(ticks, 3);
    await sandbox.reset();
    if (instance === "fresh") continue;
    // of an instance, not of a call
    await sandbox.call("run", [4]);
    await ends("hostCalls", () => sandbox.call("run", [4]));
  }
}

/** Tries out `messages`. */
export async function testMessages(isolation: Isolation): Promise<void> {
  for (const instance of ["reuse", "fresh"] as const) {
    await using sandbox = await create(await echo(), isolation, {
      limits: { messages: 5 },
      instance,
    });
    assertEquals(await sandbox.call("answer"), 42);
    await sandbox.call("echo", "one");
    await sandbox.reset();
    await sandbox.call("echo", Uint8Array.of(2));
    // the request may pass, and the reply not
    const { allowed, used } = await ends(
      "messages",
      () => sandbox.call("echo", 3),
    );
    assertEquals({ allowed, used }, { allowed: 5, used: 6 });
    await sandbox.reset();
    await ends("messages", () => sandbox.call("echo", 3));
    assertEquals(sandbox.usage().limits.messages, { allowed: 5, used: 5 });
    assertEquals(sandbox.enforcement().limits.messages?.level, "hard");
    assertEquals(await sandbox.call("answer"), 42);
  }
}

/** Tries out `instances`. */
export async function testInstances(isolation: Isolation): Promise<void> {
  const module = await limitedGuest(ENDLESS);
  const options = {
    limits: { instances: 3, timeoutMs: 300 },
    imports: { env: { tick: () => 0 } },
  };
  const uses: ((sandbox: Sandbox) => Promise<unknown>)[] = [
    (sandbox) => sandbox.reset(),
    (sandbox) => sandbox.execute(["1"]),
    // one that is killed is one as well
    (sandbox) =>
      sandbox.execute(["7"]).catch((error) => {
        if (error.details.limit !== "timeoutMs") throw error;
      }),
  ];
  for (const use of uses) {
    await using sandbox = await create(module, isolation, options);
    await sandbox.call("run", [1]);
    await use(sandbox);
    await use(sandbox);
    assertEquals(sandbox.usage().limits.instances, { allowed: 3, used: 3 });
    const { allowed, used } = await ends("instances", () => use(sandbox));
    assertEquals({ allowed, used }, { allowed: 3, used: 4 });
    assertEquals(sandbox.usage().limits.instances, { allowed: 3, used: 3 });
    assertEquals(sandbox.enforcement().limits.instances?.level, "hard");
  }
  await using fresh = await create(module, isolation, {
    ...options,
    instance: "fresh",
  });
  for (let call = 0; call < 3; call++) await fresh.call("run", [1]);
  await ends("instances", () => fresh.call("run", [1]));
}

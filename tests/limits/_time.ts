/**
 * Deadlines and CPU time.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { childrenOf } from "../process/_process.ts";
import { wat } from "../wasm.ts";
import {
  assertRefused,
  create,
  ENDLESS,
  ends,
  type Isolation,
  late,
} from "./_common.ts";
import { limitedGuest } from "./_guest.ts";

function never(): Promise<void> {
  return new Promise(() => {});
}

function block(ms: number): number {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return 0;
}

/** Tries out `deadlines`. */
export async function testDeadlines(isolation: Isolation): Promise<void> {
  const limits = { timeoutMs: 300 };
  const module = await limitedGuest(ENDLESS);
  let slow: () => unknown = () => block(400);
  const imports = { env: { tick: () => slow() as number } };
  for (const instance of ["reuse", "fresh"] as const) {
    await using sandbox = await create(module, isolation, {
      limits,
      imports,
      instance,
    });
    const { level, allowed, by } = sandbox.enforcement().limits.timeoutMs ?? {};
    assertEquals({ level, allowed }, { level: "hard", allowed: 300 });
    assertEquals(by?.includes("kills"), isolation === "process");
    const again = async (ms: number, run: () => Promise<unknown>) => {
      await late(ms, run);
      await sandbox.reset();
      assertEquals(await sandbox.call("run", [1]), 1);
    };
    await again(300, () => sandbox.call("run", [7]));
    await again(50, () => sandbox.call("run", [7], { timeoutMs: 50 }));
    await again(300, () => sandbox.call("run", [7], { timeoutMs: 60_000 }));
    await again(300, () => sandbox.call("run", [6]));
    slow = () => block(400);
    await again(300, () => sandbox.call("run", [8]));
    if (isolation === "process") {
      slow = never;
      await again(300, () => sandbox.call("run", [8]));
      await again(50, () => sandbox.call("run", [8], { timeoutMs: 50 }));
    }
    assertEquals((await sandbox.execute(["1"])).exitCode, 1);
    await again(300, () => sandbox.execute(["7"]));
    await again(50, () => sandbox.execute(["7"], { timeoutMs: 50 }));
    await again(300, () => sandbox.execute(["7"], { timeoutMs: 60_000 }));
  }
  await testDeadlineOfStreams(module, isolation);
  await testDeadlineOfStart(isolation);
}

/** Streams that give nothing, or take nothing. */
async function testDeadlineOfStreams(
  module: Uint8Array<ArrayBuffer>,
  isolation: Isolation,
): Promise<void> {
  await using sandbox = await create(module, isolation, {
    limits: { timeoutMs: 300 },
    imports: { env: { tick: () => 0 } },
  });
  const silent = () => new ReadableStream<Uint8Array>({ pull: never });
  const stuck = () => new WritableStream<Uint8Array>({ write: never });
  for (const timeoutMs of [undefined, 50, 60_000]) {
    const allowed = Math.min(300, timeoutMs ?? 300);
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    await late(
      allowed,
      () => sandbox.execute(["9"], { stdin: silent(), ...options }),
    );
    await late(
      allowed,
      () => sandbox.execute(["5"], { stdout: stuck(), ...options }),
    );
  }
  for (const timeoutMs of [0, NaN, -1, "9" as unknown as number]) {
    await assertRejects(
      () => sandbox.execute(["9"], { stdin: silent(), timeoutMs }),
      TypeError,
    );
  }
  assertEquals((await sandbox.execute(["5"])).stdout.length, 9);
}

async function testDeadlineOfStart(isolation: Isolation): Promise<void> {
  const start = await wat(`(module (func $spin (loop br 0)) (start $spin))`);
  const reactor = await limitedGuest(
    "(local.get $n)",
    `(func (export "_initialize") (loop br 0))`,
  );
  for (const module of [start, reactor]) {
    await late(300, () =>
      create(module, isolation, {
        limits: { timeoutMs: 300 },
        imports: { env: { tick: () => 0 } },
      }));
    assertEquals(childrenOf(Deno.pid), []);
  }
}

/** Tries out `cpu`. */
export async function testCpu(isolation: Isolation): Promise<void> {
  if (isolation === "inline") return await assertRefused("cpuMs", isolation);
  const limits = { cpuMs: 700, timeoutMs: 20_000 };
  const imports = { env: { tick: () => 0 } };
  const module = await limitedGuest(ENDLESS);
  await using sandbox = await create(module, isolation, { limits, imports });
  const { level, by = "" } = sandbox.enforcement().limits.cpuMs ?? {};
  assertEquals(level, "hard");
  assert(by.includes("RLIMIT_CPU"), by);
  assertEquals(await sandbox.call("run", [1]), 1);
  for (
    const run of [
      () => sandbox.call("run", [7]),
      () => sandbox.execute(["7"]),
    ]
  ) {
    const start = performance.now();
    // what the kernel can: whole seconds
    const { allowed } = await ends("cpuMs", run);
    assertEquals(allowed, 1_000);
    assert(performance.now() - start < 5_000);
    await sandbox.reset();
    assertEquals(await sandbox.call("run", [1]), 1);
  }
}

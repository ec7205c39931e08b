/**
 * Fuel.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Sandbox, SandboxError } from "../../mod.ts";
import { wat } from "../wasm.ts";
import { create, ENDLESS, ends, type Isolation, late } from "./_common.ts";
import { limitedGuest, times } from "./_guest.ts";

const BUSY = times(`(call $next) (drop (call $put (i32.const 1)
    (local.get $n))) (drop (call $open (i32.const 1)))
  (drop (call $tick (i32.const 0)))
  (call $fd_close (i32.load (i32.const 48)))`);

async function fuelUsed(
  isolation: Isolation,
  run: (sandbox: Sandbox) => Promise<unknown>,
): Promise<number> {
  await using sandbox = await create(await limitedGuest(BUSY), isolation, {
    limits: { fuel: 1_000_000 },
    imports: { env: { tick: () => 0 } },
  });
  await run(sandbox);
  const { used = 0 } = sandbox.usage().limits.fuel ?? {};
  return used;
}

/** Tries out `fuel`. */
export async function testFuel(isolation: Isolation): Promise<void> {
  const other = isolation === "inline" ? "process" : "inline";
  const calls = (sandbox: Sandbox) => sandbox.call("run", [5]);
  const executes = (sandbox: Sandbox) => sandbox.execute(["5"]);
  for (const run of [calls, executes]) {
    const one = await fuelUsed(isolation, run);
    assert(one > 100, String(one));
    assertEquals(await fuelUsed(other, run), one);
    for (const instance of ["reuse", "fresh"] as const) {
      await using sandbox = await create(
        await limitedGuest(BUSY),
        isolation,
        {
          limits: { fuel: 3 * one },
          imports: { env: { tick: () => 0 } },
          instance,
        },
      );
      // neither a new instance nor a reset gives any back
      await run(sandbox);
      await sandbox.reset();
      await run(sandbox);
      await run(sandbox);
      assertEquals(sandbox.usage().limits.fuel?.used, 3 * one);
      await sandbox.reset();
      const { allowed } = await ends("fuel", () => run(sandbox));
      assertEquals(allowed, 3 * one);
      await sandbox.reset();
      await ends("fuel", () => run(sandbox));
      await sandbox.reset();
      sandbox.addFuel(one + 100);
      await run(sandbox);
    }
  }
  await testFuelOfTheCut(isolation);
  await testFuelOfTheStart(isolation);
  await testFuelOfTheSleeping(isolation);
  if (isolation === "process") await testFuelAddedMeanwhile();
}

/** A guest that was cut short has used all: nobody knows how much. */
async function testFuelOfTheCut(isolation: Isolation): Promise<void> {
  const module = await limitedGuest(ENDLESS);
  const fuel = 10 ** 12;
  for (const instance of ["reuse", "fresh"] as const) {
    for (const how of ["call", "execute", "abort", "reset"]) {
      // inline nothing else happens while a guest runs
      if (isolation === "inline" && /abort|reset/.test(how)) continue;
      if (instance === "fresh" && how === "reset") continue;
      await using sandbox = await create(module, isolation, {
        limits: { fuel, timeoutMs: 200 },
        imports: { env: { tick: () => 0 } },
        instance,
      });
      await sandbox.call("run", [1]);
      if (how === "call") await late(200, () => sandbox.call("run", [7]));
      if (how === "execute") await late(200, () => sandbox.execute(["7"]));
      if (how === "abort") {
        const signal = AbortSignal.timeout(100);
        await assertRejects(() => sandbox.call("run", [7], { signal }));
      }
      if (how === "reset") {
        const call = assertRejects(() => sandbox.call("run", [7]));
        await sandbox.reset();
        await call;
      }
      assertEquals(sandbox.usage().limits.fuel, { allowed: fuel, used: fuel });
      await sandbox.reset();
      await ends("fuel", () => sandbox.call("run", [1]));
    }
  }
}

/** What a start function burns counts, though nothing came of the instance. */
async function testFuelOfTheStart(isolation: Isolation): Promise<void> {
  const module = await wat(`(module
    (import "env" "tick" (func $tick (param i32) (result i32)))
    (memory 1)
    (func $start (local $i i32)
      (if (call $tick (i32.const 0)) (then
        (local.set $i (i32.const 1000))
        (loop (local.set $i (i32.sub (local.get $i) (i32.const 1)))
          (br_if 0 (local.get $i)))
        unreachable)))
    (start $start)
    (func (export "answer") (result i32) (i32.const 42)))`);
  let traps = 0;
  await using sandbox = await create(module, isolation, {
    limits: { fuel: 20_000 },
    imports: { env: { tick: () => traps } },
  });
  traps = 1;
  await assertRejects(() => sandbox.reset(), SandboxError);
  const { used = 0 } = sandbox.usage().limits.fuel ?? {};
  assert(used > 3_000, String(used));
  traps = 0;
  for (let turn = 0; turn < 10; turn++) await sandbox.reset().catch(() => {});
  assert((sandbox.usage().limits.fuel?.used ?? 0) >= used);
}

/** Without a deadline, fuel bounds the time that a guest sleeps. */
async function testFuelOfTheSleeping(isolation: Isolation): Promise<void> {
  await using sandbox = await create(await limitedGuest(ENDLESS), isolation, {
    limits: { fuel: 1_000_000, timeoutMs: Infinity },
    imports: { env: { tick: () => 0 } },
  });
  const signal = AbortSignal.timeout(5_000);
  await ends("fuel", () => sandbox.call("run", [6], { signal }));
}

/** Fuel that is added while a guest runs is added to what it leaves. */
async function testFuelAddedMeanwhile(): Promise<void> {
  const module = await limitedGuest(`${BUSY} drop ${ENDLESS}`);
  let tick: () => unknown = () => 0;
  await using sandbox = await create(module, "process", {
    limits: { fuel: 1_000_000 },
    imports: { env: { tick: () => tick() as number } },
  });
  await sandbox.call("run", [5]);
  const one = sandbox.usage().limits.fuel?.used ?? 0;
  tick = () => {
    sandbox.addFuel(100);
    return 0;
  };
  await sandbox.call("run", [1]);
  tick = () => 0;
  await sandbox.call("run", [5]);
  const { used = 0, allowed } = sandbox.usage().limits.fuel ?? {};
  assertEquals(allowed, 1_000_100);
  assert(used > 2 * one, `${used}`);
  sandbox.addFuel(0);
  await sandbox.call("run", [5]);
  assertEquals(sandbox.usage().limits.fuel?.used, used + one);
}

import { assert, assertEquals } from "@std/assert";
import { Sandbox } from "../../mod.ts";
import { realm } from "../../runtime/v8/realm.ts";
import { SLOTS } from "../../runtime/v8/watchdog.ts";
import { assertAtRest } from "./_waits.ts";
import { wat } from "../wasm.ts";
import { aim } from "./aim.ts";

const GUEST = await wat(`(module
  (func (export "spin") (param i32) (loop
    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "answer") (result i32) (i32.const 42))
  (func (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1)
        (call 2 (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))`);

Deno.test("Watchdog stops no call early, and none but the late one", async () => {
  const report = await aim(GUEST, 500);
  assert(report.returned > 0 && report.stopped > 0, JSON.stringify(report));
  assertEquals([report.early, report.innocent], [0, 0]);
  await assertAtRest();
});

Deno.test("Watchdog is at rest after calls at any depth of the host's stack", async () => {
  await using sandbox = await Sandbox.create({ module: GUEST });
  let failed = 0;
  const descend = (): void => {
    try {
      descend();
    } catch {
      // near the end of the stack each frame on the way up tries a call
    }
    try {
      sandbox.callSync("answer");
    } catch {
      failed++;
    }
  };
  descend();
  assert(failed > 0);
  await assertAtRest();
  await sandbox.reset();
  assertEquals(sandbox.callSync("answer"), 42);
  assertEquals(sandbox.callSync("deep", [100]), 100);
});

Deno.test("Watchdog falls asleep and is woken by the next call", async () => {
  await using sandbox = await Sandbox.create({
    module: GUEST,
    limits: { timeoutMs: 50 },
  });
  const { words } = await realm.watchdog();
  for (let round = 0; round < 3; round++) {
    assertEquals(sandbox.callSync("answer"), 42);
    const end = performance.now() + 10_000;
    while (Atomics.load(words, SLOTS) === 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert(Atomics.load(words, SLOTS) < 0, "does not fall asleep");
  }
  const start = performance.now();
  await sandbox.call("spin", [0]).catch(() => {});
  assert(performance.now() - start < 5_000);
  await assertAtRest();
});

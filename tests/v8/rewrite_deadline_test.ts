import { assert, assertEquals } from "@std/assert";
import { Worker } from "node:worker_threads";
import { wat } from "../wasm.ts";
import { BOTH, call, type Guest, makeFlag, makeGuest, MODES } from "./_gate.ts";

/** How long a guest runs before the flag is set. */
const RUN_MS = 20;
/** A guest that runs on for so long has no check in its way. */
const HANG_MS = 30_000;

/**
 * Sets the flag to 0 some time after the first word has become 1, from a
 * thread of its own, and kills the process if the word does not become 2.
 */
const SETTER = `
const { workerData: { words, flag } } = require("node:worker_threads");
Atomics.wait(words, 0, 0);
Atomics.wait(words, 0, 1, ${RUN_MS});
Atomics.store(flag, 0, 0);
if (Atomics.wait(words, 0, 1, ${HANG_MS}) === "timed-out") {
  process.kill(process.pid, "SIGKILL");
}`;

/** Runs `run` in the guest until it traps, and tells how. */
async function runUntilFlag(guest: Guest): Promise<unknown> {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const flag = new Int32Array(guest.flag.buffer);
  const worker = new Worker(SETTER, {
    eval: true,
    workerData: { words, flag },
  });
  await new Promise((resolve) => worker.once("online", resolve));
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  try {
    return call(guest.exports, "run");
  } catch (error) {
    return error;
  } finally {
    Atomics.store(words, 0, 2);
    Atomics.notify(words, 0);
    await worker.terminate();
  }
}

const ENDLESS: Readonly<Record<string, string>> = {
  "a loop": `(func (export "run") (loop (br 0)))`,
  "a loop by br_if": `(func (export "run") (loop (br_if 0 (i32.const 1))))`,
  "a loop with an if": `(func (export "run")
    (loop (if (i32.const 1) (then (br 1)))))`,
  "a counted loop": `(func (export "run") (local i64)
    (loop (br_if 0 (i64.ne (i64.const -1)
      (local.tee 0 (i64.add (local.get 0) (i64.const 1)))))))`,
  "two loops in turn": `(func (export "run")
    (loop $a (loop $b (br_if $b (i32.const 0)) (br $a))))`,
  "recursion like a tree": `(func $f (param i32)
      (if (local.get 0) (then
        (call $f (i32.sub (local.get 0) (i32.const 1)))
        (call $f (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "run") (call $f (i32.const 200)))`,
  "return_call": `(func $f (export "run") (return_call $f))`,
  "return_call to each other": `(func $f (export "run") (return_call $g))
    (func $g (return_call $f))`,
  "return_call_indirect": `(table funcref (elem $f))
    (func $f (export "run") (return_call_indirect (i32.const 0)))`,
  "a catch_all around a loop": `(func (export "run")
    (loop (try (do (loop (br 0))) (catch_all (br 1)))))`,
  "a catch_all around a call": `(func $f (loop (br 0)))
    (func (export "run") (loop (try (do (call $f)) (catch_all (br 1)))))`,
  "try_table and its catch_all": `(func $f (loop (br 0)))
    (func (export "run") (loop $next
      (try_table (catch_all $next) (call $f)) (br $next)))`,
  "a clause that goes back to a loop": `(tag $t)
    (func (export "run") (loop $next
      (try_table (catch $t $next) (throw $t))))`,
  "throw and catch": `(tag $t)
    (func (export "run") (loop (try (do (throw $t)) (catch $t (br 1)))))`,
  "throw and catch across a call": `(tag $t) (func $f (throw $t))
    (func (export "run") (loop
      (try (do (call $f)) (catch_all (br 1))) (br 0)))`,
  "throw_ref": `(tag $t)
    (func (export "run") (local $e exnref) (loop $next
      (block $out (result exnref)
        (try_table (catch_all_ref $out) (throw $t)) (unreachable))
      (local.set $e)
      (block $again (result exnref)
        (try_table (catch_all_ref $again) (throw_ref (local.get $e)))
        (unreachable))
      (drop) (br $next)))`,
  "a machine of br_table": `(func (export "run") (local $state i32)
    (loop $next (block $two (block $one (block $zero
      (br_table $zero $one $two (local.get $state)))
      (local.set $state (i32.const 1)) (br $next))
      (local.set $state (i32.const 2)) (br $next))
      (local.set $state (i32.const 0)) (br $next)))`,
  "br_table to a loop": `(func (export "run")
    (loop $next (br_table $next $next (i32.const 5))))`,
  "a chain of memory.fill": `(memory 1024) (func (export "run")
    ${
    "(memory.fill (i32.const 0) (i32.const 1) (i32.const 67108864))"
      .repeat(3000)
  })`,
  "a chain of short memory.fill": `(memory 16) (func (export "run")
    ${
    "(memory.fill (i32.const 0) (i32.const 1) (i32.const 1048576))"
      .repeat(70_000)
  })`,
  "a chain of memory.copy": `(memory 1024)
    (func (export "run") (local i32)
    (local.set 0 (i32.const 33554432))
    ${
    "(memory.copy (i32.const 1) (i32.const 0) (local.get 0))"
      .repeat(20_000)
  })`,
  "memory.grow": `(memory 1) (func (export "run")
    (loop (drop (memory.grow (i32.const 0))) (br 0)))`,
};

for (const [what, text] of Object.entries(ENDLESS)) {
  Deno.test(`instrument() lets the flag stop ${what}`, async () => {
    const bytes = await wat(`(module ${text})`);
    for (const mode of Object.values(MODES)) {
      if (!mode.deadline) continue;
      const guest = makeGuest(bytes, mode, { memoryBytes: 64 * 2 ** 20 });
      const error = await runUntilFlag(guest);
      assert(error instanceof WebAssembly.RuntimeError, String(error));
      assertEquals(error.message, "divide by zero");
    }
  });
}

Deno.test("instrument() stops at once when the flag is set before", async () => {
  const flag = makeFlag();
  new Int32Array(flag.buffer)[0] = 0;
  const bytes = await wat(`(module
    (func (export "run") (call $leaf)) (func $leaf))`);
  const guest = makeGuest(bytes, BOTH, { flag });
  assert(await runUntilFlag(guest) instanceof WebAssembly.RuntimeError);
});

Deno.test("instrument() leaves a guest alone while the flag is not set", async () => {
  const bytes = await wat(`(module (func (export "run") (result i32)
    (local i32)
    (loop (br_if 0 (i32.lt_u (i32.const 1000000)
      (local.tee 0 (i32.add (local.get 0) (i32.const 1))))))
    (local.get 0)))`);
  for (const mode of Object.values(MODES)) {
    assertEquals(makeGuest(bytes, mode).call("run"), 1);
  }
});

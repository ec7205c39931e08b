/** Guests that wait, and hosts that let them. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError, type SandboxErrorCode } from "../../errors.ts";
import type { V8Runtime } from "../../runtime/mod.ts";
import type {
  HostModule,
  HostModuleFunction,
  Instance,
} from "../../runtime/types.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import { realm } from "../../runtime/v8/realm.ts";
import { FLAG, SLOTS } from "../../runtime/v8/watchdog.ts";
import { wat } from "../wasm.ts";

/** Imports `host.wait`, which may wait, and `host.now`, which may not. */
export const WAITER: Uint8Array<ArrayBuffer> = await wat(`(module
  (import "host" "wait" (func $wait (param i32) (result i32)))
  (import "host" "now" (func $now (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (func (export "wait") (param i32) (result i32) (call $wait (local.get 0)))
  (func (export "now") (param i32) (result i32) (call $now (local.get 0)))
  (func (export "plain") (param i32) (result i32)
    (i32.add (local.get 0) (i32.const 1)))
  (func (export "many") (param $n i32) (result i32) (local $sum i32)
    (loop (local.set $sum (i32.add (local.get $sum) (call $wait (local.get $n))))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "wait_then_spin") (param i32) (result i32)
    (drop (call $wait (local.get 0))) (loop (br 0)) (unreachable))
  (func (export "wait_then_trap") (param i32) (result i32)
    (drop (call $wait (local.get 0))) (unreachable))
  (func (export "wait_then_now") (param i32) (result i32)
    (call $now (call $wait (local.get 0))))
  (func (export "now_then_trap") (param i32) (result i32)
    (drop (call $wait (local.get 0)))
    (drop (call $now (local.get 0))) (unreachable))
  (func (export "catches") (param i32) (result i32)
    (try (result i32) (do (call $wait (local.get 0)))
      (catch_all (i32.const -1))))
  (func (export "wait_then_deep") (param i32) (result i32)
    (drop (call $wait (local.get 0))) (call $deep (i32.const 1)))
  (func $deep (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (local.get 0))))
  (func (export "wait_then_spend") (param $n i32) (result i32)
    (drop (call $wait (i32.const 0)))
    (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.const 7))
  (func (export "wasm_sandbox_alloc") (param i32) (result i32)
    (drop (call $wait (i32.const 1)))
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 0))))
  (func (export "wasm_sandbox_free") (param i32 i32)
    (drop (call $wait (i32.const 2))))
  (func (export "echo") (param i32 i32) (result i64)
    (drop (call $wait (i32.const 3)))
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
      (i64.extend_i32_u (local.get 1))))
  (func (export "lie") (param i32 i32) (result i64)
    (drop (call $wait (i32.const 3))) (i64.const -1)))`);

/** What the host does; a number it gives at once. */
export interface Host {
  /** May give a promise. */
  wait?: HostModuleFunction;
  /** May not. */
  now?: HostModuleFunction;
}

/** The module `host` of {@linkcode WAITER}. */
export function host(
  { wait = (n: number) => n, now = (n: number) => n }: Host,
): HostModule {
  const signature = { params: ["i32"], results: ["i32"] } as const;
  return {
    name: "host",
    signatures: { wait: signature, now: signature },
    suspending: ["wait"],
    link: () => ({ wait, now }),
  };
}

/** An instance of {@linkcode WAITER}, which ends with its runtime. */
export async function waiter(
  runtime: V8Runtime,
  functions: Host,
  limits: ResourceLimits = {},
): Promise<Instance> {
  const module = await runtime.compile(WAITER, { limits });
  return await runtime.instantiate(module, { hostModules: [host(functions)] });
}

/** Settles after some time. */
export function later<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms));
}

/** Never settles. */
export function never(): Promise<number> {
  return new Promise(() => {});
}

/** Keeps the thread busy. */
export function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Nothing is armed, and the flag lets guests run. */
export async function assertAtRest(): Promise<void> {
  const { depth, segment, words } = await realm.watchdog();
  assertEquals([depth, segment], [0, undefined]);
  assertEquals(Atomics.load(words, FLAG), 1);
  // the first slot may say that the watchdog sleeps
  assertEquals(Atomics.load(words, SLOTS) <= 0, true);
  assertEquals(Atomics.load(words, SLOTS + 1), 0);
}

/** The error of a call, which must be of that code. */
export async function failure<C extends SandboxErrorCode>(
  call: Promise<unknown>,
  code: C,
): Promise<SandboxError<C>> {
  const error = await assertRejects(() => call);
  assert(SandboxError.is(error, code), String(error));
  return error;
}

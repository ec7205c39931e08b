/**
 * A guest that asks its host for whatever it is told to, and tells what came
 * of it.
 *
 * @module
 */

import { wat } from "./wasm.ts";

const RELAY = `(module
  (import "wasm_sandbox" "call"
    (func $call (param i32 i32 i32 i32) (result i64)))
  (import "wasm_sandbox" "take" (func $take (param i32 i32) (result i32)))
  (import "wasm_sandbox" "receive" (func $receive (param i32) (result i64)))
  (import "wasm_sandbox" "send" (func $send (param i32 i32) (result i32)))
  (import "wasm_sandbox" "read" (func $read (param i32 i32) (result i32)))
  (import "wasm_sandbox" "write" (func $write (param i32 i32) (result i32)))
  (import "wasm_sandbox" "log" (func $log (param i32 i32 i32)))
  (import "wasm_sandbox" "fail" (func $fail (param i32 i32)))
  (memory (export "memory") 32 128)
  (global $top (mut i32) (i32.const 0x10000))
  (func (export "wasm_sandbox_alloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (global.get $top) (local.get $size)))
    (local.get $at))
  (func $reply (param $status i32) (param $length i32) (result i64)
    (i32.store8 (i32.const 0x180000) (local.get $status))
    (drop (call $take (i32.const 0x180001) (local.get $length)))
    (global.set $top (i32.const 0x10000))
    (i64.or (i64.const 0x18000000000000)
      (i64.extend_i32_u (i32.add (local.get $length) (i32.const 1)))))
  (func $answer (param $result i64) (result i64)
    (call $reply
      (i32.wrap_i64 (i64.shr_u (local.get $result) (i64.const 32)))
      (i32.wrap_i64 (local.get $result))))

  ;; length of the name, name, input; gives status and answer
  (func (export "relay") (param $at i32) (param $length i32) (result i64)
    (local $name i32)
    (local.set $name (i32.load8_u (local.get $at)))
    (call $answer (call $call
      (i32.add (local.get $at) (i32.const 1)) (local.get $name)
      (i32.add (i32.add (local.get $at) (i32.const 1)) (local.get $name))
      (i32.sub (i32.sub (local.get $length) (i32.const 1)) (local.get $name)))))
  (func (export "send") (param $at i32) (param $length i32) (result i64)
    (local $status i32)
    (local.set $status
      (i32.sub (i32.const 0) (call $send (local.get $at) (local.get $length))))
    (call $reply (select (local.get $status) (i32.const 0)
      (i32.gt_s (local.get $status) (i32.const 0))) (i32.const 0x1000)))
  (func (export "receive") (param $at i32) (param $length i32) (result i64)
    (call $answer (call $receive (i32.const -1))))
  (func (export "refuse") (param $at i32) (param $length i32) (result i64)
    (call $fail (local.get $at) (local.get $length)) (i64.const 0))

  ;; the same thing, many times
  (func (export "calls") (param $times i32)
    (i32.store8 (i32.const 0) (i32.const 97))
    (i32.store8 (i32.const 1) (i32.const 49))
    (loop $more
      (drop (call $call
        (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1)))
      (br_if $more
        (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  (func (export "logs") (param $times i32) (param $length i32)
    (loop $more
      (call $log (i32.const 2) (i32.const 0x10000) (local.get $length))
      (br_if $more
        (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  (func (export "sends") (param $times i32) (param $length i32)
    (memory.fill
      (i32.const 0x10000) (i32.const 49) (local.get $length))
    (loop $more
      (drop (call $send (i32.const 0x10000) (local.get $length)))
      (br_if $more
        (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  (func (export "pump") (result i64)
    (local $count i32) (local $sum i64)
    (block $end
      (loop $more
        (local.set $count (call $read (i32.const 0x10000) (i32.const 0x10000)))
        (br_if $end (i32.le_s (local.get $count) (i32.const 0)))
        (local.set $sum (i64.add
          (local.get $sum) (i64.extend_i32_u (local.get $count))))
        (br_if $end (i32.lt_s
          (call $write (i32.const 0x10000) (local.get $count)) (i32.const 0)))
        (br $more)))
    (local.get $sum)))`;

/** The module's bytes. */
export function relayGuest(): Promise<Uint8Array<ArrayBuffer>> {
  return wat(RELAY);
}

/** What `relay` is sent to have a function called. */
export function relayed(
  name: string,
  input: string | Uint8Array,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const title = encoder.encode(name);
  const bytes = typeof input === "string" ? encoder.encode(input) : input;
  const whole = new Uint8Array(1 + title.length + bytes.length);
  whole[0] = title.length;
  whole.set(title, 1);
  whole.set(bytes, 1 + title.length);
  return whole;
}

/** What came of it: the status of the ABI, and the answer as text. */
export function answered(
  reply: Uint8Array,
): { readonly status: number; readonly text: string } {
  const text = new TextDecoder().decode(reply.subarray(1));
  return { status: reply[0] ?? -1, text };
}

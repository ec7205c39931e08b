/**
 * A guest that asks for everything that a guest may ask for.
 *
 * @module
 */

import { wat } from "../wasm.ts";

/**
 * Assembles the guest.
 *
 * | export | what it does |
 * | --- | --- |
 * | `ask` | calls the function `f` with the request; status and answer are the reply |
 * | `again` | calls `f` so many times |
 * | `receive` | gives status and length of the next message |
 * | `send` | sends the request |
 * | `read` | reads at most so many bytes |
 * | `write` | writes so many bytes, so many times; gives what the last gave |
 * | `pump` | copies source to sink, so many bytes at a time; gives how many MiB |
 * | `log` | writes the request to the log, as a warning |
 * | `fail` | fails for the request |
 * | `spin` | writes a byte, and spins |
 */
export function talker(): Promise<Uint8Array<ArrayBuffer>> {
  return wat(`(module
    (import "wasm_sandbox" "call"
      (func $call (param i32 i32 i32 i32) (result i64)))
    (import "wasm_sandbox" "receive" (func $receive (param i32) (result i64)))
    (import "wasm_sandbox" "take" (func $take (param i32 i32) (result i32)))
    (import "wasm_sandbox" "send" (func $send (param i32 i32) (result i32)))
    (import "wasm_sandbox" "read" (func $read (param i32 i32) (result i32)))
    (import "wasm_sandbox" "write" (func $write (param i32 i32) (result i32)))
    (import "wasm_sandbox" "log" (func $log (param i32 i32 i32)))
    (import "wasm_sandbox" "fail" (func $fail (param i32 i32)))
    (memory (export "memory") 80)
    (data (i32.const 0) "f")
    ;; requests lie at 1 MiB, replies at 3 MiB
    (func (export "wasm_sandbox_alloc") (param i32) (result i32)
      (i32.const 0x100000))
    (func $reply (param $status i32) (param $length i32) (result i64)
      (i32.store (i32.const 0x300000) (local.get $status))
      (i64.or
        (i64.const 0x30000000000000)
        (i64.extend_i32_u (i32.add (i32.const 4)
          (call $take (i32.const 0x300004) (local.get $length))))))
    (func (export "ask") (param i32 i32) (result i64)
      (local $answer i64)
      (local.set $answer (call $call
        (i32.const 0) (i32.const 1) (local.get 0) (local.get 1)))
      (call $reply
        (i32.wrap_i64 (i64.shr_u (local.get $answer) (i64.const 32)))
        (i32.wrap_i64 (local.get $answer))))
    (func (export "again") (param $count i32)
      (loop $more
        (drop (call $call
          (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 10)))
        (br_if $more
          (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
    (func (export "receive") (param i32) (result i64)
      (call $receive (local.get 0)))
    (func (export "send") (param i32 i32) (result i64)
      (call $reply (call $send (local.get 0) (local.get 1)) (i32.const 4096)))
    (func (export "read") (param i32) (result i32)
      (call $read (i32.const 0x100000) (local.get 0)))
    (func (export "write") (param $size i32) (param $count i32) (result i32)
      (local $last i32)
      (loop $more
        (local.set $last (call $write (i32.const 0) (local.get $size)))
        (br_if $more
          (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
      (local.get $last))
    (func (export "pump") (param $size i32) (result i32)
      (local $got i32) (local $sent i32) (local $all i64)
      (loop $more
        (local.set $got (call $read (i32.const 0x100000) (local.get $size)))
        (if (i32.gt_s (local.get $got) (i32.const 0)) (then
          (local.set $sent
            (call $write (i32.const 0x100000) (local.get $got)))
          (if (i32.lt_s (local.get $sent) (i32.const 0)) (then
            (return (local.get $sent))))
          (local.set $all
            (i64.add (local.get $all) (i64.extend_i32_u (local.get $got))))
          (br $more))))
      (select
        (local.get $got)
        (i32.wrap_i64 (i64.shr_u (local.get $all) (i64.const 20)))
        (i32.lt_s (local.get $got) (i32.const 0))))
    (func (export "log") (param i32 i32) (result i64)
      (call $log (i32.const 3) (local.get 0) (local.get 1))
      (i64.const 0))
    (func (export "fail") (param i32 i32) (result i64)
      (call $fail (local.get 0) (local.get 1))
      (i64.const 0))
    (func (export "spin")
      (drop (call $write (i32.const 0) (i32.const 1)))
      (loop (br 0))))`);
}

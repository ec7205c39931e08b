/**
 * A guest that calls, echoes and pumps as fast as it can.
 *
 * @module
 */

/** Its text. Memory of 16 MiB; requests lie behind the first 2 MiB. */
export const TALKER = `(module
  (import "env" "raw" (func $raw (param i32 i32 i32 i32) (result i64)))
  (import "wasm_sandbox" "call"
    (func $call (param i32 i32 i32 i32) (result i64)))
  (import "wasm_sandbox" "take" (func $take (param i32 i32) (result i32)))
  (import "wasm_sandbox" "read" (func $read (param i32 i32) (result i32)))
  (import "wasm_sandbox" "write" (func $write (param i32 i32) (result i32)))
  (memory (export "memory") 256 256)
  (data (i32.const 0) "ask")
  (data (i32.const 16) "{\\"key\\":\\"greeting\\"}")
  (func (export "wasm_sandbox_alloc") (param i32) (result i32)
    (i32.const 0x200000))
  (func (export "raw") (param $n i32)
    (loop $again
      (drop (call $raw
        (i32.const 0) (i32.const 3) (i32.const 16) (i32.const 18)))
      (br_if $again
        (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "ask") (param $n i32) (result i32)
    (local $taken i32)
    (loop $again
      (local.set $taken (i32.add (local.get $taken) (call $take
        (i32.const 4096)
        (i32.wrap_i64 (call $call
          (i32.const 0) (i32.const 3) (i32.const 16) (i32.const 18))))))
      (br_if $again
        (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $taken))
  (func (export "echo") (param $at i32) (param $length i32) (result i64)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32))
      (i64.extend_i32_u (local.get $length))))
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

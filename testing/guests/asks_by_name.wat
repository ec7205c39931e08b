;; Asks a function of the host by its name, and replies with the answer.
(module
  (import "wasm_sandbox" "call"
    (func $call (param i32 i32 i32 i32) (result i64)))
  (import "wasm_sandbox" "take" (func $take (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 8) "double")
  (func (export "wasm_sandbox_alloc") (param i32) (result i32)
    (i32.const 1024))
  ;; the status of a failure is the reply, as a digit
  (func (export "ask") (param i32 i32) (result i64) (local $answer i64)
    (local.set $answer (call $call (i32.const 8) (i32.const 6)
      (local.get 0) (local.get 1)))
    (if (i64.ne (i64.const 0) (i64.shr_u (local.get $answer) (i64.const 32)))
      (then
        (i32.store8 (i32.const 65536) (i32.add (i32.const 48) (i32.wrap_i64
          (i64.shr_u (local.get $answer) (i64.const 32)))))
        (return (i64.const 0x1000000000001))))
    (drop (call $take (i32.const 65536)
      (i32.wrap_i64 (local.get $answer))))
    (i64.or (i64.const 0x1000000000000)
      (i64.and (local.get $answer) (i64.const 0xffffffff)))))

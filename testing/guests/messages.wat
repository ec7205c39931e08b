;; Takes messages, and lies about them where it is told to.
(module
  (memory (export "memory") 4)
  (global $pointer (mut i32) (i32.const 1024))
  (global $reply (mut i64) (i64.const 0))
  (global $freed (mut i32) (i32.const 0))
  (data (i32.const 8) "\ff\ff{1")
  (func (export "wasm_sandbox_alloc") (param i32) (result i32)
    (global.get $pointer))
  (func (export "wasm_sandbox_free") (param i32 i32)
    (global.set $freed (i32.add (global.get $freed) (i32.const 1))))
  (func (export "freed") (result i32) (global.get $freed))
  ;; what the next allocation gives
  (func (export "set_pointer") (param i32)
    (global.set $pointer (local.get 0)))
  ;; what `lie` replies
  (func (export "set_reply") (param i64) (global.set $reply (local.get 0)))
  (func $echo (export "echo") (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
      (i64.extend_i32_u (local.get 1))))
  (func (export "lie") (param i32 i32) (result i64) (global.get $reply))
  ;; a reply of as many bytes as the first four of the request say
  (func (export "reply") (param i32 i32) (result i64)
    (call $echo (i32.const 1024) (i32.load (local.get 0))))
  (func (export "number") (param i32) (result i32) (local.get 0)))

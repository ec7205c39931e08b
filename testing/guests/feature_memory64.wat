;; Has a memory with addresses of 64 bits.
(module
  (memory (export "memory") i64 1)
  (func $run (export "run") (result i32)
    (i32.store (i64.const 65532) (i32.const 42))
    (i32.load (i64.add (i64.const 65000) (i64.const 532))))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))

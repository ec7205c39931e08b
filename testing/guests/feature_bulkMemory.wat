;; Fills and copies memory.
(module
  (memory (export "memory") 1)
  (func $run (export "run") (result i32)
    (memory.fill (i32.const 16) (i32.const 42) (i32.const 100))
    (memory.copy (i32.const 200) (i32.const 50) (i32.const 50))
    (i32.load8_u (i32.const 249)))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))

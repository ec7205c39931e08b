;; Calls itself more often than any stack is deep.
(module
  (memory (export "memory") 1)
  (func $down (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (return_call $down (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
  (func $run (export "run") (result i32)
    (call $down (i32.const 1000000) (i32.const 42)))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))

;; Throws, and catches with `try`.
(module
  (memory (export "memory") 1)
  (tag $e (param i32))
  (func $throws (param i32) (throw $e (local.get 0)))
  (func $run (export "run") (result i32)
    (try (result i32)
      (do (call $throws (i32.const 42)) (i32.const 1))
      (catch $e)))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))

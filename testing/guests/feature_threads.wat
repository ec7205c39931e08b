;; Has a shared memory, and adds to it at once.
(module
  (memory (export "memory") 1 1 shared)
  (func $run (export "run") (result i32)
    (i32.atomic.store (i32.const 8) (i32.const 40))
    (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 2)))
    (i32.atomic.load (i32.const 8)))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))

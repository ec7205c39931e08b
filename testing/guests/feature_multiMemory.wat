;; Has two memories.
(module
  (memory $a (export "memory") 1)
  (memory $b 1)
  (func $run (export "run") (result i32)
    (i32.store $a (i32.const 8) (i32.const 2))
    (i32.store $b (i32.const 8) (i32.const 40))
    (i32.add (i32.load $a (i32.const 8)) (i32.load $b (i32.const 8))))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))

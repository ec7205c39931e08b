;; Adds vectors.
(module
  (memory (export "memory") 1)
  (func $run (export "run") (result i32)
    (i32x4.extract_lane 2 (i32x4.add
      (v128.const i32x4 1 2 3 4) (v128.const i32x4 36 37 39 40))))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))

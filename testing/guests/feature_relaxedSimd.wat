;; Multiplies and adds numbers for which all machines agree.
(module
  (memory (export "memory") 1)
  (func $run (export "run") (result i32)
    (i32.trunc_f32_s (f32x4.extract_lane 3 (f32x4.relaxed_madd
      (f32x4.splat (f32.const 4)) (f32x4.splat (f32.const 10))
      (f32x4.splat (f32.const 2))))))
  (func (export "_start")
    (if (i32.ne (call $run) (i32.const 42)) (then (unreachable)))))
